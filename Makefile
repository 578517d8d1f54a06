# Everything a developer or a curious visitor runs. `make` alone lists it.

PYTHON ?= python3
BIN := .venv/bin
BENCH := .venv-bench
CLIENTS := .venv-clients
SOURCES := portal accounts tokens modules tests manage.py

.DEFAULT_GOAL := help
.PHONY: help run test test-quick check format bench

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: $(BIN)/.installed  ## install, load the demo data and serve on 127.0.0.1:8000 (PORT=… overrides)
	@$(BIN)/python -m portal.envfile
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@$(BIN)/python manage.py demo
	@exec $(BIN)/python manage.py serve

test: $(BIN)/.installed-dev $(CLIENTS)/.installed chromium  ## run every test, those in a browser included
	$(BIN)/pytest

test-quick: $(BIN)/.installed-dev $(CLIENTS)/.installed  ## run the tests that need no browser
	$(BIN)/pytest -m "not browser"

check: $(BIN)/.installed-dev  ## linters, types, import contract, migrations, deployment settings
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --check --target-version 5.2
	$(BIN)/djhtml --check --tabwidth 2 templates
	$(BIN)/djlint templates --lint
	ENV_FILE=tests/production.env $(BIN)/python manage.py makemigrations --check --dry-run
	ENV_FILE=tests/production.env $(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(BIN)/.installed-dev  ## bring Python and templates into their form
	$(BIN)/ruff check --fix --exit-zero $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2 || true
	$(BIN)/djhtml --tabwidth 2 templates || true

bench: $(BENCH)/.installed  ## measure the API beside other libraries, the gate and long lists (ARGS="peers --rounds 9")
	@$(BENCH)/bin/python -m tests.bench $(ARGS)

# --- What the commands above need ---------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it with PYTHON=…, e.g. make run PYTHON=python3.12"; exit 1; }
	@echo "Making a virtual environment in .venv …"
	@$(PYTHON) -m venv .venv

$(BIN)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing what the portal needs …"
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on -r requirements.txt
	@touch $@

$(BIN)/.installed-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what tests and checks need …"
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on -r requirements-dev.txt
	@touch $@ $(BIN)/.installed

# The libraries that the benchmark compares with stay out of the portal's own environment.
$(BENCH)/.installed: requirements.txt tests/bench/requirements.txt | $(BIN)/python
	@echo "Installing what the benchmark compares with …"
	@$(BIN)/python -m venv $(BENCH)
	@echo '*' > $(BENCH)/.gitignore
	@$(BENCH)/bin/pip install --disable-pip-version-check --progress-bar on -r tests/bench/requirements.txt
	@touch $@

# CloudBlue's own clients want other versions than the tools of this project. Their command line runs on Python 3.10 and 3.11
# only; without one of them its tests are skipped.
$(CLIENTS)/.installed: tests/clients/requirements.txt | $(BIN)/python
	@echo "Installing the clients that the tests drive …"
	@python=$(BIN)/python; \
	for other in python3.11 python3.10 $(BIN)/python; do \
		$$other -c 'import sys; sys.exit(sys.version_info >= (3, 12))' 2>/dev/null && python=$$other; \
	done; \
	$$python -m venv $(CLIENTS)
	@echo '*' > $(CLIENTS)/.gitignore
	@$(CLIENTS)/bin/pip install --disable-pip-version-check --progress-bar on -r tests/clients/requirements.txt
	@touch $@

# The browser of the browser tests: the system's, else the package manager's.
.PHONY: chromium
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	if command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests …"; \
		$$sudo apt-get update -q && $$sudo apt-get install -q -y --no-install-recommends chromium && exit 0; \
	fi; \
	echo "The browser tests need Chromium and it could not be installed. Install it by hand, or run the other tests: make test-quick"; exit 1

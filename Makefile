# The commands for developing and trying out the portal. `make` lists them.

PYTHON ?= python3
BIN := .venv/bin
BENCH := .venv-bench
CLIENTS := .venv-clients
TOOLS := .venv-tools
BIOME := .biome
BIOME_VERSION := 2.6.8
SDK := .sdk
SDK_VERSION := 22.0.3
SOURCES := portal accounts activity tokens webhooks extensions api modules general demo tests manage.py

.DEFAULT_GOAL := help
.PHONY: help run test test-quick coverage check format storm bench lock sbom

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: installed  ## install, load the demo data and serve on 127.0.0.1:8000 (PORT=… overrides)
	@exec $(BIN)/python -m portal

test: installed-dev installed-clients installed-tools installed-sdk chromium pgbouncer nginx redis  ## run all tests, including those in a browser
	$(BIN)/python -m pytest

test-quick: installed-dev installed-clients installed-tools installed-sdk pgbouncer nginx redis  ## run the tests that need no browser
	$(BIN)/python -m pytest -m "not browser"

coverage: installed-dev installed-clients installed-tools installed-sdk pgbouncer nginx redis  ## run the same tests and show which lines and branches they miss
	COVERAGE_FILE="$(CURDIR)/.coverage" $(BIN)/python -m pytest -m "not browser" --cov

check: installed-dev installed-biome  ## linters, types, import contract, migrations, deployment settings
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --check --target-version 5.2
	$(BIN)/djhtml --check --tabwidth 2 templates
	$(BIN)/djlint templates --lint
	$(BIOME)/node_modules/.bin/biome check --error-on-warnings static
	ENV_FILE=tests/production.env $(BIN)/python manage.py makemigrations --check --dry-run
	ENV_FILE=tests/production.env $(BIN)/python manage.py check --deploy --fail-level WARNING

format: installed-dev installed-biome  ## format Python, templates, CSS and JavaScript
	$(BIN)/ruff check --fix --exit-zero $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	find templates -name '*.html' -print0 | xargs -0 $(BIN)/djade --target-version 5.2 || true
	$(BIN)/djhtml --tabwidth 2 templates || true
	$(BIOME)/node_modules/.bin/biome check --write static

storm: installed-dev  ## send 5,000 events of webhooks while everything is killed again and again (STORM=20000)
	STORM=$${STORM:-5000} $(BIN)/python -m pytest -n0 -s tests/webhooks/engine/test_storm.py

bench: installed-bench  ## measure the gate, long lists, and the API compared with other libraries (ARGS="peers --rounds 9")
	@$(BENCH)/bin/python -m tests.bench $(ARGS)

lock: installed-tools  ## update requirements.lock from requirements.txt, with the newest compatible versions
	$(TOOLS)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" requirements.txt -o requirements.lock

sbom: installed-tools  ## write var/sbom.json, the bill of materials of requirements.lock (CycloneDX)
	@mkdir -p -m 700 var
	$(TOOLS)/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o var/sbom.json

# --- What the commands above need ---------------------------------------------------------------

# An environment is rebuilt unless its mark matches the current Python, folder and requirements. One
# that was moved, only half built, built by another tool or has lost its Python may not work.
mark = { $(1)/bin/python -c 'import pip, sys; print(sys.version, sys.prefix)' && cat $(2); } 2>/dev/null | cksum
marked = [ "$$($(call mark,$(1),$(2)))" = "$$(cat $(1)/$(3) 2>/dev/null)" ]
pip_install = bin/python -m pip install --disable-pip-version-check --progress-bar on

# $(call environment,folder,Python,requirements files,arguments of pip,purpose)
environment = @$(call marked,$(1),$(3),.installed) || { \
	echo "Installing $(5) in $(1) …"; rm -rf $(1) && $(2) -m venv $(1) && \
	$(1)/$(pip_install) $(4) && $(call mark,$(1),$(3)) > $(1)/.installed; }

.PHONY: python installed installed-dev installed-bench installed-clients installed-tools installed-biome installed-sdk

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name it with PYTHON=…, e.g. make run PYTHON=python3.12"; exit 1; }

installed: python
	$(call environment,.venv,$(PYTHON),requirements.lock,--require-hashes -r requirements.lock,what the portal needs)

installed-dev: installed
	@$(call marked,.venv,requirements.lock requirements-dev.txt,.installed-dev) || { \
	echo "Installing what tests and checks need in .venv …"; \
	.venv/$(pip_install) -r requirements-dev.txt && \
	$(call mark,.venv,requirements.lock requirements-dev.txt) > .venv/.installed-dev; }

# The libraries for comparison in the benchmark stay out of the portal's own environment.
installed-bench: installed
	$(call environment,$(BENCH),$(BIN)/python,requirements.txt tests/bench/requirements.txt,-r tests/bench/requirements.txt,what the benchmark compares with)

# Neither of these is needed to run the portal.
installed-tools: installed
	$(call environment,$(TOOLS),$(BIN)/python,requirements-tools.txt,-r requirements-tools.txt,what makes the lock file and the bill of materials)

# Biome checks and formats CSS and JavaScript; npm has its binary for every platform. The portal
# serves none of it.
installed-biome: npm
	$(call npm_package,$(BIOME),$(BIOME_VERSION),@biomejs/biome,Biome)

# CloudBlue's JavaScript SDK, which the tests drive.
installed-sdk: npm
	$(call npm_package,$(SDK),$(SDK_VERSION),@cloudblueconnect/connect-javascript-sdk,the JavaScript SDK)

# $(call npm_package,folder,version,package,purpose)
npm_package = @[ "$$(cat $(1)/.installed 2>/dev/null)" = "$(2)" ] || { \
	echo "Installing $(4) in $(1) …"; rm -rf $(1) && \
	npm install --prefix $(1) --no-save --ignore-scripts --no-audit --no-fund --silent $(3)@$(2) && \
	echo $(2) > $(1)/.installed; }

# CloudBlue's own clients need other versions of libraries than this project's tools. Their command
# line supports only Python 3.10 and 3.11; if neither is installed, its tests are skipped.
installed-clients: installed
	$(call environment,$(CLIENTS),$(clients_python),tests/clients/requirements.txt,-r tests/clients/requirements.txt,the clients that the tests drive)

clients_python = $(shell for python in $(BIN)/python python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' 2>/dev/null && echo $$python && exit; done; echo $(BIN)/python)

# --- System programs that tests and checks use --------------------------------------------------

# $(call program,names of the program,its package,what to do without it)
program = @for name in $(1); do PATH="$$PATH:/usr/sbin" command -v $$name >/dev/null && exit 0; done; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	if command -v apt-get >/dev/null; then \
		echo "Installing $(2) …"; \
		$$sudo apt-get update -q && $$sudo apt-get install -q -y --no-install-recommends $(2) && exit 0; \
	fi; \
	echo "$(2) is needed and could not be installed. Install it by hand$(3)"; exit 1

.PHONY: chromium pgbouncer nginx redis npm
chromium:
	$(call program,chromium chromium-browser google-chrome,chromium,$(comma) or run the other tests: make test-quick)

# Only tests on PostgreSQL use it.
pgbouncer:
	$(if $(filter postgres%,$(DATABASE_URL)),$(call program,pgbouncer,pgbouncer,.))

nginx:
	$(call program,nginx,nginx,.)

redis:
	$(call program,redis-server valkey-server,redis-server,.)

npm:
	$(call program,npm,npm,.)

comma := ,

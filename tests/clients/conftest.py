"""The API as CloudBlue's own clients meet it: a real server with demo data, published clients.

These are black-box tests: what a client returns is compared with the API's answer to a plain
request. The clients live in an environment of their own (`make installed-clients`), since
connect-cli and the tools of this project need different libraries; the scripts in `scripts/` drive
them there.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.asking import Ask
from tests.server import ROOT, STOP_SECONDS, Server, database, environment, served

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
SCRIPTS = Path(__file__).parent / "scripts"
DISTRIBUTOR, VENDOR = "PA-063-101", "VA-044-420"
# Of the people of the demo.
PASSWORD = "a password for the demo"
# More than three pages for each of the two accounts.
AGREEMENTS = 320

Row = dict[str, Any]


class Api(Server):
    """A running portal, with a key for all modules for each of the two companies."""

    def __init__(self, url: str, env: dict[str, str]) -> None:
        super().__init__(url, env)
        self.endpoint = f"{url}/public/v1"
        self.distributor, self.vendor = (self.new_key(account) for account in (DISTRIBUTOR, VENDOR))

    def new_key(self, account: str) -> str:
        return self.manage(
            "create_token", "--account", account, "--name", "Clients", "--all-modules"
        ).strip()

    def rows(self, path: str, key: str | None = None) -> list[Row]:
        """Return all records of a resource, by one plain request.

        The key is the distributor's by default.
        """
        rows: list[Row] = json.loads(
            self.get(
                f"/public/v1/{path}{'&' if '?' in path else '?'}limit=1000", key or self.distributor
            ).text
        )
        return rows


class ClientError(Exception):
    """A ClientError that the client raised."""

    def __init__(
        self, status: int | None, code: str | None, errors: list[str] | None, text: str
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.errors, self.text = status, code, errors, text


class Script:
    """A script in the clients' environment that answers questions one by one.

    See scripts/answers.py.
    """

    def __init__(self, name: str, home: Path) -> None:
        self.log = home / f"{name}.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [python(), SCRIPTS / name],
                cwd=home,
                env=clients_env(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"The script ended:\n{self.log.read_text()}"
        told = json.loads(line)
        if refused := told.get("refused"):
            raise ClientError(**refused)
        if "raised" in told:
            pytest.fail(told["raised"], pytrace=False)
        return told["gave"]

    def end(self) -> None:
        self.process.communicate(timeout=STOP_SECONDS)


def python() -> Path:
    if not PYTHON.exists():
        pytest.fail(
            "These tests need CloudBlue's own clients. Install them: make installed-clients"
        )
    return PYTHON


def clients_env(**more: str) -> dict[str, str]:
    """Return the clients' environment variables, without the developer's proxy and .netrc."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "COLUMNS": "160",
        **more,
    }


@contextmanager
def portal(home: Path, **more: str) -> Iterator[Api]:
    """Serve a portal with the demo data from the folder."""
    with database(home) as address:
        env = environment(address, DEMO_PASSWORD=PASSWORD, **more)
        with served(env, home, "--records", str(AGREEMENTS)) as url:
            yield Api(url, env)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Serve a portal for this worker only."""
    with portal(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Script]]:
    """Return a script by name.

    Starting one is slow, so each is started once.
    """
    running: dict[str, Script] = {}
    home = tmp_path_factory.mktemp("scripts")

    def script(name: str) -> Script:
        if name not in running:
            running[name] = Script(name, home)
        return running[name]

    yield script
    for each in running.values():
        each.end()


@pytest.fixture(scope="module")
def python_client(script: Callable[[str], Script]) -> Script:
    return script("python_client.py")


@pytest.fixture(params=["ConnectClient", "AsyncConnectClient"])
def ask(request: pytest.FixtureRequest, python_client: Script, api: Api) -> Ask:
    """Return a function: `ask("client.agreements.all().count()")` returns the client's answer.

    Names in the expression are passed as keyword arguments.
    """

    def ask(
        code: str,
        *,
        key: str = api.distributor,
        specs: str | None = None,
        endpoint: str = api.endpoint,
        **names: Any,
    ) -> Any:
        return python_client.ask(
            code=code, kind=request.param, key=key, endpoint=endpoint, specs=specs, names=names
        )

    return ask


Ccli = Callable[..., str]


@pytest.fixture(scope="module")
def command_line(script: Callable[[str], Script]) -> Script:
    if subprocess.run(
        [python(), "-c", "import sys; sys.exit(sys.version_info >= (3, 12))"], check=False
    ).returncode:
        pytest.skip("connect-cli runs on Python 3.10 and 3.11 only")
    return script("ccli.py")


@pytest.fixture(scope="module")
def config(command_line: Script, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a configuration folder in which both companies are set up."""
    folder = tmp_path_factory.mktemp("ccli")
    for account, name, key in (
        (VENDOR, "Front Street Inc", api.vendor),
        (DISTRIBUTOR, "Mighty Mick's LLC", api.distributor),
    ):
        printed = command_line.ask(
            task="command", arguments=["-c", str(folder), "account", "add", key, "-e", api.endpoint]
        )
        assert f"New account added: {account} - {name}" in printed
    return folder


@pytest.fixture
def ccli(command_line: Script, config: Path) -> Ccli:
    """Return a function that runs a command: `ccli("product", "list")` returns what it prints.

    It exits with 0 even when it fails, so the tests look at its output.
    """

    def ccli(*arguments: str, typed: str = "") -> str:
        printed: str = command_line.ask(
            task="command", arguments=["-c", str(config), *arguments], typed=typed
        )
        return printed

    return ccli


@pytest.fixture(params=[DISTRIBUTOR, VENDOR])
def company(request: pytest.FixtureRequest, ccli: Ccli, api: Api) -> str:
    """Activate each of the two companies in the command line; return its key."""
    assert f"Current active account is: {request.param}" in ccli(
        "account", "activate", request.param
    )
    return api.distributor if request.param == DISTRIBUTOR else api.vendor


@pytest.fixture
def distributor(ccli: Ccli) -> None:
    ccli("account", "activate", DISTRIBUTOR)

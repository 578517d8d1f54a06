"""The programs on the page *First Call* run unchanged and show what the token may read."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.clients.conftest import DISTRIBUTOR, Api, clients_env, python
from tokens import first_call
from tokens.catalog import Module

CCLI = python().parent / "ccli"


@pytest.fixture(scope="module")
def key(api: Api) -> str:
    made = ("--account", DISTRIBUTOR, "--name", "First call", "--module", "customers")
    return api.manage("create_token", *made).strip()


@pytest.fixture(scope="module")
def programs(api: Api) -> dict[str, str]:
    examples = first_call.examples(api.endpoint, {Module.CUSTOMERS.value})
    return {example.id.removeprefix("first-call-"): example.code for example in examples}


@pytest.fixture
def total(api: Api, key: str) -> int:
    return len(api.rows("tier/accounts", key))


def output(command: Sequence[str | Path], home: Path, key: str, typed: str = "") -> str:
    env = clients_env(API_KEY=key, HOME=str(home))
    done = subprocess.run(
        command,
        env=env,
        cwd=home,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_shell_reads_the_key_and_calls(
    programs: dict[str, str], key: str, total: int, tmp_path: Path
) -> None:
    answer = output(["bash", "-c", programs["shell"]], tmp_path, "", typed=f"{key}\n")
    assert "200 OK" in answer
    assert f"items 0-9/{total}" in answer.replace("\r", "")


def test_python_counts(programs: dict[str, str], key: str, total: int, tmp_path: Path) -> None:
    assert output([python(), "-c", programs["python"]], tmp_path, key) == f"{total}\n"


def test_javascript_prints_status_and_range(
    programs: dict[str, str], key: str, total: int, tmp_path: Path
) -> None:
    node, _script = compute_driver_executable()
    (tmp_path / "first-call.mjs").write_text(programs["javascript"])
    answer = output([node, "first-call.mjs"], tmp_path, key)
    assert answer.startswith(f"200 items 0-9/{total} ")


def test_ccli_adds_the_account_and_exports(
    programs: dict[str, str], key: str, tmp_path: Path
) -> None:
    if not CCLI.exists():
        pytest.skip("connect-cli runs on Python 3.10 and 3.11 only")
    env_path = ["bash", "-c", f'PATH="{CCLI.parent}:$PATH"; set -e; {programs["ccli"]}']
    assert "added" in output(env_path, tmp_path, key).lower()
    assert list(tmp_path.rglob("*.xlsx"))

"""CloudBlue's JavaScript SDK reads all of its resources, and writes into a conversation."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.clients.conftest import SCRIPTS, Api, Row, clients_env
from tests.server import ROOT

MODULES = ROOT / ".sdk" / "node_modules"
RESOURCES = 15


@pytest.fixture(scope="module", params=["distributor", "vendor"])
def key(request: pytest.FixtureRequest, api: Api) -> str:
    found: str = getattr(api, request.param)
    return found


@pytest.fixture(scope="module")
def told(api: Api, key: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the SDK got with the key."""
    if not MODULES.exists():
        pytest.skip("CloudBlue's JavaScript SDK is not there: make installed-sdk")
    node, _script = compute_driver_executable()
    home: Path = tmp_path_factory.mktemp("sdk")
    done = subprocess.run(
        [node, SCRIPTS / "sdk.js", api.endpoint, key],
        env=clients_env(NODE_PATH=str(MODULES), HOME=str(home)),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def plain(api: Api, key: str, path: str) -> list[Row] | Row:
    """Return the answer to a plain request."""
    found: list[Row] | Row = json.loads(api.get(f"/public/v1/{path}", key).text)
    return found


def test_every_list_is_that_of_a_plain_request(told: dict[str, Any], api: Api, key: str) -> None:
    assert len(told["lists"]) == RESOURCES
    for path, rows in told["lists"].items():
        assert rows == plain(api, key, f"{path}?ordering(id)&limit=5"), path


def test_every_record_is_that_of_a_plain_request(told: dict[str, Any], api: Api, key: str) -> None:
    assert len(told["records"]) > RESOURCES / 2
    for path, record in told["records"].items():
        assert record == plain(api, key, path), path


def test_what_is_below_a_record_is_that_of_a_plain_request(
    told: dict[str, Any], api: Api, key: str
) -> None:
    for path, rows in told["below"].items():
        assert rows == plain(api, key, path), path
    sizes = {path.rpartition("/")[2]: len(rows) for path, rows in told["below"].items()}
    assert sizes["users"]
    assert sizes["items"]
    assert sizes["versions"] == 1
    assert sizes["messages"]


def test_it_finds_a_conversation_by_its_record_and_writes_into_it(
    told: dict[str, Any], api: Api, key: str
) -> None:
    written = told["written"]
    (found,) = told["found"]
    assert (written["conversation"], written["text"]) == (found["id"], "Written by the SDK.")
    path = f"conversations/{found['id']}/messages/{written['id']}"
    assert plain(api, key, path) == written


def test_refusals_reach_the_program_with_their_status_and_code(told: dict[str, Any]) -> None:
    assert told["refused"] == {
        "key": {"status": 401, "code": "AUTH_001"},
        "record": {"status": 404, "code": "NFND_000"},
        "query": {"status": 400, "code": "VAL_001"},
        "absent": {"status": 404, "code": "NFND_000"},
    }

"""The examples in the README and in docs/ do what they say, copied verbatim."""

import re
import shlex
import subprocess

import pytest

from tests.clients.conftest import Api, clients_env, python
from tests.server import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "".join(page.read_text() for page in PAGES)
# An example may appear in several documents; those of CONTRIBUTING.md and SECURITY.md call no API.
EXAMPLES = list(dict.fromkeys(re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL)))


@pytest.fixture(scope="module")
def key(api: Api) -> str:
    """Return the key that the documents export as API_KEY."""
    (arguments,) = set(re.findall(r"export API_KEY=\$\(\S+ manage\.py (.+)\)", TEXT))
    return api.manage(*shlex.split(arguments)).strip()


def printed(example: str, api: Api, key: str) -> list[str]:
    assert "http://127.0.0.1:8000/" in example
    code = example.replace("http://127.0.0.1:8000", api.url)
    done = subprocess.run(
        [python(), "-c", code],
        env=clients_env(API_KEY=key),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_there_are_two_of_them() -> None:
    assert ["AsyncConnectClient" in example for example in EXAMPLES] == [False, True]


def test_the_synchronous_one_prints_every_agreement_it_asks_for(api: Api, key: str) -> None:
    wanted = [
        row
        for row in api.rows("agreements?ordering(-created)")
        if row["type"] == "program" and row["active"]
    ]
    assert printed(EXAMPLES[0], api, key) == [
        f"{len(wanted)} agreements",
        *(f"{row['id']} {row['title']}" for row in wanted),
    ]


def test_the_asynchronous_one_prints_every_agreement_it_asks_for(api: Api, key: str) -> None:
    wanted = [
        row
        for row in api.rows("agreements?ordering(-created)")
        if row["created"] >= "2020" and "Cloud" in row["title"]
    ]
    assert wanted
    assert printed(EXAMPLES[1], api, key) == [
        f"{len(wanted)} agreements",
        *(f"{row['id']} {row['title']}" for row in wanted),
    ]

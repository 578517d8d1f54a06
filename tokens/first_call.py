"""The first call with a token, in the languages that its users write: it reads what was granted."""

from collections.abc import Collection
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tokens.catalog import Module

# What every valid token may read.
FOR_ALL = "accounts"

SHELL = """\
read -rs API_KEY && export API_KEY && curl -i -H "Authorization: $API_KEY" \\
  "{endpoint}/{path}?limit=10\""""
PYTHON = """\
# pip install connect-openapi-client
import os
from connect.client import ConnectClient

client = ConnectClient(os.environ["API_KEY"], endpoint="{endpoint}")
print({client}.all().count())"""
JAVASCRIPT = """\
// node first-call.mjs
const answer = await fetch("{endpoint}/{path}?limit=10", {{
  headers: {{ Authorization: process.env.API_KEY }},
}});
console.log(answer.status, answer.headers.get("Content-Range"), await answer.json());"""
CCLI = """\
ccli account add "$API_KEY" -e {endpoint}
ccli {command}"""
# What ccli reads by itself; it shows the account where there is no command for the grant.
CCLI_COMMANDS = {Module.PRODUCTS: "product list", Module.CUSTOMERS: "customer export"}


class Example(NamedTuple):
    """A program that makes the call; `id` is that of its element."""

    id: str
    language: str | Promise
    code: str


def path(grants: Collection[str]) -> str:
    """The list to read: that of the first module granted, in the order of the catalog."""
    return next((module.path for module in Module if module in grants), FOR_ALL)


def client(path: str) -> str:
    """The list as CloudBlue's client for Python names it: `client("tier").accounts`."""
    *spaces, last = path.split("/")
    return "client" + "".join(f'("{space}")' for space in spaces) + f".{last}"


def examples(endpoint: str, grants: Collection[str]) -> list[Example]:
    """The call in each language, for a token with these grants. Each reads the key from API_KEY."""
    here = path(grants)
    everything = Module.ALL in grants
    command = next(
        (words for module, words in CCLI_COMMANDS.items() if everything or module in grants),
        "account list",
    )
    programs = (
        ("shell", _("Shell"), SHELL),
        ("python", "Python", PYTHON),
        ("javascript", "JavaScript", JAVASCRIPT),
        ("ccli", "ccli", CCLI),
    )
    return [
        Example(
            f"first-call-{name}",
            language,
            code.format(endpoint=endpoint, path=here, client=client(here), command=command),
        )
        for name, language, code in programs
    ]

"""Examples of a first call with a token in several languages, reading what was granted."""

from collections.abc import Collection
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tokens.catalog import Module

# The list that every valid token may read.
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
# Commands of ccli by module; without one for the grants, the example lists the account.
CCLI_COMMANDS = {Module.PRODUCTS: "product list", Module.CUSTOMERS: "customer export"}


class Example(NamedTuple):
    """A program that makes the call; `id` is the id of its HTML element."""

    id: str
    language: str | Promise
    code: str


def path(grants: Collection[str]) -> str:
    """Return the path of the first module granted, in the order of the catalog."""
    return next((module.path for module in Module if module in grants), FOR_ALL)


def client(path: str) -> str:
    """Return the path as CloudBlue's Python client writes it: `client("tier").accounts`."""
    *spaces, last = path.split("/")
    return "client" + "".join(f'("{space}")' for space in spaces) + f".{last}"


def examples(endpoint: str, grants: Collection[str]) -> list[Example]:
    """Return the call in each language, for a token with these grants.

    Each program reads the key from the environment variable API_KEY.
    """
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

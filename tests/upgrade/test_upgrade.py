"""A portal of version 1.0 (commit 0721d52) upgrades in place with `make run`.

See rows.py for its contents.
"""

import http.cookiejar
import json
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.matching import matched
from tests.server import Server, clean, database, installation, refused, running

HERE = Path(__file__).parent
PASSWORD = "correct horse battery staple"
# What rows.py printed: the secrets of three keys, and a session.
SECRETS, SESSION = {
    "sqlite": (
        (
            "9549a62eed8f73158322b49018657b4888219910",
            "680689f8c77f1d24c9986fee0b02f87f9319b7ca",
            "89bb39fc9ec7b70d0019a4cfe657594fb9f999a0",
        ),
        "de99z33rx8k4olev6s24kgpok8bfam0d",
    ),
    "postgresql": (
        (
            "491d56e4b24d16e33d4c4d7d50c38d27dc0f53ec",
            "01a8b8eb878299a6e310ae063cad8bdf94cbe642",
            "6dad5ba335b53fb5003d59c013bf8ea3c9db50db",
        ),
        "y6e9ehxsfj5g98yb615g0o23xi56xo6w",
    ),
}[connection.vendor]
ALL, NARROW, DISABLED = (
    f"ApiKey SU-100-000-00{number}:{secret}" for number, secret in enumerate(SECRETS, 1)
)
TOKENS = [f"SU-100-000-{number:03}" for number in range(1, 14)]


class Upgraded(Server):
    """A running portal and the folder of its installation."""

    def __init__(self, url: str, env: dict[str, str], home: Path) -> None:
        super().__init__(url, env)
        self.home = home


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """Start today's code with the database of version 1.0 and serve it."""
    home = installation(tmp_path_factory.mktemp("upgrade") / "home")
    with database(home) as url:
        load(url)
        variables = {
            "ENV_FILE": str(HERE / "environment.env"),
            "DATABASE_URL": url,
            "DEMO_PASSWORD": PASSWORD,
        }
        with running(home, "-m", "portal", **variables) as port:
            env = {**clean(), **variables, "DJANGO_SETTINGS_MODULE": "portal.settings"}
            yield Upgraded(f"http://127.0.0.1:{port}", env, home)


def load(url: str) -> None:
    text = (HERE / f"{connection.vendor}.sql").read_text()
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as empty:
            empty.executescript(text)
    else:
        with psycopg.connect(url, autocommit=True) as empty:
            empty.execute(text)


# Where the running worker notes that it is alive.
HEARTBEAT = "webhooks_deliveryworker"


def everything(url: str) -> str:
    """Return everything that the database holds, as text, but for the heartbeat of workers."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as full:
            return "\n".join(line for line in full.iterdump() if HEARTBEAT not in line)
    with psycopg.connect(url) as full:
        names = full.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return "\n".join(
            str(full.execute(f'SELECT * FROM "{name}"').fetchall())  # noqa: S608
            for (name,) in names
            if name != HEARTBEAT
        )


@pytest.fixture(scope="module")
def michael(portal: Upgraded) -> Callable[[str], str]:
    """Return a browser of a person who signed in with the old password."""
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    mark = matched(
        r'name="csrfmiddlewaretoken" value="([^"]+)"',
        browser.open(f"{portal.url}/sign-in/").read().decode(),
    )[1]
    form = {
        "csrfmiddlewaretoken": mark,
        "username": "michael@mightymicks.example",
        "password": PASSWORD,
    }
    with browser.open(f"{portal.url}/sign-in/", urllib.parse.urlencode(form).encode()) as page:
        assert "/sign-in/" not in page.url

    def read(path: str) -> str:
        text: str = browser.open(f"{portal.url}{path}").read().decode()
        return text

    return read


def test_keys_open_the_gate_as_before(portal: Upgraded) -> None:
    assert [portal.get("/public/v1/agreements", key).status for key in (ALL, NARROW, DISABLED)] == [
        200,
        200,
        401,
    ]
    assert [portal.get("/public/v1/helpdesk/cases", key).status for key in (ALL, NARROW)] == [
        200,
        200,
    ]
    assert [portal.get("/public/v1/tier/accounts", key).status for key in (ALL, NARROW)] == [
        200,
        403,
    ]


def test_keys_can_be_viewed(portal: Upgraded) -> None:
    shown = portal.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from tokens.models import TokenKey; "
        "print(TokenKey.objects.get(token='SU-100-000-001').open())",
    )
    assert shown.strip().splitlines()[-1] == ALL


def test_records_are_kept(portal: Upgraded) -> None:
    assert '"subject":"Help"' in portal.get("/public/v1/helpdesk/cases", ALL).text.replace(
        '": "', '":"'
    )
    assert {token["id"] for token in portal_tokens(portal)} >= set(TOKENS) - {
        "SU-100-000-004",
        "SU-100-000-011",
    }


def portal_tokens(portal: Upgraded) -> list[dict[str, Any]]:
    tokens: list[dict[str, Any]] = json.loads(
        portal.get("/public/v1/auth/tokens?limit=1000", ALL).text
    )
    return tokens


@pytest.mark.parametrize("token", [token for token in TOKENS if token != "SU-100-000-011"])
def test_every_page_of_a_token_opens(michael: Callable[[str], str], token: str) -> None:
    assert token in michael(f"/integrations/tokens/{token}/")
    assert michael(f"/integrations/tokens/{token}/permissions/")
    assert michael(f"/integrations/tokens/{token}/activity/")


def test_a_token_that_was_deleted_before_has_no_key_left_to_restore(
    michael: Callable[[str], str],
) -> None:
    page = michael("/integrations/tokens/SU-100-000-004/")
    assert "Its key was destroyed on" in page
    assert "/restore/" not in page


def test_actors_and_what_they_did_are_kept(michael: Callable[[str], str]) -> None:
    page = michael("/integrations/tokens/SU-100-000-002/")
    for words in ("Agreements only", "Michael Goldmill", "Robert Balboa", "Widened"):
        assert words in page
    page = michael("/integrations/tokens/SU-100-000-007/")
    assert "Everything" in page
    assert "/integrations/tokens/SU-100-000-001/" in page


def test_who_did_what_is_kept_by_id_and_name(portal: Upgraded) -> None:
    michael, adrian, robert = (
        ["UR-101-000-001", "Michael Goldmill", ""],
        ["UR-101-000-002", "Adrian Pennino", ""],
        ["UR-420-000-001", "Robert Balboa", ""],
    )
    program, nobody = ["SU-100-000-001", "Everything", "PA-063-101"], None
    tokens = asked(
        portal,
        "{t.pk: [t.created_by, t.updated_by, t.status_changed_by] for t in "
        "Token.objects.filter(pk__startswith='SU-100-')}",
    )
    assert tokens == {
        **{token: [michael, michael, nobody] for token in TOKENS},
        "SU-100-000-002": [michael, robert, nobody],
        "SU-100-000-003": [michael, michael, michael],
        "SU-100-000-004": [michael, michael, adrian],
        "SU-100-000-007": [program, program, nobody],
        "SU-100-000-011": [robert, robert, nobody],
    }
    grants = asked(
        portal,
        "{f'{p.token_id} {p.module}': p.granted_by for p in "
        "Grant.objects.filter(token__pk__startswith='SU-100-')}",
    )
    assert len(grants) >= len(TOKENS)
    assert {grant: who for grant, who in grants.items() if who != michael} == {
        "SU-100-000-002 MD-0023": robert,
        "SU-100-000-007 MD-9001": program,
        "SU-100-000-011 MD-0000": robert,
    }
    cases = asked(
        portal,
        "[[c.created_by, c.updated_by, c.pending_by, c.closed_by] for c in "
        "Case.objects.filter(subject='Help')]",
    )
    assert cases == [[program, program, program, nobody]]


def asked(portal: Upgraded, expression: str) -> Any:
    """Return the value of an expression in the shell of the upgraded portal, by way of JSON."""
    imports = "import json; from modules.models import Case; from tokens.models import *; "
    imports += "from django.contrib.auth.models import Permission as Right"
    code = f"{imports}; print(json.dumps({expression}))"
    return json.loads(portal.manage("shell", "-v", "0", "-c", code).strip().splitlines()[-1])


def test_rights_in_the_admin_follow_the_renamed_grants(portal: Upgraded) -> None:
    rights = asked(
        portal,
        "sorted(Right.objects.filter(content_type__app_label='tokens', "
        "codename__regex='_(permission|grant)$').values_list('codename', flat=True))",
    )
    assert rights == ["add_grant", "change_grant", "delete_grant", "view_grant"]


def test_what_happened_to_tokens_is_in_the_trail_in_order_and_sealed(portal: Upgraded) -> None:
    """Expect 17 events of version 1.0, older than the first start with the current code.

    One of them is in the other account.
    """
    told = portal.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from activity.models import Event\n"
        "for e in Event.objects.filter(subject_kind='token').order_by('account', 'number'):\n"
        "    print(e.account, e.number, e.action, e.actor_id, e.actor_name, e.subject_id, "
        "dict(sorted(e.changes.items())), e.address, sep='|')",
    )
    rows = [row for row in told.splitlines() if row.startswith(("PA-", "VA-"))]
    assert (
        rows[0] == "PA-063-101|1|tokens.created|UR-101-000-001|Michael Goldmill|SU-100-000-001|{}|"
    )
    assert "PA-063-101|7|tokens.created|SU-100-000-001|Everything|SU-100-000-007|{}|" in rows
    assert (
        "PA-063-101|15|tokens.changed|UR-420-000-001|Robert Balboa|SU-100-000-002|"
        "{'description': ['', 'Widened'], 'modules': [[], ['Helpdesk']]}|" in rows
    )
    assert (
        "PA-063-101|16|keys.viewed|UR-101-000-001|Michael Goldmill|SU-100-000-001|{}|127.0.0.1"
        in rows
    )
    assert "VA-044-420|1|tokens.created|UR-420-000-001|Robert Balboa|SU-100-000-011|{}|" in rows
    assert "are whole" in portal.manage("verify_activity")


def test_the_trail_of_then_is_on_the_pages(michael: Callable[[str], str]) -> None:
    page = michael("/integrations/tokens/SU-100-000-001/activity/")
    for words in ("Key viewed", "Viewed once", "Token created", "127.0.0.1"):
        assert words in page


def test_old_names_are_compared_by_the_rule_of_today(portal: Upgraded) -> None:
    differing = portal.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from portal.text import fold; from tokens.models import Token\n"
        "print([t.pk for t in Token.objects.all() if (t.name_key, t.external_id_key) != "
        "(fold(t.name), fold(t.external_id))])",
    )
    # “Two  blanks” beside “Two blanks”: two live tokens cannot share a name, and neither is
    # renamed.
    assert differing.strip().splitlines()[-1] == "['SU-100-000-009']"


def test_the_list_keeps_the_columns_that_a_person_chose(michael: Callable[[str], str]) -> None:
    page = michael("/integrations/tokens/")
    assert "Agreements only" in page
    heads = " ".join(re.findall(r"<th\b.*?</th>", page, re.DOTALL))
    assert "Status" in heads
    assert "Created" not in heads


def test_a_session_from_before_the_upgrade_has_ended_or_goes_on_but_never_fails(
    portal: Upgraded,
) -> None:
    request = urllib.request.Request(
        f"{portal.url}/integrations/tokens/", headers={"Cookie": f"session={SESSION}"}
    )
    assert urllib.request.urlopen(request).status == 200


def test_passwords_that_were_stored_in_clear_are_wiped(portal: Upgraded) -> None:
    text = everything(portal.env["DATABASE_URL"])
    assert "Agreements only" in text
    for secret in ("new in clear 1", "mistyped", *SECRETS):
        assert secret not in text


def test_rings_of_another_portal_are_refused(portal: Upgraded) -> None:
    said = refused(
        portal.home, "manage.py", "serve", **{**portal.env, "TOKEN_PEPPERS": f"1:{'0' * 64}"}
    )
    assert re.search(
        r"TOKEN_PEPPERS no longer holds the secret it had under number 1: \d+ keys of this "
        r"database cannot be checked",
        said,
    )


def test_a_second_start_changes_nothing(portal: Upgraded) -> None:
    # Otherwise the running server might do it in the meantime.
    portal.manage("remind")
    before = everything(portal.env["DATABASE_URL"])
    portal.manage("migrate", "--no-input", "--verbosity", "0")
    assert everything(portal.env["DATABASE_URL"]) == before

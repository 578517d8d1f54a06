"""Logs contain no secret in any form, and each line names its request.

A wrong call of the logger never breaks a request.
"""

import json
import logging
import re
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from logging import LogRecord, StreamHandler
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Account
from portal.logs import MaskKeys, OnceEach
from tests.conftest import Call, Person
from tests.factories import TokenFactory, header
from tokens import keys
from tokens.keys import Key
from tokens.models import Token

ID, SECRET = "SU-160-984-311", "f45bee7e79b10ff6eff67902ccb4f3d46724ceb8"
FORMS = [
    f"ApiKey {ID}:{SECRET}",
    f"ApiKey {ID}:{SECRET.upper()}",
    f"apikey%20{ID}%3A{SECRET}",
    f"apikey%2520{ID}%253a{SECRET}",
    f'{{"id": "{ID}", "token": "{SECRET}"}}',
    f'{{"token": "{SECRET}"}}',
    f"{ID}\\u003a{SECRET}",
    f"Key(token_id='{ID}', secret='{SECRET}')",
    f"{ID}:{SECRET[:12]}",
    f"Key(token_id='{ID}', secret='{SECRET[:20]}')",
    str((ID, SECRET)),
    str(f"{ID}:{SECRET}".encode()),
    SECRET,
    f"SU%2D160%2D984%2D311%3A{SECRET[:12]}",
    json.dumps(json.dumps({"id": ID, "token": SECRET[:12]})),
    "".join(f"%{ord(each):02x}" for each in SECRET),
    "".join(f"%25{ord(each):02X}" for each in SECRET),
    f"Bearer {SECRET[:20]}",
    f"Basic {b64encode(f'x:{ID}:{SECRET}'.encode()).decode()}",
    f"postgres://portal:{SECRET[:20]}@127.0.0.1/portal",
    f"__Host-session={SECRET[:32]}; path=/",
    f"whsec_{b64encode(SECRET[:24].encode()).decode()}",
    "Basic U1UtMTYwLTk4NC0zMTE6ZjQ1YmVlN2U3OWIxMGZmNmVmZjY3OTAyY2NiNGYzZDQ2NzI0Y2ViOA==",
]
# Base64 of the secret, which depends on how many characters stand before it.
CODED = [b64encode(b"x" * n + SECRET[:14].encode()).decode()[4:-4] for n in range(3)]


def shown(record: logging.LogRecord) -> str:
    assert MaskKeys().filter(record)
    extra = "".join(
        str(value) for name, value in vars(record).items() if name not in {"exc_info", "broken"}
    )
    return logging.Formatter().format(record) + extra


def record(text: object, *args: object, **kwargs: Any) -> LogRecord:
    return logging.LogRecord(
        "x", logging.ERROR, "x.py", 7, text, args, kwargs.get("exc_info"), sinfo=kwargs.get("sinfo")
    )


def holds_secret(line: str) -> bool:
    plain = (line, unquote(line), unquote(unquote(line)))
    return any(SECRET[:12] in text.lower() for text in plain) or any(
        coded in line for coded in CODED
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_masked_in_every_form(form: str) -> None:
    assert holds_secret(form)
    assert not holds_secret(shown(record(f"Sent {form} today")))
    assert not holds_secret(shown(record("Sent %s today", form)))
    assert not holds_secret(shown(record("Sent %r today", {"header": [form]})))
    assert not holds_secret(shown(record("Sent", sinfo=f"Stack\n  {form}")))
    made = logging.getLogger("x").makeRecord(
        "x",
        logging.INFO,
        "x.py",
        1,
        "Sent",
        (),
        None,
        extra={"header": form, "body": [form.encode()]},
    )
    assert not holds_secret(shown(made))
    try:
        raise ValueError(form)
    except ValueError:
        assert not holds_secret(shown(record("Sent", exc_info=sys.exc_info())))


def test_a_link_that_opens_something_by_itself_is_masked() -> None:
    secret = secrets.token_urlsafe(32)
    for name, args in (
        ("accounts:invitation", (secret,)),
        ("accounts:join", (secret,)),
        ("accounts:password_reset_confirm", ("MQ", f"c9z1aq-{secret}")),
        ("tokens:feed", (keys.random_address(),)),
    ):
        path = reverse(name, args=args)
        line = shown(record("Method Not Allowed (%s): %s", "POST", path))
        assert args[-1][-12:] not in line
        assert path.split(args[-1])[0] in line


def test_a_text_from_outside_begins_no_line_of_its_own() -> None:
    line = record("The path was %s.", "/x\n2026-11-25 WARNING forged\r\x1b[31m\u2028end")
    MaskKeys().filter(line)
    assert line.msg == r"The path was /x\n2026-11-25 WARNING forged\r\x1b[31m\u2028end."


def test_a_key_in_parts_is_masked() -> None:
    assert not holds_secret(shown(record("%s:%s", ID, SECRET)))
    assert not holds_secret(shown(record("%s", Key(ID, SECRET))))
    assert SECRET not in f"{Key(ID, SECRET)} {Key(ID, SECRET)!r}"


def test_what_is_no_secret_stays() -> None:
    text = f"The token {ID} of PA-063-101, request 8f3a-02c9-7b1e, 20261125, deadbeef"
    assert shown(record(text)).startswith(text)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("%d", ("x",)),
        ("%s", ()),
        ("%s %s", ("one",)),
        ("no place", ("one",)),
        ("%s", (Broken(),)),
        ("%q", (1,)),
        ("100%", (1,)),
        (Broken(), ()),
        ("%(a)s", ({"b": 1},)),
    ],
)
def test_a_wrong_log_call_becomes_a_line_and_raises_nothing(
    text: str | Broken, args: tuple[Any, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("tests.wrong")
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(MaskKeys())
    log.addHandler(handler)
    try:
        log.error(text, *args)
        log.warning(text, *args, extra={"broken": Broken()})
    finally:
        log.removeHandler(handler)
    # "%s" without arguments is left as it is.
    assert (args == () and text == "%s") or "Faulty log call in" in capsys.readouterr().err


def test_wrong_exception_information_raises_nothing() -> None:
    assert "<" in shown(record("Sent", exc_info=(1, 2, 3)))


# --- Refused calls --------------------------------------------------------------------------------


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what is logged about calls."""
    caplog.set_level(logging.WARNING, "tokens.refusals")
    return lambda: [
        record.getMessage() for record in caplog.records if record.name == "tokens.refusals"
    ]


def test_a_refused_call_is_one_line_with_address_token_request_and_reason(
    client: Client, token: Token, lines: Callable[[], list[str]]
) -> None:
    key = f"ApiKey {token.pk}:{'0' * 40}"
    response = client.get(
        "/public/v1/agreements", headers={"authorization": key}, REMOTE_ADDR="198.51.100.7"
    )
    number = response["X-Request-ID"]
    assert lines() == [
        f"Refused call: address 198.51.100.7, token {token.pk}, request {number}, status 401: The "
        f"key looks mistyped or cut off."
    ]


@pytest.mark.parametrize(
    "sent", ["", "nonsense\nINFO root forged", "Basic QTpC", f"ApiKey {ID}:{SECRET[:39]}"]
)
def test_what_was_sent_instead_of_a_key_is_not_repeated(
    client: Client, db: None, lines: Callable[[], list[str]], sent: str
) -> None:
    client.get(
        "/public/v1/agreements",
        headers={"authorization": sent} if sent else {},
        REMOTE_ADDR="198.51.100.8",
    )
    (line,) = lines()
    assert "token -," in line
    assert not sent or sent not in line
    assert "\n" not in line


@pytest.mark.parametrize("case", ["disabled", "no grant", "in clear", "no key"])
def test_the_line_gives_the_reason_that_the_caller_is_told(
    call: Call, token: Token, lines: Callable[[], list[str]], settings: Settings, case: str
) -> None:
    if case == "disabled":
        token.disable(by=None)
    settings.HTTPS = case == "in clear"
    response = call(
        "agreements" if case != "no grant" else "contracts", token if case != "no key" else None
    )
    [line] = lines()
    assert line.endswith(f"status {response.status_code}: {response.json()['errors'][-1]}")
    # A key sent in clear is not read at all.
    named = token.pk if case in {"disabled", "no grant"} else "-"
    assert f", token {named}, " in line


def test_a_token_without_the_grant_is_named(
    call: Call, account: Account, lines: Callable[[], list[str]]
) -> None:
    token = TokenFactory(account=account, modules=("MD-9002",))
    call("agreements", token)
    (line,) = lines()
    assert f"token {token.pk}" in line
    assert "status 403" in line
    assert header(token).split(":")[1] not in line


def test_an_attack_writes_one_line_for_each_reason_and_address(
    client: Client, db: None, lines: Callable[[], list[str]]
) -> None:
    for number in range(60):
        client.get("/public/v1/agreements", REMOTE_ADDR=f"198.51.100.{number % 3}")
    assert len(lines()) == 3


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda client: client.get("/sign-in/", headers={"host": "evil.example"}), 400),
        (lambda client: client.get("/public/v1/agreements", headers={"host": "e:v"}), 400),
        (lambda client: client.post("/sign-in/", {"username": "a"}), 403),
    ],
    ids=["the host of a page", "the host of a call", "a form of another site"],
)
def test_requests_that_anybody_can_malform_do_not_fill_the_log(
    db: None, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Client], Any], status: int
) -> None:
    (console,) = [each for each in logging.getLogger().handlers if type(each) is StreamHandler]
    written = StringIO()
    monkeypatch.setattr(console, "stream", written)
    client = Client(enforce_csrf_checks=True)
    for _ in range(150):
        assert ask(client).status_code == status
    lines = re.findall(r" django\.security", written.getvalue())
    # Sixty a minute, and a minute may end during the test.
    assert 1 <= len(lines) <= 120


def test_lines_that_were_left_out_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("portal.logs.time.monotonic", lambda: now)
    limit = OnceEach(2)

    def let_through(key: str) -> tuple[bool | LogRecord, str]:
        made = record("line")
        made.key = key
        return limit.filter(made), made.getMessage()

    assert [let_through(key)[0] for key in "aabacdd"] == [
        True,
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    now = 60.0
    assert let_through("a") == (True, "line (4 lines like this were left out before.)")
    assert let_through("b") == (True, "line")


# --- Requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in/",
        "/nope",
        "/public/v1/accounts",
        "/public/nope",
        "/healthz",
        "/integrations/tokens/",
    ],
)
def test_every_answer_has_a_number_of_its_own(client: Client, db: None, path: str) -> None:
    numbers = {
        client.get(path, headers={"x-request-id": "mine-mine-mine"})["X-Request-ID"]
        for _ in range(3)
    }
    assert len(numbers) == 3
    assert all(re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}", number) for number in numbers)


def test_the_number_on_the_page_of_an_error_is_that_of_the_log(
    michael: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    michael.client.raise_request_exception = False
    monkeypatch.setattr("tokens.pages.lists.TokenFilter", None)
    response = michael.client.get("/integrations/tokens/")
    assert response.status_code == 500
    assert response["X-Request-ID"] in response.text
    assert any(response["X-Request-ID"] in each.getMessage() for each in caplog.records)

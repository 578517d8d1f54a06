"""A key appears in the two answers that may contain it and nowhere else."""

import json
from collections.abc import Iterator
from logging import LogRecord
from pathlib import Path

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client, RequestFactory

from accounts.models import User
from tests.conftest import Call, Person, Response, confirmed
from tests.factories import TokenFactory, header
from tokens.catalog import Module
from tokens.models import Token


def administrator() -> Client:
    staff = Client()
    staff.force_login(
        User.objects.create_superuser("admin@portal.example", name="Admin"),
        backend="accounts.backends.EmailBackend",
    )
    return staff


def calls(client: Client, key: str) -> Iterator[Response]:
    """Use the key as it should be used, and in ways in which it should not."""
    for path in ("agreements", "contracts", "accounts", "nope", "agreements/AGD-1"):
        yield client.get(f"/public/v1/{path}", headers={"authorization": key})
    yield client.get("/public/v1/agreements", headers={"authorization": key + "0"})
    yield client.post("/public/v1/agreements", headers={"authorization": key})
    yield client.generic("BREW", "/public/v1/agreements", headers={"authorization": key})
    yield client.get("/integrations/tokens/", headers={"authorization": key})


@pytest.fixture
def journey(
    michael: Person, caplog: pytest.LogCaptureFixture, client: Client
) -> tuple[str, list[Response], list[LogRecord]]:
    """Create a token in the wizard, view, use, edit, mistype and delete it.

    Returns the key and all answers except the two that may contain it.
    """
    caplog.set_level("DEBUG")
    answers = []

    def keep(response: Response) -> Response:
        answers.append(response)
        return response

    web = confirmed(michael.client)
    run = keep(web.post("/integrations/tokens/new/", {"name": "Journey"}))["Location"].removesuffix(
        "extension/"
    )
    keep(web.post(f"{run}extension/", {"extension": "EXT-000"}))
    keep(web.post(f"{run}permissions/", {"modules": ["MD-9001"]}, follow=True))
    token = Token.objects.get()
    key = header(token)
    here = f"/integrations/tokens/{token.pk}/"
    for page in ("detail", "summary"):
        assert key.split(":")[1] in web.post(f"{here}reveal/", {"page": page}).text
        assert key == web.post(f"{here}copy/", {"page": page}, headers={"hx-request": "true"}).text
    for path in ("", "permissions/", "summary/", "edit/", "delete/"):
        keep(web.get(here + path))
    keep(
        web.get(
            "/integrations/tokens/?columns=label,extension,external_id,modules,created,"
            "updated,last_used,expires,status"
        )
    )
    keep(web.get(f"/integrations/tokens/?q={token.pk}"))
    keep(web.get("/integrations/"))
    for answer in calls(client, key):
        keep(answer)
    keep(
        web.post(
            f"{here}edit/", {"name": "Journey 2", "modules": ["MD-9002"], "version": 1}, follow=True
        )
    )
    keep(web.post(f"{here}disable/", follow=True))
    staff = administrator()
    for page in ("tokens/token/", f"tokens/token/{token.pk}/change/", "activity/event/", ""):
        keep(staff.get(f"/admin/{page}"))
    return key, answers, list(caplog.records)


def test_the_key_is_in_no_other_answer(
    journey: tuple[str, list[Response], list[LogRecord]],
) -> None:
    key, answers, _ = journey
    secret = key.split(":")[1]
    assert len(answers) > 20
    for response in answers:
        assert response.status_code < 500
        assert secret not in response.text
        assert secret not in str(response.headers)
        assert secret not in str(response.cookies)
        for target, _status in getattr(response, "redirect_chain", ()):
            assert secret not in target


def test_the_key_is_in_no_log(journey: tuple[str, list[Response], list[LogRecord]]) -> None:
    from portal.logs import mask

    key, _, records = journey
    secret = key.split(":")[1]
    # The handler's filter masks records; none may depend on that.
    assert records
    assert not [record for record in records if secret in record.getMessage()]
    assert mask(f"Authorization: {key}").endswith(":••••")


def test_the_key_is_in_no_row_of_the_database(
    journey: tuple[str, list[Response], list[LogRecord]], tmp_path: Path
) -> None:
    key, _, _ = journey
    secret = key.split(":")[1]
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump), verbosity=0)
    assert secret not in dump.read_text()
    from accounts.models import Session

    assert Session.objects.exists()
    for session in Session.objects.all():
        assert secret not in json.dumps(session.get_decoded())
    assert secret not in serializers.serialize("json", Token.objects.all())


def test_a_key_in_a_message_or_a_traceback_is_masked_before_it_is_written() -> None:
    import logging

    from portal.logs import MaskKeys

    key = "ApiKey SU-160-984-311:f45bee7e79b10ff6eff67902ccb4f3d46724ceb8"
    try:
        raise ValueError(key)
    except ValueError:
        import sys

        record = logging.LogRecord(
            "x", logging.ERROR, "x.py", 1, "Header was %s", (key,), sys.exc_info()
        )
    assert MaskKeys().filter(record)
    line = logging.Formatter().format(record)
    assert "f45bee7e" not in line
    assert line.count("SU-160-984-311:••••") == 2


def test_an_error_report_hides_the_header(rf: RequestFactory) -> None:
    from django.views.debug import get_exception_reporter_filter

    request = rf.get(
        "/",
        headers={"authorization": "ApiKey SU-160-984-311:f45bee7e79b10ff6eff67902ccb4f3d46724ceb8"},
    )
    assert "f45bee7e" not in str(
        get_exception_reporter_filter(request).get_safe_request_meta(request)
    )


@pytest.mark.parametrize("name", ["name", "external_id", "description"])
def test_nobody_stores_a_key_in_the_texts_of_a_token(
    michael: Person, call: Call, token: Token, name: str
) -> None:
    """More people can read them than may have the key."""
    key = header(token)
    boss = TokenFactory(account=token.account, modules=(Module.INTEGRATIONS,))
    said = {"name": "Sync", name: f"See {key}"}
    for path in ("new/", f"{token.pk}/edit/"):
        response = michael.client.post(
            f"/integrations/tokens/{path}", {**said, "modules": "MD-9001", "version": 1}
        )
        assert "Remove the key from this text" in response.text
    response = call(
        f"auth/tokens/{token.pk}", boss, "put", data=said, content_type="application/json"
    )
    assert response.status_code == 400
    assert f"{name}: Remove the key from this text" in response.json()["errors"][0]
    with pytest.raises(ValidationError):
        TokenFactory(account=token.account, **{name: key})
    before = getattr(token, name)
    token.refresh_from_db()
    assert getattr(token, name) == before

"""Names and texts are normalized in one place, and invisible characters are always refused."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, User
from modules.models import Agreement
from portal.fields import Actor
from portal.text import fold, line, prose
from tests.conftest import Call, Person
from tests.factories import AgreementFactory, ContractFactory, CustomerFactory, TokenFactory
from tokens.catalog import Module
from tokens.models import Token, TokenDraft

# Renders as nothing.
EMPTY = [
    "\u200b",
    " \u200b ",
    "\u200d\u200d",
    "\u00ad",
    "\ufeff",
    "\u2060",
    "\u202e",
    "\u2066\u2069",
    "\ufe0f",
    "\U000e0100",
    "\U000e0041",
    "\u2800",
]
EMPTY += [
    "\u3164",
    "\u115f\u1160",
    "\uffa0",
    "\u034f",
    "\u180e",
    "\u0301",
    "\u00a0\u3000",
    "\x07",
    "\ue000",
    "\u2028",
]
# Hidden characters among visible ones.
HIDDEN = [
    "a\u200bb",
    "pay\u200droll",
    "so\u00adft",
    "abc\u202ed",
    "a\u2066b\u2069",
    "a\x07b",
    "a\x1bb",
    "a\x85b",
    "a\u2028b",
    "a\ue000b",
    "a\U0010ffffb",
]
HIDDEN += [
    "a\ufeffb",
    "E\ufe0fRP",
    "1\ufe0f",
    "a\U000e0041b",
    "a\u3164b",
    "a\u034fb",
    "\U0001f600\u200d",
    "x\u200c",
    "a\ufff9b",
    "a\u0378b",
    "a\u061cb",
]
# Visible texts with a character that would be hidden alone, and texts in every script.
VISIBLE = [
    "👩🏽‍🚀 crew",
    "❤️‍🔥",
    "👁️‍🗨️",
    "1️⃣ first",
    "ℹ️ Info",
    "🏳️‍⚧️",
    "🇪🇸",
    "🙂‍↔️",
    "می‌خواهم",
    "PDF‌ها",
    "क्‍ष",
    "র‍্য",
    "葛󠄀城",
    "‼️",
]
VISIBLE += [
    "Łódź",
    "שלום",
    "مرحبا",
    "தமிழ்",
    "ไทย",
    "株式会社",
    "“Ünïcode” – ﬁ",
    "½ €5 #1 *",
    "a\u0338",
]
NORMAL = [
    ("e\u0301", "é"),
    ("  a \u00a0\u2003 b\t\n", "a b"),
    ("A\u030angstro\u0308m", "Ångström"),
    ("a\u2800b", "a b"),
]


@pytest.mark.parametrize("text", EMPTY, ids=ascii)
def test_a_text_that_renders_as_nothing_is_empty(text: str) -> None:
    assert line(text) == prose(text) == ""


@pytest.mark.parametrize("text", HIDDEN, ids=ascii)
@pytest.mark.parametrize("rule", [line, prose])
def test_hidden_characters_are_refused_by_their_codes(
    rule: Callable[[str], str], text: str
) -> None:
    with pytest.raises(ValidationError, match=r"Remove the hidden characters: U\+[0-9A-F]{4}"):
        rule(text)


@pytest.mark.parametrize("text", VISIBLE)
def test_what_shows_is_taken(text: str) -> None:
    assert line(text) == prose(text) == text


@pytest.mark.parametrize(("typed", "kept"), NORMAL, ids=ascii)
def test_a_line_is_composed_and_its_blanks_folded(typed: str, kept: str) -> None:
    assert line(typed) == kept


def test_several_lines_keep_their_blanks_and_end_alike() -> None:
    assert prose("\r\n one  two \r three\tfour\n\n") == "one  two \n three\tfour"


@given(st.text(max_size=60))
def test_a_normalised_text_stays_as_it_is(text: str) -> None:
    try:
        kept = line(text), prose(text)
    except ValidationError:
        return
    assert (line(kept[0]), prose(kept[1])) == kept


@given(st.text(max_size=40))
def test_what_cannot_be_seen_makes_no_other_name(text: str) -> None:
    hidden = "".join(f"{letter}\u200d\ufe0f\u00ad" for letter in text)
    assert fold(hidden) == fold(text)


def test_a_long_text_of_joiners_is_checked_in_linear_time() -> None:
    """Looking back to the start from each joiner would take hours."""
    with pytest.raises(ValidationError):
        prose("a" + "\u0301\u200d" * 200_000)


# --- Ways in --------------------------------------------------------------------------------------


def by_wizard(michael: Person, name: str) -> str:
    response = michael.client.post("/integrations/tokens/new/", {"name": name})
    return TokenDraft.objects.get().name if response.status_code == 302 else response.text


def by_edit(michael: Person, name: str) -> str:
    token = TokenFactory(account=michael.account, name="Before", by=michael.user)
    page = f"/integrations/tokens/{token.pk}/edit/"
    response = michael.client.post(page, {"version": 1, "name": name, "modules": ["MD-9001"]})
    return Token.objects.get(pk=token.pk).name if response.status_code == 302 else response.text


def by_profile(michael: Person, name: str) -> str:
    response = michael.client.post("/account/", {"name": name, "time_zone": "UTC"})
    return (
        User.objects.get(pk=michael.user.pk).name if response.status_code == 302 else response.text
    )


def by_api(michael: Person, name: str) -> str:
    key = TokenFactory(account=michael.account, name="Maker", modules=(Module.ALL,))
    return posted(key, "auth/tokens", {"name": name, "extension": {"id": "EXT-000"}})


def by_customer_api(michael: Person, name: str) -> str:
    from tests.modules.test_writes import NEW

    key = TokenFactory(account=michael.account, name="Maker", modules=(Module.ALL,))
    return posted(key, "tier/accounts", {**NEW, "name": name})


def by_case_api(michael: Person, name: str) -> str:
    key = TokenFactory(account=michael.account, name="Maker", modules=(Module.ALL,))
    partner = ContractFactory(provider=michael.account).vendor
    body = {
        "subject": name,
        "description": "Why",
        "type": "technical",
        "receiver": {"account": {"id": partner.pk}},
    }
    response = posted(key, "helpdesk/cases", body, shown="subject")
    return response


def posted(key: Token, path: str, body: dict[str, Any], shown: str = "name") -> str:
    from tests.factories import header

    response = Client().post(
        f"/public/v1/{path}",
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": header(key)},
    )
    assert response.status_code in {201, 400}, response.text
    return (
        response.json()[shown]
        if response.status_code == 201
        else "\n".join(response.json()["errors"])
    )


def by_account_admin(michael: Person, name: str) -> str:
    inline = {f"memberships-{part}": 0 for part in ("TOTAL_FORMS", "INITIAL_FORMS")}
    return by_admin(
        "accounts/account",
        {"name": name, "side": "vendor", "is_active": "on", **inline},
        lambda: Account.objects.latest("created_at").name,
    )


def by_sample_admin(michael: Person, name: str) -> str:
    agreement = AgreementFactory(title="Before")
    page = f"modules/agreement/{agreement.pk}/change"
    data = {
        "id": agreement.pk,
        "type": "distribution",
        "title": name,
        "vendor": agreement.vendor.pk,
        "provider": agreement.provider.pk,
    }
    data |= {"owner": agreement.owner.pk, "version": 1, "active": "on"}
    data |= {
        f"{field}_{part}": value
        for field in ("created_at", "updated_at")
        for part, value in ((0, "2024-01-31"), (1, "10:20:30"))
    }
    return by_admin(page, data, lambda: Agreement.objects.get(pk=agreement.pk).title)


def by_admin(page: str, data: dict[str, Any], kept: Callable[[], str]) -> str:
    staff = Client()
    admin = User.objects.create_superuser("admin@portal.example", name="Admin")
    staff.force_login(admin, backend="accounts.backends.EmailBackend")
    session = staff.session
    import time

    session["confirmed_at"] = int(time.time())
    session.save()
    add = "" if page.endswith("change") else "add/"
    response = staff.post(f"/admin/{page}/{add}", data)
    return kept() if response.status_code == 302 else response.text


def by_command(michael: Person, name: str) -> str:
    try:
        call_command(
            "create_token", "--account", michael.account.pk, "--name", name, "--all-modules"
        )
    except CommandError as problem:
        return str(problem)
    return Token.objects.get().name


def by_issue(michael: Person, name: str) -> str:
    return by_orm(lambda: TokenFactory(account=michael.account, name=name).name)


def by_account_row(michael: Person, name: str) -> str:
    return by_orm(lambda: Account.objects.create(name=name, side="vendor").name)


def by_user_row(michael: Person, name: str) -> str:
    return by_orm(lambda: User.objects.create_user("new@company.example", name=name).name)


def by_customer_row(michael: Person, name: str) -> str:
    return by_orm(lambda: CustomerFactory(name=name).name)


def by_agreement_row(michael: Person, name: str) -> str:
    return by_orm(lambda: AgreementFactory(title=name).title)


def by_orm(make: Callable[[], str]) -> str:
    try:
        with transaction.atomic():
            return make()
    except ValidationError as problem:
        return " ".join(problem.messages)


WAYS = [
    by_wizard,
    by_edit,
    by_profile,
    by_api,
    by_customer_api,
    by_case_api,
    by_account_admin,
    by_sample_admin,
]
WAYS += [by_command, by_issue, by_account_row, by_user_row, by_customer_row, by_agreement_row]


@pytest.mark.parametrize("way", WAYS)
def test_a_name_is_normalised_however_it_comes_in(
    michael: Person, way: Callable[[Person, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert way(michael, " Cafe\u0301 \u00a0\u2003 del  Mar ") == "Café del Mar"


@pytest.mark.parametrize("way", WAYS)
def test_hidden_characters_are_refused_however_they_come_in(
    michael: Person, way: Callable[[Person, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Remove the hidden characters: U+202E." in way(michael, "gpj\u202eexe")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["\u200b", "\u2800\u00ad"], ids=ascii)
def test_a_name_that_renders_as_nothing_is_none_however_it_comes_in(
    michael: Person,
    way: Callable[[Person, str], str],
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = way(michael, name)
    assert any(
        words in said
        for words in ("Enter ", "cannot be blank", "is required", "1 to 128 characters")
    ), said


OF_TOKENS = {
    *(f"tokens.IPRule.{name}" for name in ("scope", "first", "last")),
    *(
        f"tokens.{model}.{name}"
        for model in ("KeyUse", "RefusedAddress")
        for name in ("address", "agent")
    ),
    "tokens.TokenKey.last_four",
    # An SVG that was sanitised.
    "tokens.OwnIcon.text",
}
# Texts of webhooks with validators of their own, and such as repeat what was checked.
OF_WEBHOOKS = {
    *(
        f"webhooks.{model}.{name}"
        for model in ("Webhook", "WebhookDraft")
        for name in ("external_url", "condition", "product_id", "product_name")
    ),
    *(
        f"webhooks.WebhookEvent.{name}"
        for name in ("action", "object_id", "object_status", "product_id")
    ),
    "webhooks.Webhook.created_email",
    "webhooks.Delivery.claimed_by",
    "webhooks.Delivery.object_id",
    "webhooks.WebhookSecret.last_four",
}


def test_every_text_of_a_model_of_ours_has_the_rule() -> None:
    from django.apps import apps
    from django.db.models import CharField, TextField

    from portal.fields import FoldedField, GuardedText, PublicIdField

    bare = {
        str(field)
        for app in ("portal", "accounts", "activity", "tokens", "webhooks", "modules")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.fields
        if type(field) in {CharField, TextField}
        or (
            isinstance(field, CharField | TextField)
            and not isinstance(field, GuardedText | FoldedField | PublicIdField)
        )
        if not field.choices and not field.primary_key
    }
    # These have rules of their own (addresses, a digest, a time zone from a list) or repeat a text
    # that was checked.
    actor = re.compile(
        r"(accounts|tokens|webhooks|modules)\.\w+\.(\w+_by|assigned_to|actor)_(id|name|account)"
    )
    repeated = {"accounts.Session.session_data", "accounts.QueuedMail.address"}
    repeated |= {
        "accounts.Invitation.digest",
        "accounts.SpareCode.digest",
        "accounts.Passkey.handle",
        "modules.Conversation.instance_id",
        "modules.Conversation.module",
    }
    as_they_were = ("activity.", "webhooks.Attempt.")
    repeated |= {text for text in bare if text.startswith(as_they_were) or actor.fullmatch(text)}
    assert bare - {
        "accounts.User.password",
        "accounts.User.email",
        "accounts.User.time_zone",
        "accounts.Invitation.email",
    } - repeated - OF_TOKENS - OF_WEBHOOKS == {
        "modules.Agreement.link",
        "modules.Customer.email",
        "modules.Environment.git_url",
        "modules.Service.website",
    }


# --- Rows of earlier versions ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\u200b", "a\u202eb", "x\x07", ""], ids=ascii)
def test_a_row_from_before_the_rule_is_shown_and_can_be_changed_otherwise(
    michael: Person, call: Call, name: str
) -> None:
    Token.objects.filter(pk=TokenFactory(account=michael.account, by=michael.user).pk).update(
        name=name, name_key=fold(name)
    )
    User.objects.filter(pk=michael.user.pk).update(name=name)
    Account.objects.filter(pk=michael.account.pk).update(name=name)
    token = Token.objects.get()
    key = TokenFactory(account=michael.account, name="Maker", modules=(Module.ALL,))
    page = f"/integrations/tokens/{token.pk}/"
    for address in (
        "/integrations/tokens/",
        page,
        f"{page}permissions/",
        f"{page}edit/",
        f"{page}delete/",
        "/account/",
        "/integrations/",
    ):
        assert michael.client.get(address).status_code == 200, address
    assert call(f"auth/tokens/{token.pk}", key).json()["id"] == token.pk
    body = json.dumps({"description": "New"})
    assert (
        call(
            f"auth/tokens/{token.pk}", key, method="put", data=body, content_type="application/json"
        ).status_code
        == 200
    )
    token.refresh_from_db()
    assert (token.name, token.description) == (name, "New")
    user = User.objects.get(pk=michael.user.pk)
    user.set_password("another password of the tests")
    user.save()


def test_names_that_differ_in_nothing_visible_are_one(account: Account) -> None:
    from tokens.models import NameTaken

    TokenFactory(account=account, name="ERP Sync")
    for name in ("erp  sync", "ERP\u00a0Sync", "ＥＲＰ Sync"):
        with pytest.raises(NameTaken), transaction.atomic():
            TokenFactory(account=account, name=name)


def test_a_name_that_runs_from_right_to_left_does_not_turn_the_sentence_round_it(
    michael: Person,
) -> None:
    token = TokenFactory(account=michael.account, name="שלום!")
    response = michael.client.post(f"/integrations/tokens/{token.pk}/disable/", follow=True)
    assert "\u2068שלום!\u2069 is disabled." in response.text
    assert Actor(token.pk, token.name).label == f"\u2068שלום!\u2069 ({token.pk})"

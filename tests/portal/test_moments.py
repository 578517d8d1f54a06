"""Moments from 1970 to 2099 are accepted, and days are whole in every zone.

Every page survives any moment that is stored.
"""

import json
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, User
from activity.models import Event
from modules.models import Agreement
from portal import html, moments, text
from tests.activity.conftest import intruder
from tests.conftest import Call, Person, confirmed
from tests.factories import AgreementFactory, TokenFactory, header
from tokens.catalog import Module
from tokens.models import Grant, Token, TokenDraft, TokenUsage

LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
EXTREMES = [
    FIRST,
    datetime(1, 1, 1, 12, tzinfo=UTC),
    datetime(999, 6, 1, tzinfo=UTC),
    datetime(2100, 1, 1, tzinfo=UTC),
    LAST,
]
ZONES = ["UTC", "Europe/Madrid", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"]
OUTSIDE = [
    "9999-12-31T23:59:59+00:00",
    "2100-01-01T00:00:00Z",
    "2099-12-31T23:59:59-00:01",
    "1969-12-31T23:59:59Z",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
]


@pytest.fixture
def chief(db: None) -> User:
    return User.objects.create_superuser("admin@portal.example", name="Admin")


@pytest.fixture
def staff(chief: User) -> Client:
    client = Client()
    client.force_login(chief, backend="accounts.backends.EmailBackend")
    return confirmed(client)


# --- Ways in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", OUTSIDE)
def test_the_api_takes_moments_of_1970_to_2099_only(
    call: Call, account: Account, moment: str
) -> None:
    maker = TokenFactory(account=account, modules=(Module.ALL,))
    body = json.dumps({"name": "Far", "extension": {"id": "EXT-000"}, "expiration_date": moment})
    response = call("auth/tokens", maker, method="post", data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["errors"] == ["expiration_date: Must be in the years 1970 to 2099."]
    assert not Token.objects.filter(name="Far").exists()


def test_the_api_takes_the_last_moment_of_2099(call: Call, account: Account) -> None:
    maker = TokenFactory(account=account, modules=(Module.ALL,))
    body = json.dumps(
        {"name": "Far", "extension": {"id": "EXT-000"}, "expiration_date": "2099-12-31T23:59:59Z"}
    )
    assert (
        call(
            "auth/tokens", maker, method="post", data=body, content_type="application/json"
        ).status_code
        == 201
    )


@pytest.mark.parametrize("zone", ZONES)
def test_the_form_takes_every_day_that_its_picker_offers_and_no_other(
    michael: Person, zone: str
) -> None:
    User.objects.filter(pk=michael.user.pk).update(time_zone=zone)
    widget = michael.client.get(NEW).context["form"].fields["expires_on"].widget.attrs
    first, last = date.fromisoformat(widget["min"]), date.fromisoformat(widget["max"])
    with timezone.override(zone):
        assert (first, last) == (timezone.localdate() + timedelta(days=1), date(2099, 12, 31))
    for day, status in (
        (first, 302),
        (last, 302),
        (first - timedelta(days=1), 200),
        (last + timedelta(days=1), 200),
    ):
        assert (
            michael.client.post(NEW, {"name": f"Until {day}", "expires_on": day}).status_code
            == status
        ), day
    for draft in TokenDraft.objects.all():
        moments.check(draft.expires_at)
        assert moments.local(draft.expires_at, moments.zone(zone)).date() in {first, last}


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
def test_the_admin_takes_moments_of_1970_to_2099_only(staff: Client, field: str) -> None:
    agreement = AgreementFactory()
    page = f"/admin/modules/agreement/{agreement.pk}/change/"
    form = staff.get(page).context["adminform"].form
    data = {
        name: form[name].value() for name in form.fields if form[name].value() not in (None, False)
    }
    for name in ("created_at", "updated_at"):
        data |= {f"{name}_0": "2024-01-31", f"{name}_1": "10:20:30"}
    assert staff.post(page, data | {f"{field}_0": "9999-12-31"}).status_code == 200
    assert "1970 to 2099" in staff.post(page, data | {f"{field}_0": "9999-12-31"}).text
    assert staff.post(page, data).status_code == 302


@pytest.mark.parametrize(
    "moment",
    [FIRST, LAST, datetime(2100, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)],
)
def test_the_shell_takes_moments_of_1970_to_2099_only(account: Account, moment: datetime) -> None:
    account.created_at = moment
    for save in (
        lambda: TokenFactory(account=account, expires_at=moment),
        lambda: Account.objects.create(name="New", side="vendor", created_at=moment),
        lambda: Account.objects.bulk_create(
            [Account(name="New", side="vendor", created_at=moment)]
        ),
        lambda: AgreementFactory(created_at=moment),
        account.save,
    ):
        with pytest.raises(ValidationError, match="1970 to 2099"), transaction.atomic():
            save()


def test_every_moment_that_a_model_of_ours_keeps_has_the_rule() -> None:
    from django.apps import apps
    from django.db.models import DateTimeField

    from portal.fields import MomentField

    ours = [
        apps.get_app_config(label)
        for label in ("portal", "accounts", "activity", "tokens", "modules")
    ]
    fields = [
        field
        for app in ours
        for model in app.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, DateTimeField)
    ]
    # Nobody types into these.
    bare = {str(field) for field in fields if not isinstance(field, MomentField)} - {
        "accounts.User.last_login",
        "accounts.Session.expire_date",
        "accounts.Counter.until",
    }
    assert len(fields) > 30
    assert bare == set()


# --- Pages ----------------------------------------------------------------------------------------


@pytest.fixture
def extreme(michael: Person, account: Account) -> Callable[[datetime], Token]:
    """Make a token with every moment set to the given one."""

    def make(moment: datetime) -> Token:
        token = TokenFactory(
            account=account, name=f"Of {moment:%d %H}", by=michael.user, modules=(Module.ALL,)
        )
        Token.objects.filter(pk=token.pk).update(
            expires_at=moment, created_at=moment, updated_at=moment, status_changed_at=moment
        )
        TokenUsage.objects.filter(pk=token.pk).update(last_used_at=moment)
        Grant.objects.filter(token=token).update(granted_at=moment)
        with intruder():
            Event.objects.filter(subject_id=token.pk).update(at=moment)
        return token

    return make


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", EXTREMES, ids=str)
def test_every_page_survives_any_stored_moment_in_any_zone(
    michael: Person, extreme: Callable[[datetime], Token], zone: str, moment: datetime
) -> None:
    User.objects.filter(pk=michael.user.pk).update(
        time_zone=zone, created_at=moment, last_login=moment
    )
    token = extreme(moment)
    page = f"{LIST}{token.pk}/"
    columns = "columns=label,created,updated,last_used,expires,status,modules"
    days = [
        f"{LIST}?created_from={day}&created_to={day}"
        for day in ("0001-01-01", "1969-12-31", "2100-01-01", "9999-12-31")
    ]
    used = [f"{LIST}?last_used={value}" for value in ("day", "week", "month", "idle", "never")]
    for address in (
        "/integrations/activity/",
        f"{LIST}?status=any&{columns}&sort=-expires",
        *days,
        *used,
        page,
        f"{page}permissions/",
        f"{page}activity/",
        f"{page}edit/",
        f"{page}delete/",
        f"{page}key/new/",
    ):
        assert michael.client.get(address).status_code == 200, address
    assert michael.client.get(f"{page}summary/").status_code in {200, 302}
    draft = TokenDraft.objects.create(owner=michael.user, account=michael.account, name="Draft")
    TokenDraft.objects.filter(pk=draft.pk).update(expires_at=moment, created_at=moment)
    assert michael.client.get(f"{NEW}{draft.pk}/general/").status_code == 200
    typed = michael.client.get(f"{page}edit/").context["general_form"]
    data = {
        "version": token.version,
        "name": "Renamed",
        "expires_on": typed.initial["expires_on"].isoformat(),
        "modules": ["MD-0000"],
    }
    assert michael.client.post(f"{page}edit/", data).status_code == 302
    assert Token.objects.get(pk=token.pk).expires_at == moment


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", EXTREMES, ids=str)
def test_the_admin_survives_any_stored_moment_in_any_zone(
    staff: Client, chief: User, extreme: Callable[[datetime], Token], zone: str, moment: datetime
) -> None:
    User.objects.filter(pk=chief.pk).update(time_zone=zone)
    token = extreme(moment)
    agreement = AgreementFactory()
    Agreement.objects.update(created_at=moment, updated_at=moment)
    User.objects.exclude(pk=chief.pk).update(created_at=moment, last_login=moment)
    Account.objects.update(created_at=moment)
    assert token.created_by
    for address in (
        "tokens/token/",
        f"tokens/token/{token.pk}/change/",
        "activity/event/",
        "modules/agreement/",
        f"modules/agreement/{agreement.pk}/change/",
        "accounts/user/",
        f"accounts/user/{token.created_by.id}/change/",
        "accounts/account/",
        f"accounts/account/{token.account.pk}/change/",
    ):
        assert staff.get(f"/admin/{address}").status_code == 200, address


@pytest.mark.parametrize("moment", EXTREMES, ids=str)
def test_the_api_survives_any_stored_moment(
    call: Call, extreme: Callable[[datetime], Token], account: Account, moment: datetime
) -> None:
    token, caller = extreme(moment), TokenFactory(account=account, modules=(Module.ALL,))
    for path in (
        "auth/tokens",
        f"auth/tokens/{token.pk}",
        f"auth/tokens/{token.pk}/permissions",
        "auth/tokens?gt(events.created.at,2024-01-01)",
    ):
        assert call(path, caller).status_code == 200, path
    assert call("agreements", token).status_code == (200 if moment > timezone.now() else 401)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("moment", EXTREMES, ids=str)
def test_words_survive_any_moment_in_any_zone(zone: str, moment: datetime) -> None:
    with timezone.override(zoneinfo.ZoneInfo(zone)):
        for words in (text.day_and_time, text.day, text.ago):
            assert words(moment)
        assert f"{moment.year:04}" in html.time_element(moment, "x")


# --- Moments in the future ------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=400)])
def test_a_use_noted_ahead_of_the_clock_is_noted_anew_by_the_next_call(
    call: Call, token: Token, ahead: timedelta
) -> None:
    TokenUsage.objects.update(last_used_at=timezone.now() + ahead)
    assert call("agreements", token).status_code == 200
    assert (
        timezone.now() - timedelta(seconds=10)
        < TokenUsage.objects.get(token=token).last_used_at
        <= timezone.now()
    )


def test_a_use_ahead_of_the_clock_is_no_recent_one(michael: Person, token: Token) -> None:
    TokenUsage.objects.update(last_used_at=timezone.now() + timedelta(days=3))
    assert "Just now" not in michael.client.get(LIST).text
    for value, found in (
        ("day", False),
        ("week", False),
        ("month", False),
        ("idle", True),
        ("never", False),
    ):
        assert (token.name in michael.client.get(f"{LIST}?last_used={value}").text) is found, value
    assert "The token is in use" not in michael.client.get(f"{LIST}{token.pk}/delete/").text


def test_a_letter_sent_ahead_of_the_clock_holds_no_other_up(michael: Person) -> None:
    michael.user.reset_sent_at = timezone.now() + timedelta(days=9)
    michael.user.save(update_fields=["reset_sent_at"])
    assert michael.user.may_be_sent_a_reset()
    assert not michael.user.may_be_sent_a_reset()


def test_a_draft_made_ahead_of_the_clock_is_forgotten_too(michael: Person) -> None:
    ahead = TokenDraft.objects.create(
        owner=michael.user,
        account=michael.account,
        name="Old",
        created_at=timezone.now() + timedelta(days=9),
    )
    TokenDraft.forget_old(michael.user)
    assert not TokenDraft.objects.filter(pk=ahead.pk).exists()


@pytest.mark.parametrize("name", ["seen_at", "signed_in_at", "confirmed_at"])
def test_a_session_s_moment_ahead_of_the_clock_opens_nothing(
    michael: Person, token: Token, settings: Settings, name: str
) -> None:
    import time

    settings.SESSION_HOURS = 12
    session = michael.client.session
    session[name] = int(time.time()) + 24 * 3600
    session.save()
    assert michael.client.get(LIST).status_code == 200
    after = michael.client.session
    if name == "confirmed_at":
        assert (
            header(token).split(":")[1] not in michael.client.post(f"{LIST}{token.pk}/reveal/").text
        )
    else:
        assert after[name] <= time.time()


# --- Drafts ---------------------------------------------------------------------------------------


@pytest.fixture
def draft(michael: Person) -> TokenDraft:
    return TokenDraft.objects.create(
        owner=michael.user,
        account=michael.account,
        name="Nightly",
        extension_id="EXT-000",
        modules=["MD-9001"],
        expires_at=timezone.now() + timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expired already"),
        ({"expires_at": LAST}, "1970 to 2099"),
        ({"name": ""}, "blank"),
        ({"name": "\u200b"}, "blank"),
        ({"name": "a\u202eb"}, "hidden characters"),
        ({"extension": None}, "Choose an extension"),
        ({"modules": ["MD-0666"]}, "at least one module"),
        ({"modules": []}, "at least one module"),
        ({"modules": 7}, "at least one module"),
    ],
)
def test_a_draft_that_is_no_longer_valid_makes_no_token(
    draft: TokenDraft, stored: dict[str, Any], words: str
) -> None:
    TokenDraft.objects.filter(pk=draft.pk).update(**stored)
    with pytest.raises(ValidationError, match=words):
        TokenDraft.objects.get(pk=draft.pk).finish()
    assert not Token.objects.exists()


def test_a_draft_whose_expiration_passed_leads_back_to_the_day_and_says_so(
    michael: Person, draft: TokenDraft
) -> None:
    TokenDraft.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    session = michael.client.session
    session["confirmed_at"] = int(timezone.now().timestamp())
    session.save()
    response = michael.client.post(
        f"{NEW}{draft.pk}/permissions/", {"modules": ["MD-9001"]}, follow=True
    )
    assert response.redirect_chain[-1][0] == f"{NEW}{draft.pk}/general/"
    assert "The token would have expired already" in response.text
    assert not Token.objects.exists()


def test_a_draft_that_made_its_token_gives_it_whatever_passed_since(draft: TokenDraft) -> None:
    made = draft.finish()
    draft.expires_at = timezone.now() - timedelta(days=1)
    assert draft.finish() == made

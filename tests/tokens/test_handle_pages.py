"""What people see of a token that has a handle: the handle with its address, and never the key."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from activity.actions import Action
from tests.conftest import Call, Person, stale
from tests.factories import PASSWORD, ZAPIER, TokenFactory, handle_of
from tokens import handles
from tokens.models import Extension, Policy, Token, TokenKey
from tokens.standing import Standing

LIST = "/integrations/tokens/"
NEW = f"{LIST}new/"
HOST = "http://testserver/public/v1"
SUFFIX = f'<span class="key-suffix">@{HOST}'


def page_of(token: Token) -> str:
    return f"{LIST}{token.pk}/"


def create(client: Client, **general: str) -> Token:
    run = client.post(NEW, {"name": "Orders", "expires": "never", **general})["Location"]
    run = run.removesuffix("extension/")
    client.post(f"{run}extension/", {"extension": ZAPIER})
    client.post(f"{run}permissions/", {})
    return Token.objects.get(name="Orders")


def secret_of(token: Token) -> str:
    stored = TokenKey.objects.get(token=token, retires_at=None)
    key = stored.key_of(stored.open())
    assert key
    return key.secret


def test_the_wizard_makes_a_handle_and_summary_shows_it(michael: Person, maker: Account) -> None:
    token = create(michael.client)
    handle = handle_of(token)
    page = michael.client.get(f"{page_of(token)}summary/").text
    assert handle not in page
    assert f"{handle[-4:]}</span>{SUFFIX}" in page
    assert "ApiKey" not in page
    assert "First call" not in page
    assert "Its maker, Bayside Cloud, exchanges it for the key" in page
    shown = michael.client.post(f"{page_of(token)}reveal/", {"page": "summary"})
    assert f"{handle}</span>{SUFFIX}" in shown.text
    assert "no-store" in shown["Cache-Control"]


def test_a_handle_that_is_shown_once_is_on_summary_and_never_again(
    michael: Person, account: Account, maker: Account
) -> None:
    Policy.objects.create(account=account, show_once=True)
    run = michael.client.post(NEW, {"name": "Orders", "expires": "never"})["Location"]
    run = run.removesuffix("extension/")
    michael.client.post(f"{run}extension/", {"extension": ZAPIER})
    response = michael.client.post(f"{run}permissions/", {})
    handle, _at, address = response.context["field"].key.partition("@")
    assert (len(handle), address) == (40, HOST)
    assert "The handle is shown only this once." in response.text
    token = Token.objects.get()
    assert handle not in michael.client.get(page_of(token)).text
    for verb in ("reveal", "copy"):
        assert handle not in michael.client.post(f"{page_of(token)}{verb}/", follow=True).text


def test_view_and_copy_hand_out_the_handle_with_its_address_and_are_recorded(
    michael: Person, zap: Token
) -> None:
    handle = handle_of(zap)
    shown = michael.client.post(f"{page_of(zap)}reveal/")
    assert f"{handle}</span>{SUFFIX}" in shown.text
    assert secret_of(zap) not in shown.text
    copied = michael.client.post(f"{page_of(zap)}copy/", headers={"HX-Request": "true"})
    assert copied.text == f"{handle}@{HOST}"
    assert [event.action for event in zap.events[:2]] == [Action.KEY_COPIED, Action.KEY_VIEWED]
    seen = michael.client.get(f"{page_of(zap)}activity/").text
    assert "Who Has Seen This Handle" in seen
    assert "Viewed once" in seen


def test_no_page_shows_the_key_behind_a_handle(michael: Person, zap: Token) -> None:
    secret = secret_of(zap)
    for path in ("", "permissions/", "activity/", "edit/", "key/new/"):
        assert secret not in michael.client.get(page_of(zap) + path).text
    assert secret not in michael.client.get(LIST).text


def test_general_offers_no_token_whose_key_is_behind_a_handle(
    michael: Person, token: Token, zap: Token
) -> None:
    def offered() -> set[Token]:
        return {*michael.client.get("/integrations/").context["offered"]}

    assert offered() == {token}
    Extension.objects.filter(pk=ZAPIER).update(uses_handle=False)
    zap.renew(by=None, until=timezone.now() + timedelta(days=1))
    assert offered() == {token, zap}


def test_the_password_is_asked_for_before(michael: Person, zap: Token) -> None:
    client = stale(michael.client)
    handle = handle_of(zap)
    for verb, word in (("reveal", "View Handle"), ("copy", "View Handle")):
        page = client.post(f"{page_of(zap)}{verb}/").text
        assert "To view the handle of" in page
        assert word in page
        assert handle not in page
    answer = client.post(f"{page_of(zap)}key/new/", {"what": "rotate", "version": 1})
    assert answer.status_code == 200
    assert handle_of(zap) == handle
    assert zap.events.count() == 1
    given = client.post(f"{page_of(zap)}reveal/", {"sudo_password": PASSWORD})
    assert handle in given.text


def test_members_and_strangers_see_no_handle(adrian: Person, stranger: Person, zap: Token) -> None:
    handle = handle_of(zap)
    page = adrian.client.get(page_of(zap)).text
    assert "Only administrators of the account can view the handle." in page
    for verb in ("reveal", "copy", "key/new"):
        assert adrian.client.post(f"{page_of(zap)}{verb}/").status_code == 403
        assert stranger.client.post(f"{page_of(zap)}{verb}/").status_code == 404
    assert handle not in page


def test_a_new_handle_is_made_and_shown(michael: Person, zap: Token, call: Call) -> None:
    old = handle_of(zap)
    page = michael.client.get(f"{page_of(zap)}key/new/").text
    assert "Make a New Handle" in page
    assert "The present handle stops at once" in page
    made = michael.client.post(f"{page_of(zap)}key/new/", {"what": "rotate", "version": 1})
    new = handle_of(zap)
    assert new != old
    assert f"{new}</span>{SUFFIX}" in made.text


def test_while_the_old_key_lives_on_its_handle_is_told_as_replaced(
    michael: Person, zap: Token
) -> None:
    old = handle_of(zap)
    zap.renew(by=michael.user, until=timezone.now() + timedelta(days=2))
    page = michael.client.get(page_of(zap)).text
    assert "New handle" in page
    assert "It was replaced, so nobody can exchange it." in page
    shown = michael.client.post(f"{page_of(zap)}reveal/", {"version": 1}, follow=True).text
    assert old not in shown


def test_the_page_lists_the_exchanges(
    michael: Person, zap: Token, maker: Account, stranger: Person
) -> None:
    assert "Nobody has exchanged the handle yet." in michael.client.get(page_of(zap)).text
    partner = TokenFactory(account=maker, name="Of the maker")
    other = TokenFactory(account=stranger.account, name="Of another")
    handles.exchange(handle_of(zap), by=partner)
    with pytest.raises(handles.NotExchanged):
        handles.exchange(handle_of(zap), by=other)
    page = michael.client.get(page_of(zap)).text
    assert "By Bayside Cloud." in page
    assert "Refused: Front Street Inc asked." in page
    for name in ("Of the maker", "Of another"):
        assert name not in page + michael.client.get(f"{page_of(zap)}activity/").text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Paste the handle in"),
        ({"status": "draft"}, "no longer in the catalog"),
        ({"owner": None}, "has no account in this portal"),
    ],
)
def test_what_is_said_of_the_handle_is_what_the_exchange_does(
    zap: Token, maker: Account, change: dict[str, str], said: str
) -> None:
    Extension.objects.filter(pk=ZAPIER).update(**change)
    partner = TokenFactory(account=maker, name="Partner")
    standing = Standing(Token.objects.with_standing().get(pk=zap.pk), may_manage=True)
    assert said in standing.exchange
    assert not standing.offers_first_call
    try:
        handles.exchange(handle_of(zap), by=partner)
    except handles.NotExchanged:
        assert standing.why_not_exchanged
    else:
        assert not standing.why_not_exchanged


def test_a_disabled_token_says_that_its_handle_is_not_exchanged(
    michael: Person, zap: Token
) -> None:
    zap.disable(by=michael.user)
    page = michael.client.get(page_of(zap)).text
    assert "The handle cannot be exchanged for the key now." in page
    assert f"The token {zap.pk} is disabled." in page


def test_the_page_of_the_extension_tells_to_paste_the_handle(
    michael: Person, maker: Account
) -> None:
    page = michael.client.get(f"/integrations/extensions/{ZAPIER}/").text
    assert "Copy the handle" in page
    assert "Copy the key" not in page


def test_the_admin_wants_a_maker_for_handles(staff: Client, account: Account) -> None:
    address = f"/admin/tokens/extension/{ZAPIER}/change/"
    row = Extension.objects.get(pk=ZAPIER)
    data = {
        "name": row.name,
        "label": row.label,
        "description": row.description,
        "subtitle": row.subtitle,
        "status": row.status,
        "icon": row.icon,
        "side": row.side,
        "fixed_modules": [module.value for module in row.fixed_modules or ()],
        "uses_handle": "on",
        "versions-TOTAL_FORMS": 0,
        "versions-INITIAL_FORMS": 0,
    }
    assert "Choose who made it" in staff.post(address, data).text
    assert not Extension.objects.get(pk=ZAPIER).uses_handle
    assert staff.post(address, {**data, "owner": account.pk}).status_code == 302
    assert Extension.objects.get(pk=ZAPIER).uses_handle

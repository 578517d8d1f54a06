"""Extensions in the admin: the preview, and what other fixed modules do to tokens."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from activity.models import Event
from extensions import effects
from tests.conftest import Call, Person
from tests.factories import ZAPIER, TokenFactory, deleted
from tokens.catalog import Module
from tokens.models import Extension, Token

CHANGE = f"/admin/tokens/extension/{ZAPIER}/change/"
NOW = [Module.CUSTOMERS, Module.HELPDESK, Module.SUBSCRIPTIONS]
OTHER = [Module.HELPDESK, Module.USAGE]


def form(modules: list[Module], **more: Any) -> dict[str, Any]:
    return {
        "name": "zapier",
        "label": "Zapier",
        "description": "Zapier Integration",
        "subtitle": "Automate workflows.",
        "status": "published",
        "icon": "bolt",
        "side": "any",
        "fixed_modules": [module.value for module in modules],
        "versions-TOTAL_FORMS": "0",
        "versions-INITIAL_FORMS": "0",
        **more,
    }


@pytest.fixture
def tokens(account: Account, stranger: Person) -> list[Token]:
    return [
        TokenFactory(account=owner, extension_id=ZAPIER, modules=NOW)
        for owner in (account, account, stranger.account)
    ]


def test_other_modules_are_not_saved_before_it_is_said_what_they_do(
    staff: Client, tokens: list[Token]
) -> None:
    answer = staff.post(CHANGE, form(OTHER))
    assert answer.status_code == 200
    for said in (
        "3 tokens would gain Usage.",
        "3 tokens would lose Customers and Subscriptions.",
        "Choose what happens to them, and save again.",
    ):
        assert said in answer.text
    assert Extension.objects.get(pk=ZAPIER).fixed_modules == NOW
    assert tokens[0].grants == {*NOW}


def test_tokens_that_keep_their_modules_are_left_alone(
    staff: Client, tokens: list[Token], call: Call
) -> None:
    assert staff.post(CHANGE, form(OTHER, tokens="keep")).status_code == 302
    assert Extension.objects.get(pk=ZAPIER).fixed_modules == OTHER
    assert [Token.objects.get(pk=token.pk).grants for token in tokens] == [{*NOW}] * 3
    assert call("tier/accounts", tokens[0]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_tokens_that_get_the_modules_have_them_at_the_next_call(
    staff: Client, tokens: list[Token], call: Call
) -> None:
    gone = deleted(TokenFactory(account=tokens[0].account, extension_id=ZAPIER, modules=NOW))
    page = staff.post(CHANGE, form(OTHER, tokens="change"), follow=True)
    assert "3 tokens were changed." in page.text
    assert [Token.objects.get(pk=token.pk).grants for token in tokens] == [{*OTHER}] * 3
    assert Token.objects.get(pk=gone.pk).grants == {*NOW}
    assert call("tier/accounts", tokens[0]).status_code == 403
    assert call("usage/files", tokens[0]).status_code == 200
    entry = Event.objects.filter(account=tokens[2].account_id, action="tokens.changed").get()
    assert (entry.actor_name, entry.changes["modules"]) == (
        "Admin",
        [["Customers", "Helpdesk", "Subscriptions"], ["Helpdesk", "Usage"]],
    )
    # Somebody who edits the token at the same time is warned.
    assert Token.objects.get(pk=tokens[0].pk).version == tokens[0].version + 1


@pytest.mark.parametrize("modules", [NOW, []], ids=["the same", "asks from now on"])
def test_nothing_is_asked_where_no_token_would_change(
    staff: Client, tokens: list[Token], modules: list[Module]
) -> None:
    assert staff.post(CHANGE, form(modules)).status_code == 302
    assert tokens[0].grants == {*NOW}


def test_nothing_is_asked_without_tokens(staff: Client) -> None:
    assert staff.post(CHANGE, form(OTHER)).status_code == 302


def test_a_token_with_all_would_lose_all(staff: Client, account: Account) -> None:
    TokenFactory(account=account, extension_id=ZAPIER, modules=(Module.ALL,))
    text = staff.post(CHANGE, form(OTHER)).text
    assert "1 token would lose All." in text
    assert "would gain" not in text


def test_the_preview_shows_what_was_typed_and_saves_nothing(staff: Client) -> None:
    typed = {"label": "Zapper", "subtitle": "A <b>new</b> line", "overview": "**Bold** <script>x"}
    for page in (CHANGE, "/admin/tokens/extension/add/"):
        answer = staff.post(page, form(NOW, **typed, name="zapper", _preview="1"))
        assert answer.status_code == 200
        for part in ("Nothing is saved yet.", "<strong>Zapper</strong>", "<strong>Bold</strong>"):
            assert part in answer.text
        for part in ("<b>new</b>", "<script>x", "error below", "errornote", "errorlist"):
            assert part not in answer.text
    assert not Extension.objects.filter(label="Zapper").exists()
    assert Extension.objects.count() == 4


def test_the_preview_names_mistakes_beside_itself(staff: Client) -> None:
    answer = staff.post(CHANGE, form(NOW, label="", _preview="1"))
    assert "Nothing is saved yet." in answer.text
    assert "Please correct the error below." in answer.text
    assert answer.text.count('class="errorlist"') == 1
    # A name that is taken, and a version without a date.
    name = form(NOW, name="custom", _preview="1") | {
        "versions-TOTAL_FORMS": "1",
        "versions-0-number": "2.0",
    }
    assert "Please correct the errors below." in staff.post(CHANGE, name).text


def test_the_form_opens_with_the_preview_of_what_is_saved(staff: Client) -> None:
    assert "Zapier starts a workflow when" in staff.get(CHANGE).text
    assert staff.get("/admin/tokens/extension/add/").status_code == 200
    assert staff.get("/admin/tokens/extensionversion/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_a_process_left_half_done_is_finished_by_another(
    staff: Client, tokens: list[Token], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Token] = []
    follow = Token.follow

    def killed(token: Token, *args: Any, **kwargs: Any) -> bool:
        if done:
            raise SystemExit
        done.append(token)
        return follow(token, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Token, "follow", killed)
        with pytest.raises(SystemExit):
            staff.post(CHANGE, form(OTHER, tokens="change"))
    grants = [Token.objects.get(pk=token.pk).grants for token in tokens]
    assert sorted(grants, key=len) == [{*OTHER}, {*NOW}, {*NOW}]
    assert effects.finish() == 2
    assert [Token.objects.get(pk=token.pk).grants for token in tokens] == [{*OTHER}] * 3
    # In the name of the person who decided it, and only once.
    entries = Event.objects.filter(action="tokens.changed")
    assert [entry.actor_name for entry in entries] == ["Admin"] * 3
    assert Extension.objects.get(pk=ZAPIER).followed_by is None
    assert effects.finish() == 0


@pytest.mark.django_db(transaction=True)
def test_a_token_that_was_widened_later_is_not_changed_again(
    staff: Client, tokens: list[Token]
) -> None:
    staff.post(CHANGE, form(OTHER, tokens="change"))
    assert staff.post(CHANGE, form(NOW, tokens="keep")).status_code == 302
    assert effects.finish() == 0
    assert Token.objects.get(pk=tokens[0].pk).grants == {*OTHER}

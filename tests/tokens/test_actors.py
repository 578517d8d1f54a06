"""Actors of tokens: people and other tokens are stored, shown and linked alike."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from activity.actions import Action
from activity.models import Chain
from portal.fields import Actor
from tests.conftest import Person, just_made
from tests.factories import TokenFactory, UserFactory
from tests.matching import matched
from tokens.catalog import Module
from tokens.models import Changed, Deleted, NameTaken, Token

LIST = "/integrations/tokens/"


def url(token: Token, page: str = "") -> str:
    return f"{LIST}{token.pk}/{page}"


def link(token: Token) -> str:
    """Return how a page names a token as the actor."""
    return f'<a href="{url(token)}">{token.name} <span class="nowrap">({token.pk})</span></a>'


def fresh(token: Token) -> Token:
    return Token.objects.get(pk=token.pk)


def named(row: Token | User) -> Actor:
    """Return the actor as an event keeps it; the event has the account itself."""
    return Actor(row.pk, row.name)


def about(client: Client, token: Token) -> str:
    """Return the card About of the details page."""
    return matched(r'(?s)aria-labelledby="about-title".*?</section>', client.get(url(token)).text)[
        0
    ]


# --- Every verb by a token is attributed to it ----------------------------------------------------


def test_a_token_made_by_a_token_is_attributed_to_it_with_its_grants(
    robot: Token, made: Token
) -> None:
    made = fresh(made)
    assert (made.created_by, made.updated_by) == (Actor.of(robot), Actor.of(robot))
    assert made.permissions.get().granted_by == Actor.of(robot)
    assert made.events.get(action=Action.TOKEN_CREATED).actor == named(robot)


@pytest.mark.parametrize("verb", ["disable", "enable", "remove"])
def test_a_change_of_status_by_a_token_is_attributed_to_it(
    token: Token, robot: Token, michael: Person, verb: str
) -> None:
    if verb == "enable":
        token.disable(by=michael.user)
    assert getattr(token, verb)(by=robot)
    assert (token.status_changed_by, fresh(token).status_changed_by) == (
        Actor.of(robot),
        Actor.of(robot),
    )
    assert token.events[0].actor == named(robot)


def test_an_edit_by_a_token_is_attributed_to_it_and_leaves_the_creator(
    token: Token, robot: Token, michael: Person
) -> None:
    assert (
        token.edit(by=robot, version=1, modules={Module.AGREEMENTS, Module.USAGE}, name="Renamed")
        == 2
    )
    token = fresh(token)
    assert (token.created_by, token.updated_by) == (Actor.of(michael.user), Actor.of(robot))
    assert {grant.module: grant.granted_by for grant in token.permissions.all()} == {
        Module.AGREEMENTS: Actor.of(michael.user),
        Module.USAGE: Actor.of(robot),
    }
    assert token.events[0].actor == named(robot)


def test_a_person_after_a_token_takes_its_place(
    token: Token, robot: Token, michael: Person
) -> None:
    token.edit(by=robot, version=None, modules=None, name="Once")
    token.edit(by=michael.user, version=None, modules=None, name="Twice")
    token.disable(by=robot)
    token.enable(by=michael.user)
    token = fresh(token)
    assert (token.updated_by, token.status_changed_by) == (
        Actor.of(michael.user),
        Actor.of(michael.user),
    )
    accounts = Token.objects.values_list("updated_by_account", "status_changed_by_account")
    assert accounts.get(pk=token.pk) == ("", "")


def test_a_token_can_act_on_itself(robot: Token) -> None:
    robot.disable(by=robot)
    assert fresh(robot).status_changed_by == Actor.of(robot)


def test_a_token_made_by_an_unknown_actor_keeps_no_actor(account: Account) -> None:
    token = fresh(TokenFactory(account=account, by=None))
    assert (token.created_by, token.updated_by, token.status_changed_by) == (None, None, None)
    assert (token.permissions.get().granted_by, token.events.get().actor) == (None, None)


# --- One grant at a time, and edits without a version ---------------------------------------------


def test_a_grant_is_added_once_and_recorded(token: Token, robot: Token) -> None:
    assert token.add_grant(Module.USAGE, by=robot)
    assert not token.add_grant(Module.USAGE, by=robot)
    token = fresh(token)
    assert (token.grants, token.version, token.updated_by) == (
        {Module.AGREEMENTS, Module.USAGE},
        2,
        Actor.of(robot),
    )
    event = token.events.get(action=Action.TOKEN_CHANGED)
    assert (event.actor, event.changes) == (
        named(robot),
        {"modules": [["Agreements"], ["Agreements", "Usage"]]},
    )


def test_a_grant_is_removed_once_and_recorded_be_it_the_last(token: Token, robot: Token) -> None:
    assert token.remove_grants(Module.AGREEMENTS, by=robot)
    assert not token.remove_grants(Module.AGREEMENTS, by=robot)
    token = fresh(token)
    assert (token.grants, token.version, token.updated_by) == (set(), 2, Actor.of(robot))
    event = token.events.get(action=Action.TOKEN_CHANGED)
    assert (event.actor, event.changes) == (named(robot), {"modules": [["Agreements"], []]})


def test_all_takes_the_place_of_single_grants_which_then_change_nothing(
    token: Token, robot: Token
) -> None:
    assert token.add_grant(Module.ALL, by=robot)
    assert not token.add_grant(Module.USAGE, by=robot)
    assert not token.remove_grants(Module.AGREEMENTS, by=robot)
    assert fresh(token).grants == {Module.ALL}
    assert token.remove_grants(Module.ALL, by=robot)
    assert fresh(token).grants == set()


@pytest.mark.parametrize("verb", ["add_grant", "remove_grants"])
def test_a_deleted_token_keeps_its_grants(token: Token, robot: Token, verb: str) -> None:
    token.remove(by=robot)
    with pytest.raises(Deleted):
        getattr(token, verb)(Module.AGREEMENTS, by=robot)
    assert fresh(token).grants == {Module.AGREEMENTS}


@pytest.mark.parametrize("verb", ["add_grant", "remove_grants"])
def test_a_grant_that_cannot_be_recorded_is_not_changed(
    token: Token, robot: Token, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Chain, "append", fail)
    with pytest.raises(RuntimeError):
        getattr(token, verb)(Module.USAGE if verb == "add_grant" else Module.AGREEMENTS, by=robot)
    token = fresh(token)
    assert (token.grants, token.version) == ({Module.AGREEMENTS}, 1)


def test_grants_are_read_as_they_are_and_not_as_they_were(token: Token, robot: Token) -> None:
    stale = fresh(token)
    assert stale.grants == {Module.AGREEMENTS}
    token.add_grant(Module.USAGE, by=robot)
    stale.add_grant(Module.HELPDESK, by=robot)
    assert fresh(token).grants == {Module.AGREEMENTS, Module.USAGE, Module.HELPDESK}


def test_an_edit_without_a_version_changes_the_token_as_it_is(token: Token, robot: Token) -> None:
    token.edit(by=robot, version=None, modules=None, name="Once")
    assert token.edit(by=robot, version=None, modules=None, external_id="erp-7") == 1
    token = fresh(token)
    assert (token.name, token.external_id, token.version) == ("Once", "erp-7", 3)
    with pytest.raises(Changed):
        token.edit(by=robot, version=2, modules=None, name="Late")


def test_an_edit_without_a_version_minds_names_and_deletion(token: Token, robot: Token) -> None:
    with pytest.raises(NameTaken):
        token.edit(by=robot, version=None, modules=None, name="erp sync")
    token.remove(by=robot)
    with pytest.raises(Deleted):
        token.edit(by=robot, version=None, modules=None, name="Renamed")


def test_the_tokens_of_an_account_are_those_its_people_see(
    made: Token, robot: Token, michael: Person
) -> None:
    TokenFactory()
    assert (
        {*Token.objects.of_account(michael.account.pk)}
        == {*Token.objects.visible_to(michael.membership)}
        == {made, robot}
    )


# --- What people see ------------------------------------------------------------------------------


def test_the_list_shows_the_token_as_the_actor_and_links_to_it(
    michael: Person, robot: Token, made: Token
) -> None:
    text = michael.client.get(f"{LIST}?q=made&columns=label,created,updated").text
    assert text.count(link(robot)) == 2


def test_the_general_tab_shows_the_token_as_the_actor_and_links_to_it(
    michael: Person, robot: Token, made: Token
) -> None:
    assert about(michael.client, made).count(link(robot)) == 2


def test_the_permissions_tab_shows_the_token_that_granted(
    michael: Person, robot: Token, made: Token
) -> None:
    assert michael.client.get(url(made, "permissions/")).text.count(link(robot)) == 1


@pytest.mark.parametrize("page", ["summary/", "delete/"])
def test_summary_and_delete_show_the_token_that_created(
    michael: Person, robot: Token, made: Token, page: str
) -> None:
    assert link(robot) in just_made(michael.client, made).get(url(made, page)).text


def test_summary_shows_the_person_who_created(michael: Person, token: Token) -> None:
    assert (
        '<span class="sub">Michael Goldmill</span>'
        in just_made(michael.client, token).get(url(token, "summary/")).text
    )


@pytest.mark.parametrize(
    ("verb", "words"), [("disable", "disabled it on"), ("remove", "deleted it on")]
)
def test_the_details_say_which_token_changed_the_status(
    michael: Person, robot: Token, token: Token, verb: str, words: str
) -> None:
    getattr(token, verb)(by=robot)
    assert f"{link(robot)} {words}" in michael.client.get(url(token)).text


def test_a_disabled_token_names_nobody_when_nobody_is_known(michael: Person, token: Token) -> None:
    token.disable(by=None)
    text = michael.client.get(url(token)).text
    assert "This token is disabled." in text
    assert "disabled it on" not in text


def test_an_edit_meanwhile_by_a_token_says_which(
    michael: Person, robot: Token, token: Token
) -> None:
    token.edit(by=robot, version=1, modules=None, external_id="erp-7")
    response = michael.client.post(
        url(token, "edit/"), {"name": "Mine", "modules": [Module.AGREEMENTS], "version": 1}
    )
    assert f"{link(robot)} changed this token" in response.text


def test_a_deleted_actor_still_has_its_name_and_a_page(
    michael: Person, robot: Token, made: Token
) -> None:
    robot.remove(by=michael.user)
    assert link(robot) in about(michael.client, made)
    assert "This token is deleted." in michael.client.get(url(robot)).text


def test_the_name_of_an_actor_is_no_markup(michael: Person, account: Account) -> None:
    made = TokenFactory(account=account, by=TokenFactory(account=account, name="<b>bold</b>"))
    for page in (url(made), url(made, "permissions/"), LIST):
        assert "<b>bold" not in michael.client.get(page).text


def test_a_token_of_another_account_is_never_linked(
    michael: Person, account: Account, stranger: Person
) -> None:
    other = TokenFactory(account=stranger.account, name="Stranger")
    made = TokenFactory(account=account, by=other)
    just_made(michael.client, made)
    for page in (
        url(made),
        url(made, "permissions/"),
        url(made, "summary/"),
        url(made, "delete/"),
        f"{LIST}?columns=label,created,updated",
    ):
        text = michael.client.get(page).text
        assert str(Actor.of(other)) in text
        assert url(other) not in text
    made.disable(by=other)
    assert url(other) not in michael.client.get(url(made)).text


@pytest.mark.parametrize("page", ["", "permissions/"])
def test_the_pages_cost_no_more_for_a_token_as_the_actor(
    michael: Person,
    robot: Token,
    made: Token,
    page: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    made.disable(by=robot)
    michael.client.get(url(made))
    with django_assert_max_num_queries(6):
        michael.client.get(url(made, page))


def test_the_list_costs_no_more_for_tokens_as_actors(
    michael: Person,
    account: Account,
    robot: Token,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(8):
        TokenFactory(account=account, by=robot)
    michael.client.get(LIST)
    with django_assert_num_queries(5):
        michael.client.get(f"{LIST}?columns=label,created,updated,status")


# --- Actors who are deleted or renamed ------------------------------------------------------------


def forget(person: User) -> None:
    """Delete a person, as the admin does."""
    User.objects.filter(pk=person.pk).delete()


def test_the_pages_keep_the_name_of_a_person_who_was_deleted(
    michael: Person, account: Account
) -> None:
    adrian = UserFactory(name="Adrian Pennino")
    token = TokenFactory(account=account, by=adrian)
    token.disable(by=adrian)
    forget(adrian)
    assert about(michael.client, token).count("Adrian Pennino") == 2
    assert "Adrian Pennino disabled it on" in michael.client.get(url(token)).text
    assert "Adrian Pennino" in michael.client.get(url(token, "permissions/")).text
    assert "Adrian Pennino" in michael.client.get(LIST).text
    assert token.events[0].actor == named(adrian)


def test_the_tokens_of_a_person_who_was_deleted_can_be_asked_for(
    michael: Person, account: Account, token: Token
) -> None:
    adrian = UserFactory(name="Adrian Pennino")
    made = TokenFactory(account=account, by=adrian)
    forget(adrian)
    response = michael.client.get(f"{LIST}?created_by={adrian.pk}")
    assert [row.record for row in response.context["table"].page.object_list] == [made]
    assert ("Created by", "Adrian Pennino") in [
        (chip.name, chip.value) for chip in response.context["chips"]
    ]


def test_a_later_name_changes_nothing_about_what_was_done(
    michael: Person, robot: Token, made: Token
) -> None:
    before = link(robot)
    robot.edit(by=michael.user, version=None, modules=None, name="Renamed")
    assert about(michael.client, made).count(before) == 2
    assert "Renamed" not in michael.client.get(url(made)).text


def test_whoever_created_under_several_names_is_offered_once_by_the_newest(
    michael: Person, account: Account
) -> None:
    zoe = UserFactory(name="Zoe Adams")
    TokenFactory(account=account, by=zoe)
    zoe.name = "Zoe Baker"
    TokenFactory(account=account, by=zoe)
    zoe.name = "Zoe Aaron"
    TokenFactory(account=account, by=zoe)
    choices = (
        michael.client.get(f"{LIST}?filter=open")
        .context["filter_form"]
        .fields["created_by"]
        .choices
    )
    assert [*choices] == [("", "Anyone"), (zoe.pk, "Zoe Aaron")]
    assert michael.client.get(f"{LIST}?created_by={zoe.pk}").context["page"].paginator.count == 3


# --- Finding tokens by their creator --------------------------------------------------------------


def test_the_list_can_be_filtered_by_the_token_that_created(
    michael: Person, robot: Token, made: Token, token: Token
) -> None:
    response = michael.client.get(f"{LIST}?created_by={robot.pk}")
    assert [row.record for row in response.context["table"].page.object_list] == [made]
    assert ("Created by", named(robot).label) in [
        (chip.name, chip.value) for chip in response.context["chips"]
    ]


def test_creators_to_choose_from_are_those_of_the_account_people_first(
    michael: Person, robot: Token, made: Token, token: Token, stranger: Person
) -> None:
    TokenFactory(account=stranger.account, by=TokenFactory(account=stranger.account))
    TokenFactory(account=stranger.account, by=UserFactory())
    choices = (
        michael.client.get(f"{LIST}?filter=open")
        .context["filter_form"]
        .fields["created_by"]
        .choices
    )
    assert [*choices] == [
        ("", "Anyone"),
        (michael.user.pk, "Michael Goldmill"),
        (robot.pk, named(robot).label),
    ]


def test_a_token_of_another_account_is_no_creator_to_ask_for(
    michael: Person, token: Token, stranger: Person
) -> None:
    other = TokenFactory(account=stranger.account)
    TokenFactory(account=stranger.account, by=other)
    TokenFactory(account=michael.account, by=other)
    response = michael.client.get(f"{LIST}?filter=open&created_by={other.pk}")
    assert "Nobody in this account has that ID." in response.text
    assert other.name not in response.text

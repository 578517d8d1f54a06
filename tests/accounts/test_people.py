"""People of an account: inviting, joining, roles, leaving."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import limits
from accounts.models import Invitation, LastAdministrator, Membership, User
from activity.actions import Action
from activity.models import Event
from tests.accounts.test_guessing import let_pass
from tests.accounts.test_sudo import QUESTION, answer
from tests.conftest import Person, Response, confirmed, person, stale
from tests.factories import UserFactory
from tests.matching import matched

PEOPLE = "/account/people/"
NEW = "paulie@mightymicks.example"
PASSWORDS = {"new_password1": "correct horse battery", "new_password2": "correct horse battery"}


def invite(person: Person, email: str = NEW, role: str = "member") -> str:
    """Invite somebody, and return the path of the link in the mail."""
    response = person.client.post(PEOPLE, {"email": email, "role": role}, follow=True)
    assert f"{email} is invited." in response.text
    message = outbox.outbox[-1]
    assert message.to == [email]
    return matched(r"http://testserver(/account/invitation/[^/\s]+/)", str(message.body))[1]


def role_of(row: Membership) -> str:
    row.refresh_from_db()
    return row.role


# --- Inviting -------------------------------------------------------------------------------------


def test_an_invited_person_chooses_a_password_and_is_in(michael: Person) -> None:
    path = invite(michael, role="administrator")
    client = Client()
    assert "Michael Goldmill invites" in " ".join(client.get(path).text.split())
    response = client.post(path, {"name": "Paulie Pennino", **PASSWORDS})
    assert response.status_code == 302
    joined = Membership.objects.get(user__email=NEW)
    assert (joined.account, joined.role) == (michael.account, "administrator")
    assert client.session[SESSION_KEY] == joined.user_id
    assert joined.user.check_password("correct horse battery")
    assert not Invitation.objects.exists()
    assert Event.objects.filter(action=Action.MEMBER_ADDED, subject_id=joined.user_id).exists()
    assert Event.objects.filter(action=Action.MEMBER_INVITED, subject_name=NEW).exists()


def test_invitations_of_an_account_are_limited_by_the_hour(
    michael: Person, stranger: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "INVITATIONS", 2)
    for _ in range(2):
        invite(michael)
    response = michael.client.post(PEOPLE, {"email": NEW, "role": "member"})
    assert response.status_code == 429
    assert "Too many people were invited into this account." in response.text
    assert 59 * 60 < int(response["Retry-After"]) <= 60 * 60
    assert len(outbox.outbox) == 2
    invite(stranger)
    let_pass(minutes=60)
    invite(michael)


def test_a_person_of_the_portal_signs_in_and_joins(michael: Person, stranger: Person) -> None:
    path = invite(michael, stranger.user.email)
    page = Client().get(path)
    assert f"/sign-in/?next={path}" in page.text
    assert "new_password1" not in page.text
    response = stranger.client.post(f"{path}join/", follow=True)
    assert "You belong to Mighty Mick&#x27;s LLC now." in response.text
    assert stranger.user.memberships.count() == 2


def test_a_link_works_once(michael: Person) -> None:
    path = invite(michael)
    assert Client().post(path, {"name": "Paulie", **PASSWORDS}).status_code == 302
    response = Client().post(path, {"name": "Somebody", **PASSWORDS})
    assert response.status_code == 404
    assert "This invitation was used or withdrawn" in response.text
    assert User.objects.filter(email=NEW).count() == 1


def test_a_link_works_for_seven_days(michael: Person, stranger: Person) -> None:
    path, hers = invite(michael), invite(michael, stranger.user.email)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(path).status_code == 404
    assert Client().post(path, {"name": "Paulie", **PASSWORDS}).status_code == 404
    assert stranger.client.post(f"{hers}join/").status_code == 404
    assert Membership.objects.filter(account=michael.account).count() == 1
    row = Invitation.objects.earliest("pk")
    assert row.expires_at - row.created_at < timedelta(days=7)


def test_an_invitation_of_another_address_is_refused(michael: Person, stranger: Person) -> None:
    path = invite(michael)
    assert "The invitation is for another address." in stranger.client.get(path).text
    response = stranger.client.post(f"{path}join/", follow=True)
    assert "for another address" in response.text
    assert stranger.user.memberships.count() == 1
    assert Invitation.objects.exists()


def test_to_join_is_a_press_and_a_made_up_link_joins_nothing(stranger: Person) -> None:
    path = f"/account/invitation/{'a' * 43}/"
    assert stranger.client.get(f"{path}join/")["Location"] == path
    assert stranger.client.post(f"{path}join/").status_code == 404
    assert stranger.user.memberships.count() == 1


def test_a_withdrawn_and_a_replaced_link_are_worth_nothing(michael: Person) -> None:
    first = invite(michael)
    second = invite(michael)
    assert Client().get(first).status_code == 404
    row = Invitation.objects.get()
    michael.client.post(f"{PEOPLE}withdraw/", {"invitation": row.pk})
    assert Client().get(second).status_code == 404
    assert Event.objects.filter(action=Action.INVITATION_WITHDRAWN).exists()


@pytest.mark.parametrize("action", ["role/", "remove/"])
def test_an_invitation_ends_with_the_right_to_invite(michael: Person, action: str) -> None:
    """So that nobody whom an account removes comes back by another address."""
    other = person(account=michael.account)
    path = invite(other)
    assert Client().get(path).status_code == 200
    fields = {"member": other.membership.pk, "role": "member"}
    confirmed(michael.client).post(PEOPLE + action, fields)
    assert Client().get(path).status_code == 404
    assert Client().post(path, {"name": "Paulie", **PASSWORDS}).status_code == 404
    assert NEW not in confirmed(michael.client).get(PEOPLE).text


def test_an_invitation_into_a_closed_account_is_worth_nothing(michael: Person) -> None:
    path = invite(michael)
    michael.account.is_active = False
    michael.account.save()
    assert Client().post(path, {"name": "Paulie", **PASSWORDS}).status_code == 404


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 2000])
def test_a_made_up_link_is_404(client: Client, db: None, token: str) -> None:
    assert client.get(f"/account/invitation/{token}/").status_code == 404


def test_the_link_is_nowhere_in_the_database(michael: Person) -> None:
    token = invite(michael).rstrip("/").rpartition("/")[2]
    assert token not in str(Invitation.objects.values().get())
    assert token not in str(list(Event.objects.values()))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": ""}, "Enter your name."),
        ({"new_password2": "another one here"}, "match"),
        ({"new_password1": "short", "new_password2": "short"}, "at least 12"),
    ],
)
def test_a_bad_form_makes_nobody(michael: Person, fields: dict[str, Any], error: str) -> None:
    path = invite(michael)
    response = Client().post(path, {"name": "Paulie", **PASSWORDS, **fields})
    assert error in response.text
    assert not User.objects.filter(email=NEW).exists()
    assert Invitation.objects.exists()


@pytest.mark.parametrize("email", ["", "x", "a@b", "\0@company.example"])
def test_an_impossible_address_is_refused_with_a_sentence(michael: Person, email: str) -> None:
    response = michael.client.post(PEOPLE, {"email": email, "role": "member"})
    assert response.status_code == 200
    assert "Enter an e-mail address" in response.text


def test_whoever_belongs_already_is_not_invited(michael: Person, adrian: Person) -> None:
    response = michael.client.post(PEOPLE, {"email": adrian.user.email.upper(), "role": "member"})
    assert "belongs to the account already" in response.text
    assert not Invitation.objects.exists()


def test_an_unknown_role_is_refused(michael: Person) -> None:
    michael.client.post(PEOPLE, {"email": NEW, "role": "owner"})
    assert not Invitation.objects.exists()


def test_a_mail_that_cannot_be_sent_invites_nobody(michael: Person, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    response = michael.client.post(PEOPLE, {"email": NEW, "role": "member"}, follow=True)
    assert "No mail could be sent to paulie" in response.text
    assert not Invitation.objects.exists()


def test_inviting_asks_for_the_password(michael: Person) -> None:
    response = stale(michael.client).post(PEOPLE, {"email": NEW, "role": "member"})
    assert QUESTION in response.text
    assert not Invitation.objects.exists()
    answer(michael.client, PEOPLE, response)
    assert Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_link_opened_twice_at_once_makes_one_person(michael: Person) -> None:
    path = invite(michael)
    barrier, answers = threading.Barrier(3), []

    def post() -> None:
        barrier.wait(60)
        answers.append(Client().post(path, {"name": "Paulie", **PASSWORDS}).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers)[0] == 302
    assert max(answers) < 500
    assert Membership.objects.filter(user__email=NEW).count() == 1


# --- Roles and leaving ----------------------------------------------------------------------------


def change(person: Person, row: Membership, role: str) -> Response:
    return person.client.post(f"{PEOPLE}role/", {"member": row.pk, "role": role}, follow=True)


def remove(person: Person, row: Membership) -> Response:
    return person.client.post(f"{PEOPLE}remove/", {"member": row.pk}, follow=True)


def test_a_role_is_changed_told_and_recorded(michael: Person, adrian: Person) -> None:
    response = change(michael, adrian.membership, "administrator")
    assert f"{adrian.user.name} is Administrator now." in response.text
    assert role_of(adrian.membership) == "administrator"
    assert outbox.outbox[-1].to == [adrian.user.email]
    event = Event.objects.get(action=Action.MEMBER_CHANGED)
    assert event.actor_id == michael.user.pk
    assert event.changes["role"] == ["Member", "Administrator"]


def test_a_removed_member_is_out_at_the_next_request(michael: Person, adrian: Person) -> None:
    assert adrian.client.get("/integrations/tokens/").status_code == 200
    remove(michael, adrian.membership)
    assert adrian.client.get("/integrations/tokens/").status_code == 403
    assert Event.objects.get(action=Action.MEMBER_REMOVED).actor_id == michael.user.pk
    assert outbox.outbox[-1].to == [adrian.user.email]


def test_the_last_administrator_can_neither_leave_nor_step_down(
    michael: Person, adrian: Person
) -> None:
    off = person(account=michael.account)
    User.objects.filter(pk=off.user.pk).update(is_active=False)
    for response in (
        change(michael, michael.membership, "member"),
        remove(michael, michael.membership),
    ):
        assert "An account needs an administrator." in response.text
    assert role_of(michael.membership) == "administrator"


def test_with_another_administrator_one_can_leave(michael: Person) -> None:
    person(account=michael.account)
    remove(michael, michael.membership)
    assert not Membership.objects.filter(pk=michael.membership.pk).exists()


@pytest.mark.parametrize("action", ["role/", "remove/"])
def test_changes_of_people_ask_for_the_password(
    michael: Person, adrian: Person, action: str
) -> None:
    fields = {"member": adrian.membership.pk, "role": "administrator"}
    response = stale(michael.client).post(PEOPLE + action, fields)
    assert QUESTION in response.text
    assert role_of(adrian.membership) == "member"


@pytest.mark.parametrize("action", ["role/", "remove/"])
def test_people_of_another_account_do_not_exist(
    michael: Person, stranger: Person, action: str
) -> None:
    for member in (stranger.membership.pk, "", "x", "9" * 30, "0"):
        fields = {"member": member, "role": "member"}
        assert confirmed(michael.client).post(PEOPLE + action, fields).status_code == 404
    assert role_of(stranger.membership) == "administrator"


def test_an_invitation_of_another_account_does_not_exist(michael: Person, stranger: Person) -> None:
    invite(michael)
    row = Invitation.objects.get()
    response = stranger.client.post(f"{PEOPLE}withdraw/", {"invitation": row.pk})
    assert response.status_code == 404
    assert NEW not in stranger.client.get(PEOPLE).text


def test_members_neither_see_nor_change_people(michael: Person, adrian: Person) -> None:
    assert adrian.client.get(PEOPLE).status_code == 403
    assert adrian.client.post(PEOPLE, {"email": NEW, "role": "member"}).status_code == 403
    assert change(adrian, adrian.membership, "administrator").status_code == 403
    assert remove(adrian, michael.membership).status_code == 403
    assert PEOPLE not in adrian.client.get("/account/").text


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once(michael: Person) -> None:
    other = person(account=michael.account)
    barrier, left = threading.Barrier(2), []

    def end(row: Membership) -> None:
        barrier.wait(60)
        try:
            Membership.objects.get(pk=row.pk).end()
        except LastAdministrator:
            left.append(row)
        connection.close()

    threads = [
        threading.Thread(target=end, args=(row,)) for row in (michael.membership, other.membership)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(left) == 1
    assert Membership.objects.filter(account=michael.account).count() == 1


def test_the_page_says_who_is_in_and_whose_sign_in_has_two_steps(
    michael: Person, adrian: Person
) -> None:
    UserFactory(name="Nobody of here")
    text = " ".join(michael.client.get(PEOPLE).text.split())
    assert "Michael Goldmill" in text
    assert "Adrian Pennino" in text
    assert "two-step sign-in off" in text
    assert "Nobody of here" not in text

"""Sign-ins, passwords, members and writes in the administration are in the trail."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from activity.actions import Action
from activity.models import Event
from portal.fields import Actor
from tests.conftest import Person, confirmed, stale
from tests.factories import PASSWORD, AgreementFactory, MembershipFactory, UserFactory
from tokens.models import Token

pytestmark = pytest.mark.django_db
NEW = "seven purple lanterns"


def entries(account: str = "") -> list[tuple[str, str, str]]:
    """Return action, actor id and subject id of every entry of an account, oldest first."""
    return list(
        Event.objects.filter(account=account)
        .order_by("number")
        .values_list("action", "actor_id", "subject_id")
    )


def sign_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(
        "/sign-in/", {"username": email, "password": password}, headers={"user-agent": "Firefox"}
    )
    return client


@pytest.fixture
def member(account: Account) -> User:
    return MembershipFactory(
        account=account, user__name="Spider Rico", role=Membership.Role.MEMBER
    ).user


@pytest.fixture
def chief(db: None) -> User:
    return User.objects.create_superuser("admin@portal.example", name="Portal Administrator")


@pytest.fixture
def staff(chief: User) -> Client:
    client = Client()
    client.force_login(chief, backend="accounts.backends.EmailBackend")
    return confirmed(client)


# --- Sign-ins -------------------------------------------------------------------------------------


def test_a_sign_in_and_a_sign_out_are_recorded_with_their_origin(
    account: Account, member: User
) -> None:
    client = sign_in(member.email)
    client.post("/sign-out/")
    assert entries(account.pk)[-2:] == [
        (Action.SIGNED_IN, member.pk, member.pk),
        (Action.SIGNED_OUT, member.pk, member.pk),
    ]
    event = Event.objects.get(action=Action.SIGNED_IN)
    assert (event.address, event.agent) == ("127.0.0.1", "Firefox")
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", event.request_id)


def test_a_sign_in_is_recorded_in_the_account_that_the_person_will_act_for(member: User) -> None:
    other = MembershipFactory(user=member)
    member.remember("account", id=other.account_id)
    sign_in(member.email)
    assert entries(other.account_id)[-1] == (Action.SIGNED_IN, member.pk, member.pk)


def test_a_refused_sign_in_names_the_person_but_nobody_as_the_actor(
    account: Account, member: User
) -> None:
    sign_in(member.email, "wrong")
    assert entries(account.pk)[-1] == (Action.SIGN_IN_REFUSED, "", member.pk)


def test_a_refused_sign_in_of_an_unknown_name_keeps_nothing_of_what_was_typed(db: None) -> None:
    sign_in("correct horse battery@staple.example", "wrong")
    event = Event.objects.get()
    assert (event.account, event.action, event.subject, event.actor) == (
        "",
        Action.SIGN_IN_REFUSED,
        None,
        None,
    )
    assert "horse" not in str(vars(event))


def test_known_and_unknown_names_cost_the_same_queries(
    member: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sign_in("nobody@company.example", "wrong")
    sign_in(member.email, "wrong")
    with django_assert_max_num_queries(30) as known:
        sign_in(member.email, "wrong")
    with django_assert_max_num_queries(30) as unknown:
        sign_in("nobody@company.example", "wrong")
    assert len(known) == len(unknown)


# --- Passwords ------------------------------------------------------------------------------------


def test_confirming_the_password_is_recorded_and_a_wrong_one_too(
    michael: Person, token: Token
) -> None:
    token.disable(by=None)
    page = f"/integrations/tokens/{token.pk}/enable/"
    stale(michael.client).post(page, {"sudo_password": "wrong"})
    michael.client.post(page, {"sudo_password": PASSWORD})
    who = michael.user.pk
    assert entries(michael.account.pk)[-3:] == [
        (Action.PASSWORD_REFUSED, who, who),
        (Action.PASSWORD_CONFIRMED, who, who),
        (Action.TOKEN_ENABLED, who, token.pk),
    ]


def test_a_new_password_is_recorded_in_every_account_of_the_person(michael: Person) -> None:
    other = MembershipFactory(user=michael.user)
    michael.client.post(
        "/account/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    )
    for account in (michael.account.pk, other.account_id):
        assert (Action.PASSWORD_CHANGED, michael.user.pk, michael.user.pk) in entries(account)
    assert not any(
        "password" in str(event.changes) or NEW in str(vars(event)) for event in Event.objects.all()
    )


def test_a_new_password_of_the_shell_is_the_portals(account: Account, member: User) -> None:
    member.set_password(NEW)
    member.save()
    assert entries(account.pk)[-1] == (Action.PASSWORD_CHANGED, "", member.pk)


def test_a_password_that_is_only_hashed_anew_is_no_new_one(account: Account, member: User) -> None:
    User.objects.filter(pk=member.pk).update(
        password="argon2$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$Ww3zpP4T8LTwq1L2BjBnvQ"
    )
    before = len(entries(account.pk))
    member.refresh_from_db()
    member.save(update_fields=("password",))
    assert len(entries(account.pk)) == before


# --- Members and people ---------------------------------------------------------------------------


def test_members_who_come_change_and_go_are_recorded_under_their_names(account: Account) -> None:
    user = UserFactory(name="Spider Rico")
    membership = Membership.objects.create(user=user, account=account, role=Membership.Role.MEMBER)
    membership.role = Membership.Role.ADMINISTRATOR
    membership.save()
    membership.delete()
    assert entries(account.pk)[-3:] == [
        (action, "", user.pk)
        for action in (Action.MEMBER_ADDED, Action.MEMBER_CHANGED, Action.MEMBER_REMOVED)
    ]
    assert Event.objects.get(action=Action.MEMBER_CHANGED).changes == {
        "role": ["Member", "Administrator"]
    }


def test_what_is_saved_unchanged_is_not_recorded(account: Account, member: User) -> None:
    before = len(entries(account.pk))
    member.save()
    account.save()
    member.memberships.get().save()
    member.remember("tokens", per_page=20)
    assert len(entries(account.pk)) == before


def test_a_change_in_the_administration_has_before_after_and_who_made_it(
    staff: Client, chief: User, account: Account, member: User
) -> None:
    fields = {
        "name": "Spider",
        "email": member.email,
        "time_zone": "UTC",
        "is_active": "on",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    assert staff.post(f"/admin/accounts/user/{member.pk}/change/", fields).status_code == 302
    event = Event.objects.filter(account=account.pk).latest("number")
    assert (event.action, event.actor) == (Action.PERSON_CHANGED, Actor.of(chief))
    assert event.changes == {"name": ["Spider Rico", "Spider"]}


def test_a_change_that_cannot_be_recorded_is_not_made(
    account: Account, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from activity.models import Chain

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Chain, "append", fail)
    member.name = "Renamed"
    with pytest.raises(RuntimeError):
        member.save()
    assert User.objects.get(pk=member.pk).name == "Spider Rico"


def test_other_records_are_told_of_when_they_are_written_in_the_administration_only(
    staff: Client, chief: User, account: Account
) -> None:
    group = Group.objects.create(name="Support")
    assert entries() == [
        (Action.PERSON_ADDED, "", chief.pk),
        (Action.SIGNED_IN, chief.pk, chief.pk),
    ]
    staff.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Helpers"})
    staff.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    assert entries()[-2:] == [
        (action, chief.pk, str(group.pk))
        for action in (Action.RECORD_CHANGED, Action.RECORD_REMOVED)
    ]


def test_records_of_programs_leave_no_entry(account: Account) -> None:
    before = Event.objects.count()
    agreement = AgreementFactory(provider=account)
    agreement.title = "New"
    agreement.save()
    agreement.delete()
    assert set(
        Event.objects.values_list("action", flat=True)[: Event.objects.count() - before]
    ) <= {Action.ACCOUNT_ADDED}


def test_rights_that_are_given_are_named(staff: Client, member: User, account: Account) -> None:
    group = Group.objects.create(name="Support")
    member.groups.add(group)
    assert Event.objects.filter(account=account.pk).latest("number").changes == {
        "groups": [[], ["Support"]]
    }

"""Rules for every page of the admin.

Changes ask for the password and send mails, the actor is recorded, and pages stay small however
many rows there are.
"""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as Right
from django.contrib.contenttypes.models import ContentType
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import ProtectedError
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from accounts.models import Account, Membership, User
from activity.actions import Action
from activity.models import Event
from portal.fields import Actor
from tests.accounts.test_sudo import QUESTION, answer
from tests.conftest import Call, Person, Response, stale
from tests.factories import PASSWORD, MembershipFactory, TokenFactory, UserFactory
from tests.server import ROOT, clean
from tokens.models import Token

EMPTY = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def fields_of(user: User, **changes: object) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.name,
        "time_zone": "UTC",
        "is_active": "on",
        **EMPTY,
        **changes,
    }


def post_routes() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return the URL of every admin page that accepts a form, with an id that need not exist."""
    for model, _ in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for page, arguments in (
            ("changelist", ()),
            ("add", ()),
            ("change", ("1",)),
            ("delete", ("1",)),
        ):
            yield f"admin:{name}_{page}", arguments
    yield "admin:auth_user_password_change", ("1",)


# --- The password ---------------------------------------------------------------------------------


def test_every_form_of_every_model_asks_for_the_password(staff: Client) -> None:
    stale(staff)
    asked = 0
    for route, arguments in post_routes():
        try:
            path = reverse(route, args=arguments)
        except NoReverseMatch:
            continue
        response = staff.post(
            path, {"name": "x", "action": "delete_selected", "_selected_action": "1"}
        )
        assert QUESTION in response.text, path
        asked += 1
    assert asked > 4 * 20


def test_nothing_is_written_before_the_password_and_all_of_it_after(
    staff: Client, michael: Person
) -> None:
    path = f"/admin/accounts/user/{michael.user.pk}/change/"
    response = stale(staff).post(path, fields_of(michael.user, name="Renamed <b>"))
    assert QUESTION in response.text
    michael.user.refresh_from_db()
    assert michael.user.name == "Michael Goldmill"
    assert answer(staff, path, response).status_code == 302
    michael.user.refresh_from_db()
    assert michael.user.name == "Renamed <b>"


def test_an_action_on_many_asks_as_well(staff: Client, token: Token, call: Call) -> None:
    response = stale(staff).post(
        "/admin/tokens/token/", {"action": "force_disable", "_selected_action": [token.pk]}
    )
    assert QUESTION in response.text
    assert call("accounts", token).status_code == 200
    answer(staff, "/admin/tokens/token/", response)
    assert call("accounts", token).status_code == 401


def test_a_new_password_for_somebody_is_not_repeated_by_the_question(
    staff: Client, michael: Person
) -> None:
    path = f"/admin/accounts/user/{michael.user.pk}/password/"
    typed = {
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
        "set-password": "1",
    }
    response = stale(staff).post(path, typed)
    assert QUESTION in response.text
    assert "correct horse" not in response.text
    assert answer(staff, path, response).status_code == 200
    michael.user.refresh_from_db()
    assert michael.user.check_password(PASSWORD)
    assert staff.post(path, typed).status_code == 302
    michael.user.refresh_from_db()
    assert michael.user.check_password("correct horse battery")


def test_five_wrong_passwords_end_the_session_of_the_admin(
    staff: Client, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES = settings.SIGN_IN_TRIES_PER_NAME = 100
    stale(staff)
    for _ in range(5):
        response = staff.post("/admin/accounts/account/add/", {"sudo_password": "wrong"})
    assert response["Location"].startswith("/sign-in/")
    assert staff.get("/admin/").status_code == 302


def test_signing_out_needs_no_password(staff: Client) -> None:
    assert QUESTION not in stale(staff).post("/admin/logout/").text
    assert staff.get("/admin/").status_code == 302


def test_ones_own_password_has_one_page(staff: Client) -> None:
    assert (
        staff.post("/admin/password_change/", {"old_password": "guess"})["Location"]
        == "/account/password/"
    )
    assert staff.get("/admin/password_change/")["Location"] == "/account/password/"


def test_reading_needs_no_password(staff: Client, token: Token) -> None:
    stale(staff)
    for path in (
        "/admin/",
        "/admin/tokens/token/",
        f"/admin/tokens/token/{token.pk}/change/",
        "/admin/accounts/user/add/",
    ):
        assert staff.get(path).status_code == 200


# --- Mails ----------------------------------------------------------------------------------------


def mails(mailoutbox: list[EmailMessage]) -> dict[str, str]:
    return {address: " ".join(mail.body.split()) for mail in mailoutbox for address in mail.to}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is_active": ""}, "You can no longer sign in."),
        ({"is_staff": "on"}, "You may open the administration pages."),
        ({"is_superuser": "on"}, "You have all rights in the administration."),
        ({"groups": "the group"}, "Your rights in the administration were changed."),
        ({"user_permissions": "a right"}, "Your rights in the administration were changed."),
    ],
)
def test_a_person_is_told_what_staff_change(
    staff: Client,
    michael: Person,
    mailoutbox: list[EmailMessage],
    change: dict[str, str],
    words: str,
) -> None:
    group = Group.objects.create(name="Support")
    values: dict[str, Any] = {"the group": group.pk, "a right": Right.objects.all()[0].pk}
    changes = {name: values.get(value, value) for name, value in change.items()}
    response = staff.post(
        f"/admin/accounts/user/{michael.user.pk}/change/", fields_of(michael.user, **changes)
    )
    assert response.status_code == 302
    assert [mail.to for mail in mailoutbox] == [[michael.user.email]]
    told = mails(mailoutbox)[michael.user.email]
    assert words in told
    assert "Chief" in told


def test_a_new_address_is_told_to_the_old_one_and_the_new_one(
    staff: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    staff.post(
        f"/admin/accounts/user/{michael.user.pk}/change/",
        fields_of(michael.user, email="new@mightymicks.example"),
    )
    told = mails(mailoutbox)
    assert set(told) == {"michael@mightymicks.example", "new@mightymicks.example"}
    assert all(
        "from michael@mightymicks.example to new@mightymicks.example" in body
        for body in told.values()
    )


def test_a_password_that_staff_set_is_told_and_is_not_in_the_mail(
    staff: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    typed = {
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
        "set-password": "1",
    }
    staff.post(f"/admin/accounts/user/{michael.user.pk}/password/", typed)
    assert "Your password was changed." in mails(mailoutbox)[michael.user.email]
    assert "horse" not in mailoutbox[0].body


@pytest.mark.parametrize("page", ["its own", "of the person", "of the account"])
def test_a_membership_is_told_on_whichever_page_it_changes(
    staff: Client, michael: Person, mailoutbox: list[EmailMessage], page: str
) -> None:
    row = {"user": michael.user.pk, "account": michael.account.pk, "role": "member"}
    if page == "its own":
        staff.post(f"/admin/accounts/membership/{michael.membership.pk}/change/", row)
    else:
        inline = {
            "memberships-TOTAL_FORMS": 1,
            "memberships-INITIAL_FORMS": 1,
            "memberships-0-id": michael.membership.pk,
        }
        inline |= {f"memberships-0-{name}": value for name, value in row.items()}
        person = page == "of the person"
        path = f"user/{michael.user.pk}" if person else f"account/{michael.account.pk}"
        fields = (
            fields_of(michael.user) if person else {"name": michael.account.name, "is_active": "on"}
        )
        response = staff.post(f"/admin/accounts/{path}/change/", {**fields, **inline})
        assert response.status_code == 302
    michael.membership.refresh_from_db()
    assert michael.membership.role == "member"
    assert (
        "You belong to Mighty Mick's LLC, with the role Member."
        in mails(mailoutbox)[michael.user.email]
    )


def test_the_end_of_a_membership_is_told_by_page_and_by_action(
    staff: Client, account: Account, mailoutbox: list[EmailMessage]
) -> None:
    first, second = MembershipFactory(account=account), MembershipFactory(account=account)
    staff.post(f"/admin/accounts/membership/{first.pk}/delete/", {"post": "yes"})
    staff.post(
        "/admin/accounts/membership/",
        {"action": "delete_selected", "_selected_action": [second.pk], "post": "yes"},
    )
    assert not Membership.objects.filter(account=account).exists()
    assert set(mails(mailoutbox)) == {first.user.email, second.user.email}
    assert all("You no longer belong to" in mail.body for mail in mailoutbox)


def test_a_membership_that_moves_is_told_to_both(
    staff: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    other = UserFactory()
    row = {"user": other.pk, "account": michael.account.pk, "role": "member"}
    staff.post(f"/admin/accounts/membership/{michael.membership.pk}/change/", row)
    told = mails(mailoutbox)
    assert "You no longer belong to" in told[michael.user.email]
    assert "You belong to" in told[other.email]


def test_a_change_of_the_name_alone_and_a_form_with_a_mistake_tell_nobody(
    staff: Client, michael: Person, mailoutbox: list[EmailMessage]
) -> None:
    path = f"/admin/accounts/user/{michael.user.pk}/change/"
    staff.post(path, fields_of(michael.user, name="Mickey"))
    staff.post(path, fields_of(michael.user, email="no address", is_staff="on"))
    assert mailoutbox == []


def test_a_mail_server_that_fails_undoes_nothing_and_is_told(
    staff: Client, michael: Person, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    path = f"/admin/accounts/user/{michael.user.pk}/change/"
    response = staff.post(path, fields_of(michael.user, is_active=""), follow=True)
    assert "no mail could be sent to michael@mightymicks.example" in response.text
    michael.user.refresh_from_db()
    assert not michael.user.is_active


# --- Who acted ------------------------------------------------------------------------------------


def test_an_event_keeps_who_it_was_as_text_under_the_name_of_then(
    token: Token, michael: Person
) -> None:
    token.disable(by=michael.user)
    robot = TokenFactory(account=token.account, name="Robot")
    token.enable(by=robot)
    User.objects.filter(pk=michael.user.pk).update(name="Renamed")
    events = token.events.exclude(action=Action.TOKEN_CREATED).order_by("number")
    assert list(events.values_list("actor_id", "actor_name")) == [
        (michael.user.pk, "Michael Goldmill"),
        (robot.pk, "Robot"),
    ]


@pytest.mark.parametrize("way", ["row", "rows"])
@pytest.mark.parametrize("deed", ["created", "edited", "disabled", "granted", "viewed"])
def test_whoever_acted_may_be_deleted_and_the_trail_keeps_them(
    account: Account, deed: str, way: str
) -> None:
    person = UserFactory(name="Adrian Pennino")
    who = Actor.of(person)
    assert who
    token = TokenFactory(account=account, by=person if deed == "created" else None)
    if deed == "edited":
        token.edit(by=person, version=None, modules=None, name="New")
    elif deed == "disabled":
        token.disable(by=person)
    elif deed == "granted":
        token.edit(by=person, version=None, modules=["MD-0000"])
    elif deed == "viewed":
        token.reveal(by=person, copied=False)
    person.delete() if way == "row" else User.objects.filter(pk=person.pk).delete()
    assert not User.objects.filter(pk=who.id).exists()
    token = Token.objects.get()
    assert token.events[0].actor == who
    kept = {
        "created": token.created_by,
        "edited": token.updated_by,
        "disabled": token.status_changed_by,
        "granted": token.permissions.get().granted_by,
        "viewed": who,
    }
    assert kept[deed] == who


@pytest.mark.parametrize("way", ["row", "rows"])
def test_whoever_acted_in_the_admin_cannot_be_deleted_in_the_shell_either(
    db: None, way: str
) -> None:
    person = UserFactory()
    done_in_the_admin(person)
    with pytest.raises(ProtectedError), transaction.atomic():
        person.delete() if way == "row" else User.objects.filter(pk=person.pk).delete()
    assert User.objects.filter(pk=person.pk).exists()


def done_in_the_admin(person: User) -> None:
    LogEntry.objects.create(
        user=person,
        content_type=ContentType.objects.get_for_model(Account),
        object_id="1",
        action_flag=2,
    )


def delete(staff: Client, person: User, way: str) -> tuple[Response, Response]:
    """Delete a person from their page or from the list; return the confirmation and its result."""
    if way == "page":
        path = f"/admin/accounts/user/{person.pk}/delete/"
        return staff.get(path), staff.post(path, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [person.pk]}
    return staff.post("/admin/accounts/user/", chosen), staff.post(
        "/admin/accounts/user/", {**chosen, "post": "yes"}
    )


@pytest.mark.parametrize("way", ["page", "list"])
def test_a_person_is_deleted_in_the_admin_and_told(
    staff: Client, michael: Person, token: Token, mailoutbox: list[EmailMessage], way: str
) -> None:
    who = Actor.of(michael.user)
    assert who
    asked, done = delete(staff, michael.user, way)
    assert (asked.status_code, done.status_code) == (200, 302)
    assert not User.objects.filter(pk=who.id).exists()
    token.refresh_from_db()
    assert (token.created_by, token.events.get().actor) == (who, who)
    assert "Michael Goldmill" in staff.get(f"/admin/tokens/token/{token.pk}/change/").text
    body = mails(mailoutbox)["michael@mightymicks.example"]
    assert "You were removed from the portal and can no longer sign in." in body
    assert michael.client.get("/integrations/tokens/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("way", ["page", "list"])
@pytest.mark.parametrize("who", ["oneself", "somebody in the log"])
def test_the_admin_says_beforehand_who_cannot_be_deleted(
    staff: Client, chief: User, michael: Person, who: str, way: str
) -> None:
    person = chief if who == "oneself" else michael.user
    if who == "somebody in the log":
        done_in_the_admin(person)
    words = {
        "oneself": "the person who is signed in here: Chief",
        "somebody in the log": "the log of what Michael Goldmill did in the administration",
    }[who]
    for response in delete(staff, person, way):
        assert words in response.text
    assert User.objects.filter(pk=person.pk).exists()


def test_an_account_goes_with_tokens_that_changed_each_other(account: Account) -> None:
    first = TokenFactory(account=account)
    TokenFactory(account=account, by=first).disable(by=first)
    account.delete()
    assert not Token.objects.exists()


@pytest.mark.parametrize("page", ["accounts/account", "tokens/token", "activity/event"])
def test_the_admin_offers_to_delete_no_account_token_or_event(
    staff: Client, michael: Person, token: Token, page: str
) -> None:
    ids = {"accounts/account": michael.account.pk, "tokens/token": token.pk}
    pk = ids.get(page, Event.objects.all()[0].pk)
    assert "delete_selected" not in staff.get(f"/admin/{page}/").text
    assert staff.post(f"/admin/{page}/{pk}/delete/", {"post": "yes"}).status_code == 403
    staff.post(
        f"/admin/{page}/", {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    )
    assert Account.objects.filter(pk=michael.account.pk).exists()
    assert token.events.exists()


def test_no_log_is_registered_to_be_deleted(rf: RequestFactory, chief: User) -> None:
    request = rf.get("/admin/")
    request.user = chief
    logs = [
        model
        for model in admin.site._registry
        if model._meta.model_name in {"event", "logentry"} or "log" in str(model._meta.model_name)
    ]
    assert Event in logs
    assert not any(admin.site._registry[model].has_delete_permission(request) for model in logs)


def test_manage_check_looks_at_every_page_of_the_admin() -> None:
    # Pages are loaded with the URLs, which this process has not needed before.
    program = (
        "import django; django.setup()\n"
        "from django.contrib import admin\n"
        "from django.core.checks import run_checks\n"
        "assert not admin.site._registry\n"
        "assert not run_checks(tags=['admin'])\n"
        "print(len(admin.site._registry))"
    )
    env = {
        **clean(),
        "ENV_FILE": "tests/production.env",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    said = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, env=env, text=True)
    assert int(said) == len(admin.site._registry)

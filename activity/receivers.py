"""Signal receivers that record sign-ins, passwords, people, and writes in the administration.

Lower layers cannot import the trail, so they send signals instead.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as Right
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.text import Truncator

from accounts.models import (
    Account,
    Authenticator,
    Counter,
    Invitation,
    Membership,
    Passkey,
    QueuedMail,
    Session,
    SpareCode,
    User,
)
from accounts.signals import (
    SecondStep,
    invitation_changed,
    password_confirmed,
    second_step_changed,
    second_step_refused,
    wrong_password,
)
from activity.actions import Action
from activity.models import Subject
from activity.recording import record
from portal.http import current_request

# Columns of people and accounts whose changes are recorded, wherever they are made.
TOLD: dict[type[Model], tuple[str, ...]] = {
    User: ("name", "email", "is_active", "is_staff", "is_superuser"),
    Membership: ("user", "account", "role"),
    Account: ("name", "side", "is_active", "requires_two_step"),
}
# Not recorded: rows that no person writes, and rows that have entries of their own.
SILENT_APPS = frozenset({"activity", "admin", "contenttypes", "sessions"})
SILENT = frozenset({Session, Counter, QueuedMail, Authenticator, SpareCode, Passkey, Invitation})
# Maximum length of a recorded value, in characters.
LONGEST = 1000
# The attribute of an instance that keeps its stored values during a save.
BEFORE = "_before_this_save"


# --- Who and where --------------------------------------------------------------------------------


def acting() -> User | None:
    """Return the signed-in person whose request this thread handles; None if there is none."""
    user = getattr(current_request.get(), "user", None)
    return user if user is not None and user.is_authenticated else None


def account_acted_for(user: User | None, request: HttpRequest | None) -> str:
    """Return the account that a person acts for, or would act for after signing in; else `""`.

    Runs one query even if the user is None, so that the time does not reveal an unknown name.
    """
    memberships = list(Membership.objects.usable().filter(user=user.pk if user else ""))
    session = getattr(request, "session", None)
    current = (
        user.acts_in(memberships, session.get("account") if session else None) if user else None
    )
    return current.account_id if current else ""


def accounts_of(user: User) -> list[str]:
    """Return the accounts of a person, in the order in which their trails are locked.

    Without a membership, that is the portal itself (`""`).
    """
    return sorted(Membership.objects.filter(user=user.pk).values_list("account", flat=True)) or [""]


def is_in_admin() -> bool:
    """Tell whether this thread handles a request of the administration."""
    match = getattr(current_request.get(), "resolver_match", None)
    return match is not None and "admin" in match.namespaces


# --- Sign-ins and passwords -----------------------------------------------------------------------


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(user, Action.SIGNED_IN, user, account=account_acted_for(user, request))


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(user, Action.SIGNED_OUT, user, account=account_acted_for(user, request))


@receiver(wrong_password)
def password_refused(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    """Record a wrong password.

    Known and unknown names take the same steps, so that the time does not tell them apart.
    """
    person = getattr(request, "user", None)
    is_in = person is not None and person.is_authenticated
    action = Action.PASSWORD_REFUSED if is_in else Action.SIGN_IN_REFUSED
    record(person if is_in else None, action, user, account=account_acted_for(user, request))


@receiver(password_confirmed)
def password_given(request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(user, Action.PASSWORD_CONFIRMED, user, account=account_acted_for(user, request))


SECOND_STEPS = {
    SecondStep.ON: Action.TWO_STEP_ON,
    SecondStep.OFF: Action.TWO_STEP_OFF,
    SecondStep.CODES: Action.SPARE_CODES_MADE,
    SecondStep.CODE_USED: Action.SPARE_CODE_USED,
    SecondStep.PASSKEY_ADDED: Action.PASSKEY_ADDED,
    SecondStep.PASSKEY_REMOVED: Action.PASSKEY_REMOVED,
}


@receiver(second_step_changed)
def second_step_set(user: User, change: SecondStep, **kwargs: Any) -> None:
    by = acting() or user
    for account in accounts_of(user):
        record(by, SECOND_STEPS[change], user, account=account)


@receiver(second_step_refused)
def second_step_wrong(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    record(None, Action.SECOND_STEP_REFUSED, user, account=account_acted_for(user, request))


@receiver(invitation_changed)
def invited(invitation: Invitation, is_sent: bool, **kwargs: Any) -> None:  # noqa: FBT001
    action = Action.MEMBER_INVITED if is_sent else Action.INVITATION_WITHDRAWN
    role = {"role": [None, str(invitation.get_role_display())]} if is_sent else {}
    record(acting(), action, invitation, role)


def password_set(user: User) -> None:
    """Record a new password, however it was set.

    A request without a signed-in person is a reset by link.
    """
    by = acting()
    reset = by is None and current_request.get() is not None
    for account in accounts_of(user):
        record(
            user if reset else by,
            Action.PASSWORD_RESET if reset else Action.PASSWORD_CHANGED,
            user,
            account=account,
        )


# --- People, accounts, and writes in the administration -------------------------------------------


def told(model: type[Model]) -> tuple[str, ...]:
    """Return the columns whose changes are recorded; none if the model is not recorded now.

    Models that are not in `TOLD` are recorded only within requests of the administration.
    """
    if model in TOLD:
        return TOLD[model]
    if model in SILENT or model._meta.app_label in SILENT_APPS or not is_in_admin():
        return ()
    return tuple(
        field.name
        for field in model._meta.concrete_fields
        if field.editable and not field.primary_key and field.name != "password"
    )


@receiver(pre_save)
def keep_before(
    sender: type[Model],
    instance: Model,
    raw: bool,  # noqa: FBT001
    update_fields: Any,
    **kwargs: Any,
) -> None:
    if raw or instance._state.adding:
        return
    names = [name for name in told(sender) if update_fields is None or name in update_fields]
    if names:
        setattr(
            instance, BEFORE, sender._base_manager.filter(pk=instance.pk).values(*names).first()
        )


@receiver(post_save)
def saved(sender: type[Model], instance: Model, created: bool, raw: bool, **kwargs: Any) -> None:  # noqa: FBT001
    if raw or not (names := told(sender)):
        return
    before = instance.__dict__.pop(BEFORE, None)
    if created:
        write(
            instance,
            "added",
            {
                name: [None, in_words(instance, name)]
                for name in names
                if value_of(instance, name) not in (None, "", False)
            },
        )
    elif before:
        changes = {
            name: [in_words(instance, name, before[name]), in_words(instance, name)]
            for name in before
            if before[name] != value_of(instance, name)
        }
        if changes:
            write(instance, "changed", changes)
    # Django keeps a new password in `_password` until it is saved.
    if (
        isinstance(instance, User)
        and not created
        and getattr(instance, "_password", None) is not None
    ):
        password_set(instance)


def removed(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    if told(sender):
        write(instance, "removed", {})


# Only these models: with a receiver, Django has to read the rows before it deletes them.
for model in apps.get_models():
    if (
        model in TOLD
        or model._meta.app_label in {"auth", "modules"}
        or model._meta.label == "tokens.Extension"
    ):
        post_delete.connect(removed, sender=model)


@receiver(m2m_changed)
def rights_changed(
    sender: Any,
    instance: Model,
    action: str,
    model: type[Model],
    pk_set: set[Any] | None,
    reverse: bool,  # noqa: FBT001
    **kwargs: Any,
) -> None:
    ours = sender in {User.groups.through, User.user_permissions.through, Group.permissions.through}
    if (
        not ours
        or reverse
        or action not in {"post_add", "post_remove", "post_clear"}
        or pk_set == set()
    ):
        return
    names = sorted(map(str, model._base_manager.filter(pk__in=pk_set or ())))
    write(
        instance,
        "changed",
        {
            "permissions" if model is Right else "groups": [[], names]
            if action == "post_add"
            else [names, []]
        },
    )


ACTIONS = {
    User: (Action.PERSON_ADDED, Action.PERSON_CHANGED, Action.PERSON_REMOVED),
    Membership: (Action.MEMBER_ADDED, Action.MEMBER_CHANGED, Action.MEMBER_REMOVED),
    Account: (Action.ACCOUNT_ADDED, Action.ACCOUNT_CHANGED, None),
}
RECORDS = (Action.RECORD_ADDED, Action.RECORD_CHANGED, Action.RECORD_REMOVED)


def write(row: Model, verb: str, changes: dict[str, Any]) -> None:
    action = ACTIONS.get(type(row), RECORDS)[("added", "changed", "removed").index(verb)]
    if action is None:
        return
    subject = Subject.of(row.user if isinstance(row, Membership) else row)
    for account in trails(row, changes):
        record(acting(), action, subject, changes, account=account)


def trails(row: Model, changes: dict[str, Any]) -> Iterable[str]:
    """Return the accounts whose trails record a change of the row."""
    if isinstance(row, User):
        return accounts_of(row)
    if isinstance(row, Account):
        return [row.pk]
    # A membership that moved is recorded in both accounts.
    before = changes.get("account", [None])[0] if isinstance(row, Membership) else None
    return sorted({str(getattr(row, "account_id", None) or ""), *([before] if before else [])})


def value_of(row: Model, name: str) -> Any:
    # Concrete fields have an attname.
    return getattr(row, row._meta.get_field(name).attname)  # type: ignore[union-attr]


def in_words(row: Model, name: str, *other: Any) -> Any:
    """Return the value of a column as the trail keeps it: choices by label, long texts cut.

    `other` is a value to use instead of the current one.
    """
    value = other[0] if other else value_of(row, name)
    labels = dict(getattr(row._meta.get_field(name), "flatchoices", ()))
    if value in labels if isinstance(value, str | int) else False:
        return str(labels[value])
    return Truncator(value).chars(LONGEST) if isinstance(value, str) else value

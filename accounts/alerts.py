"""Mails to people whose sign-in details or rights others change, in the admin or in *People*.

Signals cover every way of saving a row there: forms, inlines, lists, actions, cascading deletions.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models.signals import m2m_changed, post_delete, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mails
from accounts.mails import Fact, Mail, Step
from accounts.models import Membership, User

log = logging.getLogger(__name__)


@dataclass
class Alert:
    """The changes one person is told of, and the addresses: also the old one if it was changed."""

    addresses: set[str]
    changes: list[str] = field(default_factory=list)


alerts: ContextVar[dict[str, Alert] | None] = ContextVar("alerts", default=None)


@contextmanager
def watched(request: HttpRequest) -> Iterator[None]:
    """Mail people about the changes made in the block, once it ends without an exception."""
    found: dict[str, Alert] = {}
    token = alerts.set(found)
    try:
        yield
    finally:
        alerts.reset(token)
    for alert in found.values():
        send(request, alert)


def send(request: HttpRequest, alert: Alert) -> None:
    """Mail a person now, so that staff learn at once if that fails."""
    changed = _("Your access to %(brand)s was changed") % {"brand": settings.BRAND}
    mail = Mail(
        subject=changed,
        preview=alert.changes[0],
        title=changed,
        text=_("%(by)s, an administrator, changed this on %(at)s.")
        % {"by": request.user, "at": mails.in_utc(timezone.now())},
        facts=[Fact("", change) for change in alert.changes],
        steps=[
            Step(_("Did you not expect that?"), _("Tell your administrator at once, by telephone."))
        ],
    )
    for address in sorted(alert.addresses):
        try:
            mails.deliver(mail, address)
        except OSError:
            # The change is made: a failing mail server must not make it look otherwise.
            log.exception("A person could not be told about a change by mail.")
            messages.warning(
                request,
                _("The change is made, but no mail could be sent to %(address)s.")
                % {"address": address},
            )


def note(user: User, change: str, *addresses: str) -> None:
    """Record a change of a person inside `watched`; elsewhere, as in the shell, do nothing."""
    found = alerts.get()
    if found is not None:
        alert = found.setdefault(user.pk, Alert(set()))
        alert.addresses.update(addresses or (user.email,))
        alert.changes.append(change)


@receiver(pre_save, sender=User)
def person_changes(instance: User, update_fields: Any, **kwargs: Any) -> None:
    before = (
        None
        if alerts.get() is None or instance._state.adding
        else User.objects.filter(pk=instance.pk).first()
    )
    if before is None:
        return
    addresses = (before.email, instance.email)
    told = {
        "password": _("Your password was changed."),
        "email": _(
            "Your e-mail address, by which you sign in, was changed from %(old)s to %(new)s."
        )
        % {"old": before.email, "new": instance.email},
        "is_active": _("You can sign in again.")
        if instance.is_active
        else _("You can no longer sign in."),
        "is_staff": _("You may open the administration pages.")
        if instance.is_staff
        else _("You may no longer open the administration pages."),
        "is_superuser": _("You have all rights in the administration.")
        if instance.is_superuser
        else _("You no longer have all rights in the administration."),
    }
    for name, change in told.items():
        if getattr(before, name) != getattr(instance, name) and (
            update_fields is None or name in update_fields
        ):
            note(instance, change, *addresses)


@receiver(pre_save, sender=Membership)
def membership_changes(instance: Membership, **kwargs: Any) -> None:
    if alerts.get() is None:
        return
    before = Membership.objects.select_related("user", "account").filter(pk=instance.pk).first()
    if before and (before.user_id, before.account_id) != (instance.user_id, instance.account_id):
        membership_ends(before)
    elif before and before.role == instance.role:
        return
    text = _("You belong to %(account)s, with the role %(role)s.")
    note(instance.user, text % {"account": instance.account, "role": instance.get_role_display()})


@receiver(post_delete, sender=Membership)
def membership_ends(instance: Membership, **kwargs: Any) -> None:
    if alerts.get() is not None:
        note(
            instance.user, _("You no longer belong to %(account)s.") % {"account": instance.account}
        )


@receiver(pre_delete, sender=User)
def person_goes(instance: User, **kwargs: Any) -> None:
    note(instance, _("You were removed from the portal and can no longer sign in."))


@receiver(m2m_changed, sender=User.groups.through)
@receiver(m2m_changed, sender=User.user_permissions.through)
def rights_change(instance: Any, action: str, **kwargs: Any) -> None:
    if action in {"post_add", "post_remove", "post_clear"} and isinstance(instance, User):
        note(instance, _("Your rights in the administration were changed."))

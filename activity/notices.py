"""Mails to the administrators of an account about entries of its trail that concern its keys."""

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import mails
from accounts.mails import Fact, Kind, Mail, Step
from accounts.models import Account
from activity.actions import Action
from activity.models import Event

# Action -> the kind of mail, and its subject.
NOTICES: dict[str, tuple[Kind, Promise]] = {
    Action.KEY_VIEWED: (Kind.KEY_SEEN, gettext_lazy("A %(key)s of %(name)s was viewed")),
    Action.KEY_COPIED: (Kind.KEY_SEEN, gettext_lazy("A %(key)s of %(name)s was copied")),
    Action.KEY_RENEWED: (Kind.TOKEN_CHANGED, gettext_lazy("A new %(key)s of %(name)s was made")),
    Action.KEY_ROTATED: (Kind.TOKEN_CHANGED, gettext_lazy("The %(key)s of %(name)s was replaced")),
    Action.TOKEN_CREATED: (Kind.TOKEN_CHANGED, gettext_lazy("The token %(name)s was created")),
    Action.TOKEN_ENABLED: (Kind.TOKEN_CHANGED, gettext_lazy("The token %(name)s was enabled")),
    Action.TOKEN_RESTORED: (Kind.TOKEN_CHANGED, gettext_lazy("The token %(name)s was restored")),
    Action.OLD_KEY_EXTENDED: (
        Kind.TOKEN_CHANGED,
        gettext_lazy("The %(old)s of %(name)s lives longer"),
    ),
    Action.TOKEN_CHANGED: (Kind.TOKEN_CHANGED, gettext_lazy("The token %(name)s may do more")),
}
# What the trail calls the grant that covers every module.
ALL = gettext_lazy("All")


def send_for(event: Event) -> None:
    """Queue the mail about an entry, if there is one for it; call it in the same transaction."""
    if event.action not in NOTICES or not event.account:
        return
    if event.action == Action.TOKEN_CHANGED and not is_wider(event.changes):
        return
    kind, subject = NOTICES[event.action]
    if people := mails.administrators(event.account, kind):
        mails.send(kind, people, mail_about(event, str(subject), people[0].account))


def is_wider(changes: dict[str, Any]) -> bool:
    """Tell whether a change of a token gave it modules or a later end."""
    before, after = changes.get("modules", ([], []))
    gained = set(after or ()) - set(before or ())
    # Whatever a token with All is left with is less.
    if gained and before != [str(ALL)]:
        return True
    if "expires_at" not in changes:
        return False
    was, now = (parse_datetime(value) if value else None for value in changes["expires_at"])
    return now is None or (was is not None and now > was)


def mail_about(event: Event, subject: str, account: Account) -> Mail:
    key, old = (
        (_("handle"), _("key of the old handle"))
        if event.is_about_handle
        else (_("key"), _("old key"))
    )
    title = subject % {"key": key, "old": old, "name": event.subject_name}
    when = mails.in_utc(event.at)
    by = event.actor.label if event.actor else _("the portal itself")
    return Mail(
        subject=title,
        preview=_("By %(by)s, on %(when)s.") % {"by": by, "when": when},
        title=title,
        text=_("If you expected that, there is nothing to do."),
        facts=[
            Fact(_("Token"), event.subject_name, event.subject_id),
            Fact(_("Account"), account.name, account.pk),
            Fact(_("By"), by),
            Fact(_("When"), when, _("from %s") % event.address if event.address else ""),
            *(
                Fact(_("Modules"), words(before), _("now %s") % words(after))
                for before, after in [event.changes.get("modules", (None, None))]
                if before and after
            ),
        ],
        steps=[
            Step(
                _("Not expected?"),
                _(
                    "In the portal open Tokens, %(name)s, Activity, to see what happened. Disable "
                    "stops its calls at once."
                )
                % {"name": event.subject_name},
            )
        ],
    )


def words(modules: Any) -> str:
    return ", ".join(map(str, modules))

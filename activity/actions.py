"""The actions that the trail can record, and the groups that people filter them by."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Group(TextChoices):
    """The choices of the filter *What*."""

    TOKENS = "tokens", _("Tokens")
    KEYS = "keys", _("Keys seen")
    SIGN_INS = "sign-ins", _("Sign-ins and passwords")
    PEOPLE = "people", _("People and accounts")
    ADMINISTRATION = "administration", _("Administration")


class Action(TextChoices):
    """Actions as `group.verb`, in the past tense.

    Never rename a value: entries of existing trails use it.
    """

    TOKEN_CREATED = "tokens.created", _("Token created")
    TOKEN_CHANGED = "tokens.changed", _("Token changed")
    TOKEN_ENABLED = "tokens.enabled", _("Token enabled")
    TOKEN_DISABLED = "tokens.disabled", _("Token disabled")
    TOKEN_DELETED = "tokens.deleted", _("Token deleted")
    TOKEN_RESTORED = "tokens.restored", _("Token restored")

    KEY_VIEWED = "keys.viewed", _("Key viewed")
    KEY_COPIED = "keys.copied", _("Key copied")
    # Somebody who may see the key asked for it, but nothing was shown.
    KEY_UNREADABLE = "keys.unreadable", _("Key could not be opened")

    SIGNED_IN = "sign-ins.accepted", _("Signed in")
    SIGN_IN_REFUSED = "sign-ins.refused", _("Sign-in refused")
    SIGNED_OUT = "sign-ins.ended", _("Signed out")
    PASSWORD_CONFIRMED = "sign-ins.confirmed", _("Password confirmed")
    PASSWORD_REFUSED = "sign-ins.unconfirmed", _("Wrong password")
    PASSWORD_CHANGED = "sign-ins.changed", _("Password changed")
    PASSWORD_RESET = "sign-ins.reset", _("Password reset")

    MEMBER_ADDED = "people.member-added", _("Member added")
    MEMBER_CHANGED = "people.member-changed", _("Member changed")
    MEMBER_REMOVED = "people.member-removed", _("Member removed")
    PERSON_ADDED = "people.added", _("Person added")
    PERSON_CHANGED = "people.changed", _("Person changed")
    PERSON_REMOVED = "people.removed", _("Person removed")
    ACCOUNT_ADDED = "people.account-added", _("Account added")
    ACCOUNT_CHANGED = "people.account-changed", _("Account changed")

    RECORD_ADDED = "administration.added", _("Record added")
    RECORD_CHANGED = "administration.changed", _("Record changed")
    RECORD_REMOVED = "administration.removed", _("Record deleted")
    TRAIL_FORGOTTEN = "administration.forgotten", _("Old activity deleted")

    @property
    def group(self) -> Group:
        return Group(self.value.partition(".")[0])


KEY_SEEN = (Action.KEY_VIEWED, Action.KEY_COPIED)


def in_groups(groups: list[str]) -> list[str]:
    """Return the actions in the given groups."""
    return [action.value for action in Action if action.group in groups]

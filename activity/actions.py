"""The actions that the trail can record, and the groups that people filter them by."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Group(TextChoices):
    """The choices of the filter *What*."""

    TOKENS = "tokens", _("Tokens")
    KEYS = "keys", _("Keys seen")
    RULES = "rules", _("IP rules")
    WEBHOOKS = "webhooks", _("Webhooks")
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
    # By the portal, because a policy of the account says so.
    TOKEN_IDLED = "tokens.idled", _("Token disabled, unused")
    TOKEN_REMINDED = "tokens.reminded", _("Reminder sent")
    # By the portal, soon after the end.
    TOKEN_EXPIRED = "tokens.expired", _("Token expired")
    # Its keys can no longer be viewed, nor the token restored.
    TOKEN_PURGED = "tokens.purged", _("Token purged")

    KEY_RENEWED = "tokens.key-renewed", _("Key renewed")
    KEY_ROTATED = "tokens.key-rotated", _("Key rotated")
    OLD_KEY_EXTENDED = "tokens.key-extended", _("Old key extended")
    OLD_KEY_RETIRED = "tokens.key-retired", _("Old key retired")
    RENEWAL_CANCELLED = "tokens.renewal-cancelled", _("Renewal cancelled")
    REHEARSAL_STARTED = "tokens.rehearsal-started", _("Rehearsal started")
    REHEARSAL_ENDED = "tokens.rehearsal-ended", _("Rehearsal ended early")
    # By a token of the extension's maker, which got the key.
    HANDLE_EXCHANGED = "tokens.handle-exchanged", _("Handle exchanged")
    # Somebody asked for the key behind a handle, and got nothing.
    HANDLE_REFUSED = "tokens.handle-refused", _("Exchange of a handle refused")
    # A call with a right key from an address that the IP rules do not have.
    ADDRESS_REFUSED = "tokens.address-refused", _("Refused: address not allowed")
    # Many calls within an hour, for whatever reason.
    CALLS_REFUSED = "tokens.calls-refused", _("Many calls refused")

    KEY_VIEWED = "keys.viewed", _("Key viewed")
    KEY_COPIED = "keys.copied", _("Key copied")
    # Somebody who may see the key asked for it, but nothing was shown.
    KEY_UNREADABLE = "keys.unreadable", _("Key could not be opened")
    # By the portal, because a policy of the account says so.
    COPIES_DESTROYED = "keys.copies-destroyed", _("Copies of keys destroyed")

    RULE_ADDED = "rules.added", _("IP rule added")
    RULE_CHANGED = "rules.changed", _("IP rule changed")
    RULE_DELETED = "rules.deleted", _("IP rule deleted")

    WEBHOOK_CREATED = "webhooks.created", _("Webhook created")
    WEBHOOK_CHANGED = "webhooks.changed", _("Webhook changed")
    WEBHOOK_ENABLED = "webhooks.enabled", _("Webhook enabled")
    WEBHOOK_DISABLED = "webhooks.disabled", _("Webhook disabled")
    WEBHOOK_PAUSED = "webhooks.paused", _("Webhook paused")
    WEBHOOK_RESUMED = "webhooks.resumed", _("Webhook resumed")
    WEBHOOK_DELETED = "webhooks.deleted", _("Webhook deleted")
    WEBHOOK_SECRET_CHANGED = "webhooks.secret-changed", _("New webhook secret")
    WEBHOOK_SECRET_SEEN = "webhooks.secret-viewed", _("Webhook secret viewed")
    WEBHOOK_REDELIVERED = "webhooks.redelivered", _("Deliveries sent again")
    WEBHOOK_REPLAY_CANCELLED = "webhooks.replay-cancelled", _("Sending again cancelled")
    WEBHOOK_ABORTED = "webhooks.aborted", _("Delivery stopped")

    SIGNED_IN = "sign-ins.accepted", _("Signed in")
    SIGN_IN_REFUSED = "sign-ins.refused", _("Sign-in refused")
    SIGNED_OUT = "sign-ins.ended", _("Signed out")
    PASSWORD_CONFIRMED = "sign-ins.confirmed", _("Password confirmed")
    PASSWORD_REFUSED = "sign-ins.unconfirmed", _("Wrong password")
    PASSWORD_CHANGED = "sign-ins.changed", _("Password changed")
    PASSWORD_RESET = "sign-ins.reset", _("Password reset")
    SECOND_STEP_REFUSED = "sign-ins.second-step-refused", _("Wrong second step")
    TWO_STEP_ON = "sign-ins.on", _("Two-step sign-in switched on")
    TWO_STEP_OFF = "sign-ins.off", _("Two-step sign-in switched off")
    SPARE_CODES_MADE = "sign-ins.codes", _("New spare codes made")
    SPARE_CODE_USED = "sign-ins.code-used", _("Spare code used")
    PASSKEY_ADDED = "sign-ins.passkey-added", _("Passkey added")
    PASSKEY_REMOVED = "sign-ins.passkey-removed", _("Passkey removed")

    MEMBER_INVITED = "people.invited", _("Person invited")
    INVITATION_WITHDRAWN = "people.uninvited", _("Invitation withdrawn")
    MEMBER_ADDED = "people.member-added", _("Member added")
    MEMBER_CHANGED = "people.member-changed", _("Member changed")
    MEMBER_REMOVED = "people.member-removed", _("Member removed")
    PERSON_ADDED = "people.added", _("Person added")
    PERSON_CHANGED = "people.changed", _("Person changed")
    PERSON_REMOVED = "people.removed", _("Person removed")
    ACCOUNT_ADDED = "people.account-added", _("Account added")
    ACCOUNT_CHANGED = "people.account-changed", _("Account changed")
    POLICY_CHANGED = "people.policy-changed", _("Policies changed")

    RECORD_ADDED = "administration.added", _("Record added")
    RECORD_CHANGED = "administration.changed", _("Record changed")
    RECORD_REMOVED = "administration.removed", _("Record deleted")
    TRAIL_EXPORTED = "administration.exported", _("Activity exported")
    TRAIL_FORGOTTEN = "administration.forgotten", _("Old activity deleted")

    @property
    def group(self) -> Group:
        return Group(self.value.partition(".")[0])


# Of tokens with a handle: what people see of it, and what lives on of an old one.
OF_HANDLES = {
    Action.KEY_RENEWED: _("Handle renewed"),
    Action.KEY_ROTATED: _("Handle rotated"),
    Action.OLD_KEY_EXTENDED: _("Key of the old handle extended"),
    Action.OLD_KEY_RETIRED: _("Key of the old handle retired"),
    Action.KEY_VIEWED: _("Handle viewed"),
    Action.KEY_COPIED: _("Handle copied"),
    Action.KEY_UNREADABLE: _("Handle could not be opened"),
}
KEY_SEEN = (Action.KEY_VIEWED, Action.KEY_COPIED)


def in_groups(groups: list[str]) -> list[str]:
    """Return the actions in the given groups."""
    return [action.value for action in Action if action.group in groups]

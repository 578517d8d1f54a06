"""Signals about people, in addition to Django's own, such as `user_logged_in`.

Receivers get `request`, and `user`: the person it happened to, or None for an unknown name.
"""

from django.db.models import TextChoices
from django.dispatch import Signal
from django.utils.translation import gettext_lazy

# A wrong password, at sign-in or when a signed-in person was asked for it again.
wrong_password = Signal()
# A signed-in person gave the password again.
password_confirmed = Signal()
# A wrong code or an answer of a passkey that proves nothing, as the second step of a sign-in.
second_step_refused = Signal()
# A change of how a person signs in besides the password; `change` is a `SecondStep`.
second_step_changed = Signal()
# An invitation was sent or withdrawn: `invitation`, `is_sent`.
invitation_changed = Signal()


class SecondStep(TextChoices):
    """What changed, in words for mails."""

    ON = "on", gettext_lazy("Two-step sign-in was switched on")
    OFF = "off", gettext_lazy("Two-step sign-in was switched off")
    CODES = "codes", gettext_lazy("New spare codes were made")
    CODE_USED = "code-used", gettext_lazy("A spare code was used")
    PASSKEY_ADDED = "passkey-added", gettext_lazy("A passkey was added")
    PASSKEY_REMOVED = "passkey-removed", gettext_lazy("A passkey was removed")

"""The app Tokens."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal import background

# How often, in seconds, the portal looks for tokens that are idle by a policy.
IDLE_EVERY = 60.0
# How often a server process looks for deleted tokens that can no longer be restored, in seconds.
PURGE_EVERY = 10 * 60
# How often it looks for tokens that somebody has to be reminded of.
REMIND_EVERY = 10 * 60
# How often it looks for tokens that have expired.
ENDS_EVERY = 30.0
# How often it writes how many calls tokens made.
DAYS_EVERY = 60.0


class TokensConfig(AppConfig):
    name = "tokens"
    verbose_name = _("Tokens")

    def ready(self) -> None:
        # These need the loaded models; `checks` registers itself.
        from tokens import checks, days, reminders, settling  # noqa: F401
        from tokens.models import Token

        background.every(IDLE_EVERY, settling.settle)
        background.every(DAYS_EVERY, days.write)
        background.every(PURGE_EVERY, Token.objects.purge)
        background.every(REMIND_EVERY, reminders.remind)
        background.every(ENDS_EVERY, reminders.record_ends)

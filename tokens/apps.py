"""The app Tokens."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal import background

# How often, in seconds, the portal looks for tokens that are idle by a policy.
IDLE_EVERY = 60.0


class TokensConfig(AppConfig):
    name = "tokens"
    verbose_name = _("Tokens")

    def ready(self) -> None:
        # These need the loaded models; `checks` registers itself.
        from tokens import checks, idleness  # noqa: F401

        background.every(IDLE_EVERY, idleness.settle)

"""The app Webhooks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal import background

# How often, in seconds, the portal looks for endpoints that have failed for long.
WARN_EVERY = 60.0


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        # These need the loaded models; `outbox` connects itself to the trail.
        from tokens import reminders
        from tokens.models.key import ALSO_SEALED
        from webhooks import notices, outbox  # noqa: F401
        from webhooks.models import WebhookSecret

        ALSO_SEALED.append(WebhookSecret)
        reminders.ALSO.append(("Warnings of webhooks", notices.warn))
        background.every(WARN_EVERY, notices.warn)

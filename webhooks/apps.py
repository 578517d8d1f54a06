"""The app Webhooks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        # These need the loaded models; `outbox` connects itself to the trail.
        from tokens.models.key import ALSO_SEALED
        from webhooks import outbox  # noqa: F401
        from webhooks.models import WebhookSecret

        ALSO_SEALED.append(WebhookSecret)

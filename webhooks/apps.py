"""The app Webhooks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        # It connects itself to the trail; it needs the loaded models.
        from webhooks import outbox  # noqa: F401

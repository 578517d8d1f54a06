"""The app Extensions: pages about the rows of tokens.models.Extension."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal import background

# How often a server process looks for extensions whose tokens do not all have the fixed modules,
# in seconds.
FINISH_EVERY = 60.0


class ExtensionsConfig(AppConfig):
    name = "extensions"
    verbose_name = _("Extensions")

    def ready(self) -> None:
        # It needs the loaded models.
        from extensions import effects

        background.every(FINISH_EVERY, effects.finish)

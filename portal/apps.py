"""The app Portal: the shell."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

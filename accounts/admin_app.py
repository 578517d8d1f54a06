"""The admin as an app of the portal, in its own file because apps.py may define only one app."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class PortalAdminConfig(SimpleAdminConfig):
    """The admin, whose pages are loaded with the URLs: the worker of webhooks needs neither."""

    default_site = "accounts.site.PortalAdminSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_all_pages, checks.Tags.admin)


def check_all_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[Any]:
    """Check the pages of the admin, which may not be loaded yet."""
    admin.autodiscover()
    return list(check_admin_app(app_configs, **options))

"""The admin as an app of the portal. A file of its own: apps.py may hold one app only."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "accounts.site.PortalAdminSite"

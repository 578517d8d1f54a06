"""The admin as an app of the portal, in its own file because apps.py may define only one app."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "accounts.site.PortalAdminSite"

"""The admin site for administrators of the portal, with rules for all models registered there."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import alerts, sudo
from portal.admin import Recalling
from portal.http import READS, own_path


class PortalAdminSite(AdminSite):
    """An admin site that asks for the password before writes.

    It does not ask if the password was just given. It mails people whose rights are changed.
    """

    site_header = site_title = gettext_lazy("Portal administration")
    index_title = gettext_lazy("Administration")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, with forms in which what was typed comes back."""
        base = admin_class or ModelAdmin
        recalling = type(base.__name__, (Recalling, base), {"__module__": base.__module__})
        super().register(model_or_iterable, recalling, **options)

    # Django's signature.
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Wrap a view; every page, form and action of the admin goes through here."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method in READS or view == self.logout:
                try:
                    return view(request, *args, **kwargs)
                except (ValueError, DataError) as problem:
                    if not request.GET:
                        raise
                    # A filter in the URL with a value that its column cannot hold; Django checks
                    # only some types.
                    raise BadRequest(str(problem)) from problem
            if asked := sudo.ask(request, _("To make changes in the administration"), _("Go On")):
                return sudo.page(
                    request, asked, back=own_path(request, request.headers.get("Referer", ""))
                )
            with alerts.watched(request):
                return view(request, *args, **kwargs)

        return super().admin_view(guarded, cacheable)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Redirect to the portal's page for one's own password, where wrong ones are counted."""
        return redirect("accounts:password_change")

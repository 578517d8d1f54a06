"""Profile, Security: password, second step, passkeys and signed-in devices."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts import sessions, sudo
from accounts.decorators import always_possible, for_any_account
from accounts.http import PersonRequest
from portal.http import posts_from
from portal.notices import inform, succeed


@for_any_account
@require_safe
def overview(request: PersonRequest) -> HttpResponse:
    user = request.user
    codes = list(user.spare_codes.all())
    context = {
        "devices": sessions.devices_of(user, request.session.session_key),
        "app": user.authenticator if user.has_two_step else None,
        "codes": codes,
        "codes_left": sum(code.used_at is None for code in codes),
        "passkeys": list(user.passkeys.all()),
        "session_hours": settings.SESSION_HOURS,
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "tab": "security",
    }
    return render(request, "accounts/security.html", context)


@always_possible
@for_any_account
@posts_from("accounts:security")
def end_session(request: PersonRequest) -> HttpResponse:
    """Sign out one other device of the person."""
    if asked := sudo.ask(request, _("To sign out a device"), _("Sign Out")):
        return sudo.page(request, asked, back=reverse("accounts:security"))
    this = request.session.session_key
    if sessions.end(request.user, this, request.POST.get("device", "")):
        succeed(request, _("The device is signed out."))
    else:
        inform(request, _("The device was signed out already."))
    return redirect("accounts:security")


@always_possible
@for_any_account
@posts_from("accounts:security")
def end_others(request: PersonRequest) -> HttpResponse:
    """Sign out every device of the person but this one."""
    if asked := sudo.ask(request, _("To sign out everywhere else"), _("Sign Out")):
        return sudo.page(request, asked, back=reverse("accounts:security"))
    count = sessions.end(request.user, request.session.session_key)
    words = ngettext("%(n)d device is signed out.", "%(n)d devices are signed out.", count)
    succeed(request, words % {"n": count} if count else _("No other device was signed in."))
    return redirect("accounts:security")

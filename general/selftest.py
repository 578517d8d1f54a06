"""The page Self-test, and the address that says whether a header arrived."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from general.checks import findings
from portal.api import json_response

# What the page sends as Authorization: it looks like a key, and is none.
PROBE = f"ApiKey SU-000-000-000:{'0123456789' * 4}"


@require_safe
def selftest(request: PersonRequest) -> HttpResponseBase:
    """Show what the portal sees of itself and of the person's way to it.

    Those who run the portal see it without an account, too.
    """
    return show(request) if request.user.is_staff else for_members(show)(request)


def show(request: PersonRequest) -> HttpResponse:
    context = {
        "findings": findings(request),
        "probe": PROBE,
        "probe_url": request.build_absolute_uri(reverse("general:header")),
        "now": timezone.now(),
        "may_mail": request.user.is_staff or request.membership.is_admin,
    }
    response = render(request, "general/selftest.html", context)
    response["Cache-Control"] = "no-store"
    return response


@login_not_required
@require_safe
def header(request: HttpRequest) -> HttpResponse:
    """Say whether the probe arrived, and whether it was changed on its way; never what arrived."""
    came = request.META.get("HTTP_AUTHORIZATION")
    arrived = "missing" if not came else "intact" if came == PROBE else "changed"
    response = json_response({"authorization": arrived})
    response["Cache-Control"] = "no-store"
    return response

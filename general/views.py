"""General: where the API is, and how a first call works."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal.api import endpoint
from tokens.models import Token

# --- General ------------------------------------------------------------------------------------


@require_safe
@for_members
def start(request: PersonRequest) -> HttpResponse:
    """Where the API is and how a first call works."""
    count = Token.objects.visible_to(request.membership).live().count()
    return render(request, "general/start.html", {"endpoint": endpoint(request), "token_count": count, "may_manage": request.membership.is_admin})

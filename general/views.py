"""The page General: the endpoint of the API and a first call."""

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
    """Show the endpoint of the API, a first call and the account."""
    count = Token.objects.visible_to(request.membership).live().count()
    return render(
        request,
        "general/start.html",
        {
            "endpoint": endpoint(request),
            "token_count": count,
            "may_manage": request.membership.is_admin,
        },
    )

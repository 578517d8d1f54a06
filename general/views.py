"""The page General: the endpoint of the API, a first call, counts and what is new."""

import re
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from accounts.models import Membership
from general.counts import groups
from general.news import news
from portal.api import endpoint
from portal.converters import TokenId
from tokens import first_call
from tokens.catalog import Module
from tokens.models import State, Token
from tokens.pages.detail import find
from tokens.standing import Standing

# How many tokens the first call offers, the newest ones. Each has its own on its page, too.
OFFERED = 20
WORKING = (State.ACTIVE, State.REVITALISED, State.EXPIRING)


@require_safe
@for_members
def start(request: PersonRequest) -> HttpResponse:
    """Show the endpoint of the API, a first call with a token, and how the account is doing."""
    return render(
        request,
        "general/start.html",
        {
            **first_call_context(request),
            "endpoint": endpoint(request),
            "groups": groups(request.membership),
            "news": news(),
            "may_manage": request.membership.is_admin,
        },
    )


def first_call_context(request: PersonRequest) -> dict[str, Any]:
    """Return the examples for the chosen token, else the newest one that works, else for any."""
    offered = offered_tokens(request.membership)
    chosen = request.GET.get("token") or (offered[0].pk if offered else "")
    if not chosen:
        grants = {Module.AGREEMENTS.value}
        return call_context(request, grants)
    if not re.fullmatch(TokenId.regex, chosen):
        raise Http404
    token = find(request, chosen)
    return {
        **call_context(request, token.grants),
        "token": token,
        "standing": Standing(token, request.membership.is_admin),
        "offered": offered if token in offered else [token, *offered],
    }


def call_context(request: PersonRequest, grants: set[str]) -> dict[str, Any]:
    return {
        "path": first_call.path(grants),
        "first_calls": first_call.examples(endpoint(request), grants),
    }


def offered_tokens(membership: Membership) -> list[Token]:
    tokens = Token.objects.visible_to(membership).in_states(WORKING).without_handle()
    return [*tokens.only("name").order_by("-created_at", "-pk")[:OFFERED]]

"""Summary, the last step of the wizard: for the session that has just created the token."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal import wizard
from tokens.models import Token
from tokens.pages.detail import find, key_fields, token_header
from tokens.standing import Standing


class Step(wizard.Step):
    GENERAL = "general", gettext_lazy("General")
    EXTENSION = "extension", gettext_lazy("Extension")
    PERMISSIONS = "permissions", gettext_lazy("Permissions")
    SUMMARY = "summary", gettext_lazy("Summary")


@require_safe
@for_members
def summary(request: PersonRequest, token_id: str) -> HttpResponse:
    """Show step 4 of the wizard to the session that has just created the token.

    Redirect everybody else to the details.
    """
    token = find(request, token_id)
    return (
        show_summary(request, token)
        if has_summary(request, token)
        else redirect("tokens:detail", token.pk)
    )


def has_summary(request: PersonRequest, token: Token) -> bool:
    """Tell whether Summary still applies: the token is new to this session, and can call."""
    return wizard.just_created(request, token.pk) and Standing(token).can_call


def show_summary(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    answers = {
        Step.GENERAL: token.name,
        Step.EXTENSION: token.extension.label,
        Step.PERMISSIONS: token.access.summary,
    }
    context = {**token_header(request, token), "page": "summary"}
    context["step"] = Step.SUMMARY
    context["steps"] = wizard.listed_steps(Step.SUMMARY, answers)
    context["field"] = key_fields(context, "summary", **shown)[0]
    return render(request, "tokens/summary.html", context)

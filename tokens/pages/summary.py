"""Summary, the last step of the wizard: for the session that has just created the token."""

from typing import Any

from django.db.models import TextChoices
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.decorators import for_members
from accounts.http import PersonRequest
from portal.http import seconds_since
from tokens.models import Token
from tokens.pages.detail import find, key_fields, token_header
from tokens.standing import Standing

# How long, in seconds, the session that created a token can view the key on its Summary without the
# password.
CREATOR_GRACE = 10 * 60


class Step(TextChoices):
    GENERAL = "general", gettext_lazy("General")
    EXTENSION = "extension", gettext_lazy("Extension")
    PERMISSIONS = "permissions", gettext_lazy("Permissions")
    SUMMARY = "summary", gettext_lazy("Summary")

    @property
    def number(self) -> int:
        return [*Step].index(self) + 1

    @property
    def next(self) -> "Step":
        return list(Step)[self.number]

    @property
    def previous(self) -> "Step":
        return list(Step)[self.number - 2]


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
    return just_created(request, token) and Standing(token).can_call


def show_summary(request: PersonRequest, token: Token, **shown: Any) -> HttpResponse:
    answers = {
        Step.GENERAL: token.name,
        Step.EXTENSION: token.extension.label,
        Step.PERMISSIONS: token.access.summary,
    }
    steps = [
        {
            "number": step.number,
            "label": step.label,
            "progress": "current" if step is Step.SUMMARY else "done",
            "url": None,
            "answer": answers.get(step, ""),
        }
        for step in Step
    ]
    context = {**token_header(request, token), "steps": steps, "page": "summary"}
    context["field"] = key_fields(context["standing"], "summary", **shown)[0]
    return render(request, "tokens/summary.html", context)


def remember_created(request: PersonRequest, token: Token) -> None:
    """Note in the session that it created the token."""
    made = made_in(request)
    fresh = {token_id: at for token_id, at in made.items() if is_fresh(made, token_id)}
    request.session["created"] = {**fresh, token.pk: token.created_at.timestamp()}


def just_created(request: PersonRequest, token: Token) -> bool:
    """Tell whether this session created the token within the last `CREATOR_GRACE` seconds."""
    return is_fresh(made_in(request), token.pk)


def made_in(request: PersonRequest) -> dict[str, Any]:
    """Return when this session created tokens: timestamps by id."""
    made = request.session.get("created")
    return made if isinstance(made, dict) else {}


def is_fresh(made: dict[str, Any], token_id: str) -> bool:
    passed = seconds_since(made, token_id)
    return passed is not None and passed < CREATOR_GRACE

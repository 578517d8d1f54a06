"""Creating a token in four steps: General, Extension, Permissions, Summary.

A run is kept as a TokenDraft whose UUID is in the URL, so reload, Back, bookmarks and a second tab
all find it again. GET stores nothing; the first valid POST creates the draft, and `finish()`
creates the token exactly once.
"""

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest, get_visible_or_404
from activity.actions import Action
from activity.recording import record
from portal import wizard
from portal.http import posted
from portal.notices import fail
from portal.typed import render_form
from tokens.catalog import Module
from tokens.models import Extension, NameTaken, NotOffered, Token, TokenDraft, TooManyTokens
from tokens.pages.detail import as_pasted, find
from tokens.pages.forms import ExtensionForm, GeneralForm, PermissionsForm
from tokens.pages.summary import Step, show_summary

LEADS = {
    Step.GENERAL: gettext_lazy(
        "Say what the token is for, so that your colleagues recognise it later."
    ),
    Step.EXTENSION: gettext_lazy(
        "Choose what will use the token. The extension cannot be changed later."
    ),
    Step.PERMISSIONS: gettext_lazy(
        "Choose the modules that the token may reach. Less is safer: you can add modules later."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new(request: PersonRequest) -> HttpResponse:
    """Show step 1 of a new run; only a valid POST creates the draft."""
    draft = TokenDraft(owner=request.user, account=request.membership.account)
    form = GeneralForm(posted(request), instance=draft)
    if request.method == "POST" and form.is_valid():
        TokenDraft.forget_old(request.user)
        draft.expires_at = form.expires_at
        draft.extension = asked_for(request, draft)
        form.save()
        return redirect(draft_url(draft, Step.EXTENSION))
    return show(request, Step.GENERAL, draft, form)


def asked_for(request: PersonRequest, draft: TokenDraft) -> Extension | None:
    """Return the extension whose page led here; the second step has it chosen."""
    offered = Extension.objects.offered_to(draft.account)
    # Compared here, since PostgreSQL takes not every text that an address may hold.
    return next((each for each in offered if each.pk == request.GET.get("extension")), None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def step(request: PersonRequest, draft_id: uuid.UUID, name: str) -> HttpResponse:
    """Show a step of the person's own run.

    Redirect to Summary if the run is finished, and to the step that is due if this one is too far
    ahead.
    """
    if name not in {Step.GENERAL, Step.EXTENSION, Step.PERMISSIONS}:
        raise Http404
    here = Step(name)
    # The token outlives the draft: a bookmark of an old run still leads to its token.
    made = (
        Token.objects.visible_to(request.membership)
        .filter(draft_id=draft_id, created_by_id=request.user.pk)
        .first()
    )
    if made:
        return redirect("tokens:summary", made.pk)
    drafts = TokenDraft.objects.filter(owner=request.user).select_related("account", "extension")
    draft = get_visible_or_404(
        request, lambda membership: drafts.filter(account=membership.account_id), draft_id
    )
    if here is Step.GENERAL:
        return general(request, draft)
    if here is Step.EXTENSION:
        return extension(request, draft)
    if draft.extension is None or not draft.extension.is_offered_to(draft.account):
        return redirect(draft_url(draft, Step.EXTENSION))
    return permissions(request, draft, draft.extension)


def general(request: PersonRequest, draft: TokenDraft) -> HttpResponse:
    form = GeneralForm(posted(request), instance=draft)
    if request.method == "POST" and form.is_valid():
        draft.expires_at = form.expires_at
        draft.save(update_fields=(*GeneralForm.Meta.fields, "expires_at"))
        return redirect(draft_url(draft, Step.EXTENSION))
    return show(request, Step.GENERAL, draft, form)


def extension(request: PersonRequest, draft: TokenDraft) -> HttpResponse:
    form = ExtensionForm(posted(request), instance=draft)
    if request.method == "POST":
        if form.is_valid():
            draft.extension = form.cleaned_data["extension"]
            draft.save(update_fields=("extension",))
        if "back" in request.POST:
            return redirect(draft_url(draft, Step.GENERAL))
        if form.is_valid():
            return redirect(draft_url(draft, Step.PERMISSIONS))
    return show(request, Step.EXTENSION, draft, form)


def permissions(request: PersonRequest, draft: TokenDraft, extension: Extension) -> HttpResponse:
    chosen = draft.grants
    if "select" in request.POST:
        # "Select all" and "Clear" without scripts: round trips that validate and create nothing.
        draft.modules = (
            [module.value for module in Module.single()] if request.POST["select"] == "all" else []
        )
        draft.save(update_fields=("modules",))
        return redirect(draft_url(draft, Step.PERMISSIONS))
    form = PermissionsForm(posted(request), extension=extension, grants=chosen)
    if request.method == "POST":
        if extension.asks_permissions:
            # Saved even if incomplete, so that Back and errors lose nothing.
            draft.modules = sorted(form.chosen)
            draft.save(update_fields=("modules",))
        if "back" in request.POST:
            return redirect(draft_url(draft, Step.EXTENSION))
        if form.is_valid():
            purpose = format_html(_("To create <strong>{}</strong>"), draft.name)
            if asked := sudo.ask(request, purpose, _("Create")):
                return show(request, Step.PERMISSIONS, draft, form, confirm=asked)
            return create(request, draft)
    return show(request, Step.PERMISSIONS, draft, form)


def create(request: PersonRequest, draft: TokenDraft) -> HttpResponse:
    try:
        token = draft.finish()
    except NameTaken as problem:
        fail(request, _("The token was not created."), str(problem))
        return redirect(draft_url(draft, Step.GENERAL))
    except (NotOffered, TooManyTokens) as problem:
        fail(request, _("The token was not created."), str(problem))
        return redirect(draft_url(draft, Step.EXTENSION))
    except ValidationError as problem:
        # No longer valid: the expiration day has passed, or the catalog has changed.
        fail(request, _("The token was not created."), " ".join(problem.messages))
        asked = next(
            (step for name, step in ASKED_IN.items() if name in problem.message_dict), Step.GENERAL
        )
        return redirect(draft_url(draft, asked))
    wizard.remember_created(request, token.pk, token.created_at)
    if token.show_once and draft.key:
        record(request.user, Action.KEY_VIEWED, token, token.as_seen)
        viewed = {"by": request.user, "at": timezone.now()}
        # Not after a redirect: no copy of the key is kept that a second request could read.
        return show_summary(
            request, find(request, token.pk), key=as_pasted(request, draft.key.shown), viewed=viewed
        )
    return redirect("tokens:summary", token.pk)


ASKED_IN = {"extension": Step.EXTENSION, "modules": Step.PERMISSIONS}


def show(
    request: PersonRequest, here: Step, draft: TokenDraft, form: Any, **shown: Any
) -> HttpResponse:
    chosen = draft.extension
    fixed = chosen and getattr(form, "fixed", False)
    nothing = _("%(name)s comes with fixed permissions. There is nothing to choose in this step.")
    return render_form(
        request,
        "tokens/wizard.html",
        {
            "step": here,
            "lead": nothing % {"name": chosen.label} if chosen and fixed else LEADS[here],
            "steps": listed_steps(here, draft),
            "form": form,
            "access": getattr(form, "access", None),
            "chosen": chosen,
            "cancel_url": reverse("tokens:list"),
            "back_url": None if here is Step.GENERAL else draft_url(draft, here.previous),
            **shown,
        },
    )


def listed_steps(here: Step, draft: TokenDraft) -> list[dict[str, Any]]:
    answers = {
        Step.GENERAL: draft.name,
        Step.EXTENSION: draft.extension.label if draft.extension else "",
        Step.PERMISSIONS: draft.access.summary if draft.grants else "",
    }
    return wizard.listed_steps(here, answers, lambda step: draft_url(draft, step))


def draft_url(draft: TokenDraft, here: Step) -> str:
    return reverse("tokens:draft", args=(draft.pk, here.value))

"""Creating a webhook in four steps: General, Endpoint, Events, Summary.

A run is kept as a WebhookDraft whose UUID is in the URL, so reload, Back, bookmarks and a second
tab all find it again. GET stores nothing; the first valid POST creates the draft, and `finish()`
creates the webhook exactly once.
"""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_administrators
from accounts.http import PersonRequest, get_visible_or_404
from portal import wizard
from portal.http import posted, posts_from
from portal.notices import fail
from portal.typed import ERRORS, keep, render_form
from webhooks import checking
from webhooks.models import TooManyWebhooks, Webhook, WebhookDraft
from webhooks.pages import sample
from webhooks.pages.forms import (
    EndpointForm,
    EventsForm,
    FieldsForm,
    GeneralForm,
    OwnSecret,
    Pairs,
)
from webhooks.pages.summary import Step

LEADS = {
    Step.GENERAL: gettext_lazy(
        "Say what the webhook is for, so that your colleagues recognise it later."
    ),
    Step.ENDPOINT: gettext_lazy(
        "Where the events go, and how your program knows that they come from here."
    ),
    Step.EVENTS: gettext_lazy("Choose what is sent. A webhook watches one kind of object."),
}


# The forms that the sample of a call follows.
FOLLOWED: dict[str, type[EndpointForm | EventsForm]] = {
    Step.ENDPOINT: EndpointForm,
    Step.EVENTS: EventsForm,
}


def demo_receiver() -> str:
    """Return the address of the demo's own receiver; `""` outside a demo."""
    return f"{settings.PORTAL_URL}{reverse('demo:receiver')}" if settings.DEMO else ""


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def new(request: PersonRequest) -> HttpResponse:
    """Show step 1 of a new run; only a valid POST creates the draft."""
    draft = WebhookDraft(owner=request.user, account=request.membership.account)
    form = GeneralForm(posted(request), instance=draft)
    full = Webhook.objects.why_no_more(draft.account_id)
    if request.method == "POST" and form.is_valid() and not full:
        WebhookDraft.forget_old(request.user)
        draft.product_name = form.product_name
        if request.GET.get("receiver") == "demo":
            draft.external_url = demo_receiver()
        draft.save()
        return redirect(draft_url(draft, Step.ENDPOINT))
    return show(request, Step.GENERAL, draft, form, full=full)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def step(request: PersonRequest, draft_id: uuid.UUID, name: str) -> HttpResponse:
    """Show a step of the person's own run.

    Redirect to Summary if the run is finished, and to the step that is due if this one is too far
    ahead.
    """
    if name not in {Step.GENERAL, Step.ENDPOINT, Step.EVENTS}:
        raise Http404
    # The webhook outlives the draft: a bookmark of an old run still leads to its webhook.
    if made := made_by(request, draft_id):
        return redirect("webhooks:summary", made.pk)
    draft = find_draft(request, draft_id)
    if name == Step.GENERAL:
        return general(request, draft)
    if name == Step.ENDPOINT:
        return endpoint(request, draft)
    return (
        events(request, draft) if draft.external_url else redirect(draft_url(draft, Step.ENDPOINT))
    )


def made_by(request: PersonRequest, draft_id: uuid.UUID) -> Webhook | None:
    """Return the webhook that the person's own run has made, if it is finished."""
    mine = Webhook.objects.visible_to(request.membership).filter(created_by_id=request.user.pk)
    return mine.filter(draft_id=draft_id).first()


def find_draft(request: PersonRequest, draft_id: uuid.UUID) -> WebhookDraft:
    """Return the person's own draft. Raise Http404."""
    drafts = WebhookDraft.objects.filter(owner=request.user).select_related("account")
    return get_visible_or_404(
        request, lambda membership: drafts.filter(account=membership.account_id), draft_id
    )


def general(request: PersonRequest, draft: WebhookDraft) -> HttpResponse:
    form = GeneralForm(posted(request), instance=draft)
    if request.method == "POST" and form.is_valid():
        draft.product_name = form.product_name
        draft.put(*GeneralForm.Meta.fields, "product_name")
        return redirect(draft_url(draft, Step.ENDPOINT))
    return show(request, Step.GENERAL, draft, form)


def endpoint(request: PersonRequest, draft: WebhookDraft) -> HttpResponse:
    data = posted(request)
    if data and "demo" in data:
        # The button that fills in the address: a round trip that goes no further.
        data = data.copy()
        data["external_url"] = demo_receiver()
    form, demo = EndpointForm(data, instance=draft), demo_receiver()
    signing = OwnSecret(data, kept=draft.sealed is not None)
    if request.method == "POST":
        save_valid(draft, form)
        if not signing.is_valid() or not signing.keeps:
            # One that cannot be used replaces the one before, too.
            draft.keep_secret(signing.cleaned_data.get("own_secret", ""))
            draft.put("sealed")
        if Pairs.is_asked_by(request.POST) or OwnSecret.is_asked_by(request.POST):
            return show(request, Step.ENDPOINT, draft, form, signing=signing, demo_receiver=demo)
        if "back" in request.POST:
            return back(request, draft, form, Step.GENERAL)
        if form.is_valid() and signing.is_valid():
            here = Step.ENDPOINT if "demo" in request.POST else Step.EVENTS
            return redirect(draft_url(draft, here))
    return show(request, Step.ENDPOINT, draft, form, signing=signing, demo_receiver=demo)


def events(request: PersonRequest, draft: WebhookDraft) -> HttpResponse:
    form = EventsForm(posted(request), instance=draft)
    full = Webhook.objects.why_no_more(draft.account_id)
    if request.method == "POST":
        save_valid(draft, form)
        if "back" in request.POST:
            return back(request, draft, form, Step.ENDPOINT)
        if form.is_valid() and "look" in request.POST:
            return redirect(f"{draft_url(draft, Step.EVENTS)}#preview")
        if form.is_valid() and not full:
            purpose = format_html(_("To create <strong>{}</strong>"), draft.label)
            if asked := sudo.ask(request, purpose, _("Create")):
                return show(request, Step.EVENTS, draft, form, confirm=asked)
            return create(request, draft)
    return show(request, Step.EVENTS, draft, form, full=full)


@posts_from("webhooks:list")
@for_administrators
def address(request: PersonRequest) -> HttpResponse:
    """Return what is to be said about an address that is being typed; nothing is stored."""
    typed = request.POST.get("external_url", "").strip()[:4096]
    verdict = checking.look(typed, request.membership.account_id) if typed else None
    return render(request, "webhooks/address.html", {"verdict": verdict})


@posts_from("webhooks:draft")
@for_administrators
def typed(request: PersonRequest, draft_id: uuid.UUID, name: str) -> HttpResponse:
    """Return what would be sent with what is being typed in a step; nothing is stored."""
    if name not in FOLLOWED:
        raise Http404
    if made_by(request, draft_id):
        # Create was pressed right after the last letter.
        return HttpResponse(status=204)
    form = FOLLOWED[name](request.POST, instance=find_draft(request, draft_id))
    return render(request, "webhooks/typed.html", {"form": form, **sample.shown(form)})


def save_valid(draft: WebhookDraft, form: FieldsForm) -> None:
    """Save the fields without errors, so that Back and errors lose nothing."""
    form.is_valid()
    draft.put(*(name for name in form.Meta.fields if name in form.cleaned_data))


def back(
    request: PersonRequest, draft: WebhookDraft, form: FieldsForm, there: Step
) -> HttpResponse:
    """Go back a step. What has errors is typed text of the step for when it is opened again."""
    if not form.is_valid():
        keep(request, ERRORS, str(request.user.pk))
    return redirect(draft_url(draft, there))


def create(request: PersonRequest, draft: WebhookDraft) -> HttpResponse:
    try:
        webhook = draft.finish()
    except TooManyWebhooks:
        # Others were faster. The step says why, and keeps everything until there is room.
        fail(request, _("The webhook was not created."))
        return redirect(draft_url(draft, Step.EVENTS))
    except ValidationError as problem:
        # No longer valid: a product is gone, for example.
        fail(request, _("The webhook was not created."), " ".join(problem.messages))
        asked = next(
            (step for name, step in ASKED_IN.items() if name in problem.message_dict), Step.GENERAL
        )
        return redirect(draft_url(draft, asked))
    if webhook is None:
        raise Http404
    wizard.remember_created(request, webhook.pk, webhook.created_at)
    return redirect("webhooks:summary", webhook.pk)


ASKED_IN = {
    **dict.fromkeys((*EndpointForm.Meta.fields, "own_secret"), Step.ENDPOINT),
    **dict.fromkeys(EventsForm.Meta.fields, Step.EVENTS),
}


def show(
    request: PersonRequest, here: Step, draft: WebhookDraft, form: Any, **shown: Any
) -> HttpResponse:
    answers = {
        Step.GENERAL: draft.label,
        Step.ENDPOINT: draft.endpoint_host,
        Step.EVENTS: draft.get_object_class_display() if draft.object_class else "",
    }
    return render_form(
        request,
        "webhooks/wizard.html",
        {
            "step": here,
            "lead": LEADS[here],
            "steps": wizard.listed_steps(here, answers, lambda each: draft_url(draft, each)),
            "form": form,
            **(sample.shown(form) if here in FOLLOWED else {}),
            "sample_url": reverse("webhooks:typed", args=(draft.pk, here.value)),
            "cancel_url": reverse("webhooks:list"),
            "back_url": None if here is Step.GENERAL else draft_url(draft, here.previous),
            **shown,
        },
    )


def draft_url(draft: WebhookDraft, here: Step) -> str:
    return reverse("webhooks:draft", args=(draft.pk, here.value))

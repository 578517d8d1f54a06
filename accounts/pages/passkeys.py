"""Passkeys: adding and removing them in the profile, and signing in with one."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits, passkeys, proofs, second_step, signals, sudo
from accounts.decorators import for_any_account
from accounts.http import PersonRequest
from accounts.models import Passkey, User
from accounts.signals import SecondStep
from portal import agents
from portal.http import client_agent, next_url, posts_from, whole
from portal.notices import fail, inform, succeed

# --- Signing in -----------------------------------------------------------------------------------


@login_not_required
@posts_from("accounts:sign_in")
def options_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Return what the browser needs to ask for a passkey, with a fresh challenge."""
    limits.take(limits.passkey_challenges(request))
    found = second_step.pending(request)
    user = found[0] if found else None
    return JsonResponse(passkeys.options_to_prove(request, "sign-in", user))


@login_not_required
@posts_from("accounts:sign_in")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey, alone or as the second step after the password.

    A passkey is two steps at once: the device, and what unlocks it.
    """
    if request.user.is_authenticated:
        return redirect("portal:home")
    found = second_step.pending(request)
    user, page = found or (None, next_url(request, resolve_url(settings.LOGIN_REDIRECT_URL)))
    try:
        person = passkeys.prove(request, "sign-in", request.POST.get("passkey", ""), user)
    except passkeys.NotProven as problem:
        signals.second_step_refused.send(User, request=request, user=user)
        fail(request, str(problem.message))
        return redirect("accounts:second_step" if user else "accounts:sign_in")
    return second_step.complete(request, person, page, proofs.PASSKEY)


# --- In the profile -------------------------------------------------------------------------------


@for_any_account
@posts_from("accounts:security")
def options(request: PersonRequest) -> HttpResponse:
    """Return what the browser needs to give the password's place to a passkey, or to add one."""
    if request.POST.get("for") == "add":
        if not proofs.is_confirmed(request):
            raise Http404
        return JsonResponse(passkeys.options_to_add(request, request.user))
    return JsonResponse(passkeys.options_to_prove(request, "sudo", request.user))


@for_any_account
@posts_from("accounts:security")
def add(request: PersonRequest) -> HttpResponse:
    """Add the passkey that the browser has made.

    Without one the password had to be given first; browsers make a passkey only on a press.
    """
    if asked := sudo.ask(request, _("To add a passkey"), _("Go On")):
        return sudo.page(request, asked, back=reverse("accounts:security"))
    if not request.POST.get("passkey"):
        inform(request, _("Now press Add Passkey once more."))
        return redirect("accounts:security")
    program = agents.in_words(client_agent(request))
    name = request.POST.get("name", "").strip()[:64] or program or _("Passkey")
    try:
        row = passkeys.add(request, request.user, name, request.POST["passkey"])
    except passkeys.NotProven as problem:
        fail(request, str(problem.message))
    else:
        second_step.tell(request, request.user, SecondStep.PASSKEY_ADDED, row.name)
        succeed(request, _("The passkey is added. You can sign in with it."))
    return redirect("accounts:security")


@for_any_account
@posts_from("accounts:security")
def remove(request: PersonRequest) -> HttpResponse:
    """Remove one of the person's passkeys."""
    if asked := sudo.ask(request, _("To remove a passkey"), _("Remove")):
        return sudo.page(request, asked, back=reverse("accounts:security"))
    row = Passkey.objects.filter(
        user=request.user, pk=whole(request.POST.get("passkey"), 0)
    ).first()
    if row is None:
        raise Http404
    row.delete()
    second_step.tell(request, request.user, SecondStep.PASSKEY_REMOVED, row.name)
    succeed(request, _("The passkey is removed."))
    return redirect("accounts:security")

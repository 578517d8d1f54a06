"""Two-step sign-in: the second step itself, and setting it up in the profile."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import second_step, sudo, totp
from accounts.decorators import for_any_account
from accounts.http import PersonRequest
from accounts.models import Authenticator, SpareCode
from accounts.signals import SecondStep
from portal.http import posts_from
from portal.notices import fail, succeed

SALT = "accounts.two_step"
# How long a page of the set-up can be used, in seconds.
DRAFT_LASTS = 60 * 60


class CodeForm(forms.Form):
    """A code of the app, or a spare one."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        error_messages={"required": gettext_lazy("Enter the code.")},
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )


class SignInCodeForm(CodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Spare codes have letters.
        self.fields["code"].widget.attrs |= {"autofocus": True, "inputmode": "text"}


# --- Signing in -----------------------------------------------------------------------------------


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the second step after the right password."""
    found = second_step.pending(request)
    if found is None:
        return redirect("accounts:sign_in")
    user, page = found
    form = SignInCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if second_step.accepts(request, user, form.cleaned_data["code"]):
            return second_step.complete(request, user, page)
        form.add_error("code", wrong_code())
    context = {"form": form, "email": user.email, "has_passkeys": user.passkeys.exists()}
    return render(request, "accounts/second_step.html", context)


def wrong_code() -> str:
    return _("That code is not right. Check the clock of the phone and enter the code shown now.")


# --- Setting it up --------------------------------------------------------------------------------


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: PersonRequest) -> HttpResponse:
    """Show the secret and the spare codes, and switch on two-step sign-in with the first code.

    Nothing is stored before: the page carries the secret, signed for its person.
    """
    asked = sudo.ask(request, _("To set up two-step sign-in"), _("Go On"))
    if asked:
        return sudo.page(request, asked, back=reverse("accounts:security"))
    if request.user.has_two_step:
        return redirect("accounts:security")
    if request.method == "POST" and "secret_draft" not in request.POST:
        # The password was given; a reload must not send it again.
        return redirect("accounts:set_up_two_step")
    draft = read_draft(request)
    # The page of new spare codes has drafts without a secret.
    if draft is None or not draft["secret"]:
        draft = new_draft(request, totp.new_secret())
    secret = bytes.fromhex(draft["secret"])
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        step = totp.matching_step(secret, form.cleaned_data["code"])
        if step is not None:
            Authenticator.switch_on(request.user, secret, step, draft["codes"])
            second_step.tell(request, request.user, SecondStep.ON)
            succeed(request, _("Two-step sign-in is on."), _("Keep the spare codes on paper."))
            return redirect("accounts:security")
        form.add_error("code", wrong_code())
    modules, path = totp.picture(secret, request.user.email)
    context = {
        "form": form,
        "draft": signing.dumps(draft, salt=SALT),
        "codes": draft["codes"],
        "secret": totp.in_words(secret),
        "modules": modules,
        "path": path,
    }
    return render(request, "accounts/two_step.html", context)


@for_any_account
@require_http_methods(["GET", "HEAD", "POST"])
def spare_codes(request: PersonRequest) -> HttpResponse:
    """Show new spare codes, which replace the old ones when the person says so."""
    asked = sudo.ask(request, _("To make new spare codes"), _("Go On"))
    if asked:
        return sudo.page(request, asked, back=reverse("accounts:security"))
    if not request.user.has_two_step:
        return redirect("accounts:security")
    if request.method == "POST":
        draft = read_draft(request)
        if draft is None:
            return redirect("accounts:spare_codes")
        SpareCode.replace(request.user, draft["codes"])
        second_step.tell(request, request.user, SecondStep.CODES)
        succeed(request, _("The new spare codes work from now on, the old ones no longer."))
        return redirect("accounts:security")
    draft = new_draft(request)
    context = {"draft": signing.dumps(draft, salt=SALT), "codes": draft["codes"]}
    return render(request, "accounts/spare_codes.html", context)


@for_any_account
@posts_from("accounts:security")
def download_codes(request: PersonRequest) -> HttpResponse:
    """Return the spare codes of a page as a text file."""
    draft = read_draft(request)
    if draft is None:
        return redirect("accounts:security")
    lines = [request.user.email, "", *draft["codes"], ""]
    response = HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="spare-codes.txt"'
    return response


@for_any_account
@posts_from("accounts:security")
def switch_off(request: PersonRequest) -> HttpResponse:
    """Remove the app and the spare codes, so that the password alone is enough again."""
    if asked := sudo.ask(request, _("To switch off two-step sign-in"), _("Remove")):
        return sudo.page(request, asked, back=reverse("accounts:security"))
    if must_have_two_step(request):
        fail(
            request,
            _("Two-step sign-in cannot be switched off."),
            _("An account that you administer requires it."),
        )
    elif request.user.has_two_step:
        request.user.authenticator.switch_off()
        second_step.tell(request, request.user, SecondStep.OFF)
        succeed(request, _("Two-step sign-in is off."))
    return redirect("accounts:security")


def must_have_two_step(request: PersonRequest) -> bool:
    return any(
        membership.is_admin and membership.account.requires_two_step
        for membership in request.memberships
    )


def new_draft(request: PersonRequest, secret: bytes = b"") -> dict[str, Any]:
    return {"user": request.user.pk, "secret": secret.hex(), "codes": totp.new_codes()}


def read_draft(request: PersonRequest) -> dict[str, Any] | None:
    """Return what a page of the set-up carries; None if it is too old or somebody else's."""
    try:
        draft: dict[str, Any] = signing.loads(
            request.POST.get("secret_draft", ""), salt=SALT, max_age=DRAFT_LASTS
        )
    except signing.BadSignature:
        return None
    return draft if draft["user"] == request.user.pk else None

"""Asking for the password again before the most sensitive acts (OWASP ASVS 7.5.3).

A view says what it is about to do, and does it only if no question is asked:

    if asked := sudo.ask(request, _("To enable the token"), _("Enable")):
        return sudo.page(request, asked, back=…)

The reply to the question contains the password and the form as it was sent: all fields are carried
in the page, never in a URL or the session, and are posted to the same view again.
"""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits, passkeys, proofs, signals
from accounts.hashing import Busy
from accounts.models import digest
from portal import typed

# The wrong password that ends a session: the fifth.
GUESSES = 5
# Not carried: fields of the previous page itself, and passwords, which no page ever repeats.
NOT_CARRIED = re.compile(rf"csrfmiddlewaretoken|{typed.OWNER}|sudo_|(old_|new_)?password[0-9]?$")


class SessionOver(Exception):
    """Raised after too many wrong passwords in one session, which SessionLimitsMiddleware ends.

    Whoever holds it is probably not its person.
    """


def check_password(request: HttpRequest, password: str) -> str:
    """Return the password if it is that of the signed-in person, else raise ValidationError.

    Wrong tries count as at sign-in: raise LimitReached or Busy as there. Raise SessionOver at the
    fifth wrong one of a session, whatever the limits at sign-in say.
    """
    key = f"sudo:{digest(request.session.session_key or '')}"
    guesses = [
        limits.Limit(
            key,
            GUESSES,
            timedelta(hours=settings.SESSION_HOURS),
            _("Too many wrong passwords in one session."),
        )
    ]
    email = request.user.email  # type: ignore[union-attr]  # the pages that ask are private
    try:
        # Counted before the password is checked, so that concurrent guesses count too.
        limits.take(guesses)
    except limits.LimitReached:
        raise SessionOver from None
    try:
        person = authenticate(request, username=email, password=password)
    except Busy:
        limits.give_back(guesses)
        raise
    except limits.LimitReached:
        person = None
        if limits.left(guesses):
            raise
    if person:
        limits.forgive(guesses)
        return password
    if not limits.left(guesses):
        raise SessionOver
    raise forms.ValidationError(_("The password is not right."))


class ConfirmForm(forms.Form):
    """The form that asks for the password of the signed-in person and carries what they sent."""

    sudo_password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your password.")},
    )

    # What a passkey signed instead; filled in by js/passkeys.js.
    sudo_passkey = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, purpose: str, button: str) -> None:
        self.request, self.purpose, self.button = request, purpose, button
        super().__init__(request.POST if "sudo_password" in request.POST else None)
        if self.data.get("sudo_passkey"):
            self.fields["sudo_password"].required = False

    @property
    def offers_passkey(self) -> bool:
        user = self.request.user
        return user.is_authenticated and user.passkeys.exists()

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The fields that are carried to the next request, as names and values."""
        return [
            (name, value)
            for name, values in self.request.POST.lists()
            if not NOT_CARRIED.match(name)
            for value in map(str, values)
        ]

    def clean_sudo_password(self) -> str:
        if self.data.get("sudo_passkey"):
            return ""
        return check_password(self.request, self.cleaned_data["sudo_password"])

    def clean_sudo_passkey(self) -> str:
        answer: str = self.cleaned_data["sudo_passkey"]
        if answer:
            user = self.request.user
            try:
                passkeys.prove(self.request, "sudo", answer, user)  # type: ignore[arg-type]
            except passkeys.NotProven as problem:
                # The page shows the errors of the password's field.
                self.add_error("sudo_password", problem)
        return ""


def ask(request: HttpRequest, purpose: str, button: str) -> ConfirmForm | None:
    """Return the form that asks for the password, or None if it was given.

    It may have been given with this request or in the last five minutes. `purpose` begins the
    sentence, as in "To enable the token"; `button` names the action.
    """
    if proofs.is_confirmed(request):
        return None
    form = ConfirmForm(request, purpose, button)
    if form.is_valid():
        proofs.confirm(
            request, proofs.PASSKEY if form.data.get("sudo_passkey") else proofs.PASSWORD
        )
        signals.password_confirmed.send(type(request.user), request=request, user=request.user)
        return None
    return form


def page(request: HttpRequest, asked: ConfirmForm, *, back: str) -> HttpResponse:
    """Return a page that asks for the password; for htmx, a dialog over the current page.

    It is for actions without a page of their own.
    """
    context: dict[str, Any] = {"confirm": asked, "cancel_url": back}
    if not getattr(request, "htmx", False):
        return render(request, "accounts/confirm.html", context)
    response = render(request, "partials/confirm_dialog.html", context)
    for header, value in {
        "Retarget": "#content",
        "Reswap": "beforeend",
        "Reselect": "dialog",
        "Push-Url": "false",
    }.items():
        response[f"HX-{header}"] = value
    return response

"""Asking for the password again before the most sensitive acts (OWASP ASVS 7.5.3)."""

import time
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# How long a password counts as just given, in seconds.
LASTS = 5 * 60


def confirm(request: HttpRequest) -> None:
    """The person has just given their password."""
    request.session["confirmed_at"] = int(time.time())


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the password was given in the last five minutes; signing in counts."""
    confirmed_at: int = request.session.get("confirmed_at", 0)
    return 0 <= time.time() - confirmed_at < LASTS


def check_password(request: HttpRequest, password: str) -> str:
    """The password, if it is that of the signed-in person; raises ValidationError. Wrong tries count like those at sign-in."""
    email = request.user.email  # type: ignore[union-attr]  # the pages that ask are private
    if authenticate(request, username=email, password=password) is None:
        raise forms.ValidationError(_("The password is not right."))
    return password


class ConfirmForm(forms.Form):
    """Asks for the password of the signed-in person."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your password.")},
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        return check_password(self.request, self.cleaned_data["password"])

"""Forms for signing in, the profile and new passwords."""

import zoneinfo
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    PasswordResetForm,
    SetPasswordForm,
)
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.hashing import Busy
from accounts.models import Account, Membership, User, fold_email
from accounts.sudo import check_password
from portal import background, moments
from portal.fields import VisibleText


class SignInForm(AuthenticationForm):
    """The sign-in form: e-mail and password."""

    error_messages = {
        # The same message for an unknown address, a wrong password and a person who may not sign
        # in, so that it does not reveal which.
        "invalid_login": _("E-mail or password is not right."),
        "inactive": _("E-mail or password is not right."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username = self.fields["username"]
        username.label = _("E-mail")
        username.widget = forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username", "maxlength": 254}
        )
        username.error_messages["required"] = _("Enter your e-mail address.")
        password = self.fields["password"]
        password.error_messages["required"] = _("Enter your password.")
        # As in every form with a password: longer ones cost memory, and no real one is that long.
        password.validators.append(MaxLengthValidator(4096))


@cache
def zone_choices() -> list[tuple[str, str]]:
    names = sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def with_time(name: str, label: str, now: datetime) -> str:
    """Return `Europe/Madrid (14:48 now)`."""
    return gettext("%(zone)s (%(time)s now)") % {
        "zone": label,
        "time": f"{moments.local(now, moments.zone(name)):%H:%M}",
    }


class ResetForm(PasswordResetForm):
    """The form for the address to which a link for a new password is sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")
        self.fields["email"].error_messages["required"] = _("Enter your e-mail address.")

    # The view names every argument.
    def save(self, *, request: HttpRequest, **kwargs: Any) -> None:  # type: ignore[override]
        """Look up the person and send the mail after the response. Raise Busy without room for it.

        If it were done before, the response time would reveal which addresses are known.
        """
        domain = request.get_host()
        if not background.later(
            lambda: super(ResetForm, self).save(domain_override=domain, **kwargs)
        ):
            raise Busy

    def get_users(self, email: str) -> Iterator[User]:
        """Return the people to write to, except those who got a mail in the last five minutes."""
        return (user for user in super().get_users(fold_email(email)) if user.may_be_sent_a_reset())


class NewPasswordForm(PasswordChangeForm):
    """The form for a new password that asks for the old one. Wrong tries count as at sign-in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        return check_password(self.request, self.cleaned_data["old_password"])


THEME_CHOICES = (
    ("system", _("Same as the system")),
    ("light", _("Light")),
    ("dark", _("Dark")),
)


class ProfileForm(forms.ModelForm):
    theme = forms.ChoiceField(label=_("Theme"), choices=THEME_CHOICES, required=False)

    class Meta:
        model = User
        fields = ("name", "time_zone")
        error_messages = {"name": {"required": _("Enter your name.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = zone_choices()
        now = timezone.now()
        # Like the pages, show UTC for a zone that is no longer known.
        current = self.initial["time_zone"] = str(moments.zone(self.instance.time_zone))
        if current not in dict(choices):
            choices = [(current, current), *choices]
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            choices=[(name, with_time(name, label, now)) for name, label in choices],
            help_text=_("All times in the portal are shown in it. The API speaks UTC."),
            error_messages={"invalid_choice": _("Choose a time zone from the list.")},
        )


class InvitationForm(forms.Form):
    """Whom to invite, and with what role."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        error_messages={
            "required": _("Enter an e-mail address."),
            "invalid": _("Enter an e-mail address such as name@company.example."),
        },
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Membership.Role.choices,
        initial=Membership.Role.MEMBER,
        help_text=_("Administrators manage tokens; members look, and never see keys."),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        email = fold_email(self.cleaned_data["email"])
        if Membership.objects.filter(account=self.account, user__email=email).exists():
            raise forms.ValidationError(_("This person belongs to the account already."))
        return email


class JoinForm(SetPasswordForm):
    """Name and password of somebody new who was invited."""

    name = VisibleText(
        label=_("Name"), max_length=128, error_messages={"required": _("Enter your name.")}
    )
    field_order = ("name", "new_password1", "new_password2")

    def clean_name(self) -> str:
        # The password may not be made of the name; the validators read it from the person.
        name: str = self.cleaned_data["name"]
        self.user.name = name
        return name

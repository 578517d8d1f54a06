"""The forms about the keys of a token: a new one, and a later end of the old one."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from portal import moments, text
from tokens.cockpit import Cockpit
from tokens.models import LONGEST_OVERLAP, SHORTEST_OVERLAP, Token

# What the old key may be given besides a moment of its own, in hours.
OVERLAPS = {
    "1": gettext_lazy("1 hour"),
    "24": gettext_lazy("1 day"),
    "48": gettext_lazy("2 days"),
    "168": gettext_lazy("7 days"),
    "720": gettext_lazy("30 days"),
}
OTHER = "other"


class UntilField(forms.DateTimeField):
    """A moment in the person's time zone, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(
            widget=widget,
            input_formats=("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"),
            error_messages={"invalid": gettext_lazy("Enter a moment as dd/mm/yyyy hh:mm.")},
            **kwargs,
        )

    def bound(self, earliest: datetime, latest: datetime) -> None:
        """Tell the browser what may be chosen."""
        for name, moment in (("min", earliest), ("max", latest)):
            self.widget.attrs[name] = f"{moments.local(moment):%Y-%m-%dT%H:%M}"


class NewKeyForm(forms.Form):
    """What happens to the present key when a new one is made."""

    RENEW, ROTATE = "renew", "rotate"

    what = forms.ChoiceField(choices=((RENEW, RENEW), (ROTATE, ROTATE)), initial=RENEW)
    hours = forms.ChoiceField(
        label=gettext_lazy("It stops after"),
        choices=[*OVERLAPS.items(), (OTHER, gettext_lazy("Other…"))],
        initial="48",
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a time from the list.")},
    )
    until = UntilField(label=gettext_lazy("It stops on"), required=False)
    # The key that the person was asked about. Two people, or two presses, make one new key.
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, token: Token) -> None:
        super().__init__(data, initial={"version": token.key_version}, prefix=None)
        self.token, self.now = token, timezone.now()
        self.has_two = token.old_key is not None
        # A key that has ended already cannot live on.
        self.must_rotate = self.has_two or self.latest <= self.now
        if self.must_rotate:
            self.fields["what"].initial = self.ROTATE
        until = self.fields["until"]
        until.bound(self.now + SHORTEST_OVERLAP, self.latest)  # type: ignore[attr-defined]

    @property
    def latest(self) -> datetime:
        """The latest end: thirty days, but never after the token or a policy ends the key."""
        present = next(iter(self.token.live_keys), None)
        end = self.token.key_end(present) if present else self.token.expires_at
        return min(self.now + LONGEST_OVERLAP, end or moments.LAST)

    @property
    def ends(self) -> list[dict[str, Any]]:
        """The choices of the list, with the moment that each stands for."""
        chosen = self["hours"].value()
        return [
            {
                "value": value,
                "label": label,
                "end": text.day_and_time(min(self.now + timedelta(hours=int(value)), self.latest))
                if value != OTHER
                else "",
                "checked": value == chosen,
            }
            for value, label in (*OVERLAPS.items(), (OTHER, _("Other…")))
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("what") != self.RENEW or self.errors:
            return cleaned
        hours = cleaned.get("hours") or "48"
        if hours != OTHER:
            cleaned["until"] = self.now + timedelta(hours=int(hours))
        elif cleaned.get("until") is None:
            when = _("Choose when the present %(key)s stops.")
            self.add_error("until", when % {"key": self.token.called_with})
        elif not self.now + SHORTEST_OVERLAP <= cleaned["until"] <= self.now + LONGEST_OVERLAP:
            self.add_error("until", _("Choose a moment from 1 hour to 30 days from now."))
        return cleaned

    def make(self, *, by: User) -> str:
        """Make the new key; return it as people see it. Raise TokenError."""
        version = self.cleaned_data["version"]
        if self.cleaned_data["what"] == self.ROTATE:
            return self.token.rotate(by=by, version=version).shown
        until = self.cleaned_data["until"]
        return self.token.renew(by=by, until=until, version=version).shown


class ExtendForm(forms.Form):
    """A later end of the old key."""

    until = UntilField(
        label=gettext_lazy("It stops on"),
    )

    def __init__(self, data: Any = None, *, cockpit: Cockpit) -> None:
        a_day = timedelta(days=1)
        later = min(min(cockpit.ends_at, moments.LAST - a_day) + a_day, cockpit.latest_end)
        super().__init__(data, initial={"until": later})
        until = self.fields["until"]
        until.error_messages["required"] = _("Choose when the %(old)s stops.") % cockpit.words
        until.help_text = _("Now on %(at)s; on %(latest)s at the latest.") % {
            "at": text.day_and_time(cockpit.ends_at),
            "latest": text.day_and_time(cockpit.latest_end),
        }
        until.bound(cockpit.ends_at, cockpit.latest_end)  # type: ignore[attr-defined]

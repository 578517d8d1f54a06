"""The fields that say when a token expires, shared by the wizard, Edit and Extend."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import moments, text
from portal.filters import DAYS
from portal.moments import LAST_DAY
from tokens.models import Policy, Token, TokenDraft
from tokens.models.rules import lifetime


class End(TextChoices):
    """The choices of *Expires*: some days from today, a date, or never."""

    IN_30 = "30", gettext_lazy("After 30 days")
    IN_60 = "60", gettext_lazy("After 60 days")
    IN_90 = "90", gettext_lazy("After 90 days")
    IN_365 = "365", gettext_lazy("After 365 days")
    ON = "on", gettext_lazy("On a date…")
    NEVER = "never", gettext_lazy("Never")

    @property
    def day(self) -> date | None:
        """The day that a number of days stands for; None for the other two."""
        if self in {End.ON, End.NEVER}:
            return None
        return timezone.localdate() + timedelta(days=int(self.value))


def last_second(day: date) -> datetime:
    """Return the last second of a day in the person's time zone, at most `moments.LAST`.

    West of Greenwich, the last day ends after that.
    """
    _start, end = moments.day_bounds(day)
    return min(end - timedelta(seconds=1), moments.LAST.replace(microsecond=0))


def proposal(days: int) -> dict[str, Any]:
    """Return the initial values of a form that proposes a number of days."""
    if str(days) in End:
        return {"expires": str(days)}
    return {"expires": End.ON, "expires_on": timezone.localdate() + timedelta(days=days)}


class EndForm(forms.Form):
    """When a token expires. The date counts with *On a date…*; without scripts it always shows."""

    expires = forms.ChoiceField(
        label=gettext_lazy("Expires"),
        choices=End.choices,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose when the token expires.")},
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=DAYS,
        error_messages={"invalid": gettext_lazy("Enter a day as dd/mm/yyyy.")},
    )

    instance: TokenDraft | Token

    def prepare(self) -> None:
        """Fill in what the token has now; called by the form's `__init__`."""
        ends, rule = self.instance.expires_at, lifetime(self.instance.account)
        self.kept_day = moments.local(ends).date() if ends else None
        self.initial["expires_on"] = self.kept_day
        self.initial["expires"] = End.ON if ends else End.NEVER
        if rule.proposed and not self.instance.name:
            self.initial.update(proposal(rule.proposed))
        if rule.most:
            words = _("A policy of the account stops a key after %(days)s days.")
            self.fields["expires"].help_text = words % {"days": f"{rule.most:,}"}
        self.first_day = timezone.localdate() + timedelta(days=1)
        self.fields["expires_on"].widget.attrs |= {
            "min": self.first_day.isoformat(),
            "max": LAST_DAY.isoformat(),
        }

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day and day != self.kept_day and not self.first_day <= day <= LAST_DAY:
            raise ValidationError(
                _("Choose a day in the future.")
                if day <= LAST_DAY
                else _("Choose a day before the year 2100.")
            )
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "expires" in cleaned and "expires_on" in cleaned:
            self.check_pair(cleaned["expires"], cleaned["expires_on"])
            if not {"expires", "expires_on"} & self.errors.keys():
                self.check_policy()
        return cleaned

    def check_pair(self, chosen: str, day: date | None) -> None:
        """Add an error if the choice and the date contradict each other."""
        if chosen == End.ON and day is None:
            self.add_error("expires_on", _("Choose a day."))
        elif chosen and chosen != End.ON and day not in {None, self.kept_day}:
            self.add_error(
                "expires_on",
                _("Choose “%(choice)s” for this day, or leave the day empty.")
                % {"choice": End.ON.label},
            )

    def check_policy(self) -> None:
        """Add an error if a policy of the account stops the key before the chosen end."""
        try:
            if isinstance(self.instance, Token):
                self.instance.check_end(self.expires_at)
            else:
                Policy.of(self.instance.account).check_end(self.expires_at, timezone.now())
        except ValidationError as problem:
            field = "expires_on" if self.cleaned_data["expires_on"] else "expires"
            self.add_error(field, problem.messages)  # type: ignore[arg-type]  # a list is accepted

    @cached_property
    def expires_at(self) -> datetime | None:
        """The last second of the chosen day in the person's time zone; None for never.

        If the day is unchanged, the stored time stays exactly as it was.
        """
        day = self.cleaned_data["expires_on"]
        # A form without the choice, as of a program, has the date only.
        chosen = End(self.cleaned_data["expires"] or (End.ON if day else End.NEVER))
        day = day if chosen is End.ON else chosen.day
        kept: datetime | None = self.instance.expires_at
        if day and day == self.kept_day:
            return kept
        return last_second(day) if day else None

    @property
    def kept_end(self) -> str:
        """The stored time in words, which applies while the day is unchanged."""
        return text.end(self.instance.expires_at) if self.instance.expires_at else ""

    @property
    def end(self) -> str:
        """The time that the fields stand for, in words; `""` if the day is invalid."""
        chosen = self["expires"].value()
        if chosen in End and chosen != End.ON:
            day = End(chosen).day
            return text.end(last_second(day)) if day else ""
        field = self["expires_on"]
        try:
            day = field.field.to_python(field.value())
        except ValidationError:
            return ""
        if day and day == self.kept_day:
            return self.kept_end
        return text.end(last_second(day)) if day and self.first_day <= day <= LAST_DAY else ""


class LaterEndForm(EndForm):
    """A later end for a token that has one."""

    instance: Token

    def __init__(self, data: Any = None, *, instance: Token) -> None:
        super().__init__(data)
        self.instance = instance
        self.prepare()
        self.initial["expires"] = End.IN_90

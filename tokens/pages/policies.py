"""The page Policies: what holds for all tokens of the account, and what saving it would stop."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts import sudo
from accounts.decorators import for_members
from accounts.http import PersonRequest
from accounts.models import Account
from portal import moments, text
from portal.filters import DAYS, DayInput
from portal.http import posted
from portal.notices import inform, succeed
from portal.typed import render_form
from tokens.models import IPRule, Policy, PolicyFields, Token, TokenKey
from tokens.models.policy import MOST_DAYS, MOST_TOKENS, strictly, usual_burst
from tokens.pages.forms import Number, calls
from tokens.stops import Foresight

# How many days ahead policies begin unless somebody chooses another day.
USUAL_DELAY = 7
PROPOSALS = (30, 60, 90, 365)


def days(label: Any, least: int = 1) -> Number:
    sentence = gettext_lazy("Enter a number of days from %(least)s to %(most)s.")
    return Number(MOST_DAYS, sentence, least=least, label=label)


class PolicyForm(forms.Form):
    """The policies: for most of them a box, and the numbers that count while it is ticked."""

    ends = forms.BooleanField(label=gettext_lazy("End After a Time"), required=False)
    most_days = days(gettext_lazy("Days until a key stops"))
    proposed_days = forms.TypedChoiceField(
        label=gettext_lazy("Days that the wizard proposes"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", gettext_lazy("no end date")),
            *((number, gettext_lazy("%s days") % number) for number in PROPOSALS),
        ],
    )
    idles = forms.BooleanField(label=gettext_lazy("Disable When Idle"), required=False)
    idle_days = days(gettext_lazy("Days without a call"))
    warn_days = days(gettext_lazy("Days of warning"), least=0)
    show_once = forms.BooleanField(label=gettext_lazy("Show Keys Once"), required=False)
    rules_required = forms.BooleanField(label=gettext_lazy("Require IP Rules"), required=False)
    capped = forms.BooleanField(label=gettext_lazy("Limit the Tokens"), required=False)
    most_tokens = Number(
        MOST_TOKENS,
        gettext_lazy("Enter a number of tokens from 1 to %(most)s."),
        label=gettext_lazy("Live tokens"),
    )
    limited = forms.BooleanField(label=gettext_lazy("Limit the Calls"), required=False)
    rate = calls(gettext_lazy("Calls a minute"))
    burst = calls(gettext_lazy("Calls at once"))
    two_step = forms.BooleanField(
        label=gettext_lazy("Two-Step Sign-In for Administrators"), required=False
    )
    hide_secrets = forms.BooleanField(label=gettext_lazy("Hide Secrets in the API"), required=False)
    starts_on = forms.DateField(
        label=gettext_lazy("In Force From"),
        required=False,
        widget=DayInput(),
        input_formats=DAYS,
        error_messages={"invalid": gettext_lazy("Enter a day as dd/mm/yyyy.")},
    )

    # Box -> the number that it needs, what is proposed for it, and numbers that go with it.
    BOXES: ClassVar[dict[str, tuple[str, int, tuple[str, ...]]]] = {
        "ends": ("most_days", 365, ("proposed_days",)),
        "idles": ("idle_days", 90, ("warn_days",)),
        "capped": ("most_tokens", 50, ()),
        "limited": ("rate", 600, ("burst",)),
    }

    def __init__(self, data: Any, *, account: Account) -> None:
        self.account = account
        self.saved, self.begins = Policy.planned(account)
        self.present = Policy.of(account).values
        self.tomorrow = timezone.localdate() + timedelta(days=1)
        self.kept_day = moments.local(self.begins).date() if self.begins else None
        initial = {**self.saved.values, "starts_on": self.kept_day or self.usual_day}
        for box, (name, proposal, _more) in self.BOXES.items():
            initial[box] = initial[name] is not None
            initial[name] = initial[name] or proposal
        initial["burst"] = initial["burst"] or usual_burst(initial["rate"])
        super().__init__(data, initial=initial)
        self.fields["starts_on"].widget.attrs["min"] = self.tomorrow.isoformat()

    @property
    def usual_day(self) -> date:
        return self.tomorrow + timedelta(days=USUAL_DELAY - 1)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        for box, (name, _proposal, more) in self.BOXES.items():
            if not values.get(box):
                for each in (name, *more):
                    self.errors.pop(each, None)
                    values[each] = None
            elif values.get(name) is None and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        if values["limited"] and values.get("burst") is None and values.get("rate"):
            values["burst"] = usual_burst(values["rate"])
        if values["idles"] and values.get("warn_days") is None and "warn_days" not in self.errors:
            self.add_error("warn_days", self.fields["warn_days"].error_messages["required"])
        most, proposed = values.get("most_days"), values.get("proposed_days")
        if most and proposed and proposed > most:
            self.add_error("proposed_days", _("The wizard cannot propose more than the maximum."))
        idle, warn = values.get("idle_days"), values.get("warn_days")
        if idle and warn and warn >= idle:
            self.add_error("warn_days", _("Warn fewer days ahead than a token may be idle."))
        return values

    def clean_starts_on(self) -> date:
        day: date | None = self.cleaned_data["starts_on"]
        if day is None:
            return self.kept_day or self.usual_day
        if day != self.kept_day and not self.tomorrow <= day <= moments.LAST_DAY:
            raise forms.ValidationError(_("Choose a day from tomorrow on."))
        return day

    @property
    def wanted(self) -> dict[str, Any]:
        """The policies in the form, or the saved ones while it shows those."""
        if not self.is_bound:
            return self.saved.values
        values = {name: self.cleaned_data[name] for name in self.saved.values}
        if values["warn_days"] is None:
            values["warn_days"] = self.saved.warn_days
        return values

    @property
    def starts_at(self) -> datetime:
        """The first moment of the day in the person's time zone."""
        day = self.cleaned_data["starts_on"] if self.is_bound else self.initial["starts_on"]
        if self.begins and day == self.kept_day:
            return self.begins
        return moments.day_bounds(day)[0]

    @property
    def is_stricter(self) -> bool:
        """Whether saving would take something away that the saved policies do not, or earlier."""
        wanted = self.wanted
        return strictly(wanted, self.saved.values) or bool(
            self.begins and self.starts_at < self.begins and strictly(wanted, self.present)
        )

    @property
    def is_changed(self) -> bool:
        return self.mark != PolicyForm(None, account=self.account).mark

    @property
    def mark(self) -> str:
        """What the form says, in one line: the page sends back of which form it showed the stops.

        Without the day if it makes no difference.
        """
        wanted = self.wanted
        day = self.starts_at.isoformat() if strictly(wanted, self.present) else ""
        return urlencode({**wanted, "day": day})

    @property
    def foresight(self) -> Foresight:
        return Foresight(self.account, self.wanted, self.starts_at)

    @property
    def start_words(self) -> str:
        """The sentence beside the day."""
        if self.is_bound and not self.is_valid():
            return ""
        left = (moments.local(self.starts_at).date() - timezone.localdate()).days
        ahead = ngettext("In %(n)s day.", "In %(n)s days.", left) % {"n": left}
        held = (
            _("Until then the present policies apply.")
            if any(self.present[name] for name in self.present if name != "warn_days")
            else _("Until then nothing is refused because of a policy.")
        )
        return f"{ahead} {held}"


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def policies(request: PersonRequest) -> HttpResponse:
    """Show the policies (GET), also those that somebody is typing, and save them (POST).

    Stricter ones are saved only after the page has shown what they stop.
    """
    account = request.membership.account
    if not request.membership.is_admin:
        if request.method == "POST":
            raise PermissionDenied(_("Your role in this account is read-only."))
        return read(request, account)
    if request.method != "POST" and "preview" in request.GET:
        return show(request, PolicyForm(request.GET, account=account))
    form = PolicyForm(posted(request), account=account)
    if request.method != "POST" or not form.is_valid():
        return show(request, form)
    if form.is_stricter and request.POST.get("shown") != form.mark:
        return show(request, form, asks=True)
    # Stricter ones stop programs, and looser ones let keys in again that were refused.
    purpose = format_html(_("To change the policies of <strong>{}</strong>"), account)
    if form.is_changed and (asked := sudo.ask(request, purpose, _("Save Policies"))):
        return show(request, form, confirm=asked)
    strict = strictly(form.wanted, form.present)
    if not Policy.change(account, form.wanted, starts_at=form.starts_at, by=request.user):
        inform(request, _("Nothing was changed."), _("The policies are as they were."))
    elif strict:
        day = text.day(form.starts_at)
        succeed(
            request,
            _("The policies are saved."),
            _("Stricter ones apply from %(day)s.") % {"day": day},
        )
    else:
        succeed(request, _("The policies are saved."), _("They apply from now on."))
    return redirect("tokens:policies")


def read(request: PersonRequest, account: Account) -> HttpResponse:
    """Show the policies to somebody who may not change them."""
    saved, begins = Policy.planned(account)
    context = {"lines": in_words(saved), "begins": begins}
    return render(request, "tokens/policies/read.html", context)


def in_words(policy: PolicyFields) -> list[tuple[Any, str]]:
    """Return each policy by name and in words; `""` for one that is off."""
    fields = PolicyForm.base_fields
    words = {
        "ends": _("At most %(most_days)s days") % policy.values if policy.most_days else "",
        "idles": _("After %(idle_days)s days") % policy.values if policy.idle_days else "",
        "show_once": _("On") if policy.show_once else "",
        "rules_required": _("On") if policy.rules_required else "",
        "capped": _("At most %(most_tokens)s live tokens") % policy.values
        if policy.most_tokens
        else "",
        "limited": _("At most %(rate)s calls a minute, %(burst)s of them at once") % policy.values
        if policy.rate
        else "",
        "two_step": _("On") if policy.two_step else "",
    }
    return [(fields[name].label, said) for name, said in words.items()]


def show(request: PersonRequest, form: PolicyForm, **shown: Any) -> HttpResponse:
    is_known = not form.is_bound or form.is_valid()
    context = {
        "form": form,
        "foresight": form.foresight if is_known else None,
        "mark": form.mark if is_known else "",
        "live": Token.objects.of_account(form.account.pk).live().count(),
        "copies": stored_copies(form.account),
        "rules": IPRule.objects.for_account(form.account.pk).count(),
        "is_shown": request.method == "POST" and is_known,
        **shown,
    }
    return render_form(request, "tokens/policies/page.html", context)


def stored_copies(account: Account) -> int:
    """Return how many sealed copies of keys Show Keys Once would destroy."""
    live = Token.objects.of_account(account.pk).live()
    return TokenKey.objects.filter(token__in=live).exclude(sealed=None).count()

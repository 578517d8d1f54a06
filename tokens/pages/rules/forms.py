"""The form of an IP rule."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.addresses import BETWEEN, WRONG, Span, read_address, read_span, span_of
from tokens.models import IPRule
from tokens.pages.forms import Text

SINGLE, RANGE = "single", "range"


class RuleForm(forms.Form):
    """Name and addresses of a rule; a network may be typed in either field of addresses."""

    name = Text(
        label=gettext_lazy("Name"),
        what=gettext_lazy("name"),
        limit=64,
        error_messages={"required": gettext_lazy("Enter a name for the rule.")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What the rule lets in"),
        choices=(
            (SINGLE, gettext_lazy("Single IP address")),
            (RANGE, gettext_lazy("IP address range")),
        ),
        widget=forms.RadioSelect,
    )
    first = forms.CharField(
        label=gettext_lazy("First address"),
        max_length=100,
        error_messages={"required": WRONG, "max_length": WRONG},
    )
    last = forms.CharField(
        label=gettext_lazy("Last address"),
        max_length=100,
        required=False,
        error_messages={"max_length": WRONG},
    )

    def __init__(self, data: Any, *, rule: IPRule, initial: dict[str, str] | None = None) -> None:
        self.rule = rule
        start = {"kind": SINGLE}
        if rule.first:
            kind = SINGLE if rule.first == rule.last else RANGE
            start = {"name": rule.name, "kind": kind, "first": rule.first, "last": rule.last}
        super().__init__(data, initial={**start, **(initial or {})})
        self.span: Span | None = None
        for name in ("first", "last"):
            attrs = self.fields[name].widget.attrs
            attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
            # A counter of characters says nothing here.
            attrs.pop("maxlength", None)
        # The style sheet shows one of the two, by the kind that is chosen.
        self.fields["first"].label = format_html(
            '<span class="if-single">{}</span><span class="if-range">{}</span>',
            _("IP address"),
            _("First address"),
        )

    @property
    def is_single(self) -> bool:
        return bool(self["kind"].value() == SINGLE)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "first" in cleaned and "last" in cleaned:
            self.span = self.read(cleaned["first"], cleaned["last"])
        self.rule.name = cleaned.get("name", "")
        self.check("name", self.rule.check_name)
        if self.span:
            self.check("first", self.rule.check_span, self.span)
        if self.rule._state.adding:
            self.check(None, self.rule.check_count)
        return cleaned

    def read(self, first: str, last: str) -> Span | None:
        """Return the addresses that were typed; add the error if they are none."""
        where = "first"
        try:
            if self.is_single or is_range(first):
                if last.strip() and not self.is_single:
                    where = "last"
                    raise forms.ValidationError(
                        _("Leave this empty, since the first field has a whole range.")
                    )
                return read_span(first)
            start = read_address(first)
            where = "last"
            if is_range(last):
                span = read_span(last)
                if span.first != start:
                    raise forms.ValidationError(_("This range begins at another address."))
                return span
            return span_of(start, read_address(last))
        except forms.ValidationError as problem:
            self.add_error(where, problem)
            return None

    def check(self, field: str | None, rule: Any, *values: Any) -> None:
        """Run a check of the model, and add its errors to those of the form."""
        if field in self.errors:
            return
        try:
            rule(*values)
        except forms.ValidationError as problem:
            self.add_error(None if hasattr(problem, "error_dict") else field, problem)


def is_range(text: str) -> bool:
    """Tell whether one field has more than one address: a network, or two with a dash between."""
    return "/" in text or len(BETWEEN.split(text.strip())) > 1

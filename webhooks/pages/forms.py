"""The forms of a webhook and of its secrets."""

import json
from itertools import zip_longest
from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import text
from portal.text import prose
from tokens.pages.forms import Number, Text
from webhooks import conditions, products, safety, secrets
from webhooks.catalog import Method, ObjectClass, Type
from webhooks.models import Webhook, WebhookDraft, WebhookEvent, WebhookFields
from webhooks.models.base import MOST_A_MINUTE, check_url
from webhooks.models.draft import no_product

# The fewest characters of a secret that is typed: shorter ones can be guessed.
SHORTEST = 32
# How many events the preview of a condition looks at.
LAST = 100


# The address is looked at while it is typed; only its own field is sent.
LOOKED_AT = {
    "hx-post": reverse_lazy("webhooks:address"),
    "hx-trigger": "input changed delay:800ms",
    "hx-params": "external_url",
    "hx-target": "#address-look",
    "hx-swap": "innerHTML show:none",
    "hx-sync": "this:replace",
}


def plain(widget: forms.Widget) -> forms.Widget:
    """Return a widget for text that is no language: no correction, no capitals."""
    widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
    return widget


def written(name: str, value: str) -> str:
    """Return a header as a line. In the field of the name, people paste such lines, too."""
    if ":" in name and not value.strip():
        return name
    # No name has a colon, which would cut it off.
    return f"{name.replace(':', chr(0x1A))}: {value}"


class Pairs(forms.Widget):
    """Rows of two fields, a name and its value; as a text, one row a line.

    The template shows the rows. Buttons, which need no scripts, add one and leave one out: both
    only show the form again.
    """

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        names, values = data.getlist(f"{name}_name"), data.getlist(f"{name}_value")
        rows = enumerate(zip_longest(names, values, fillvalue=""))
        return "\n".join(
            # Line breaks, which no browser sends, become what no header may have.
            "\x1a".join(written(key, value).splitlines())
            for number, (key, value) in rows
            if (key.strip() or value.strip()) and str(number) != data.get(f"{name}_drop")
        )

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        # Without rows there are no headers, rather than those of the default.
        return False

    @staticmethod
    def is_asked_by(data: QueryDict) -> bool:
        """Tell whether a row was added or left out, rather than the form sent."""
        return "headers_more" in data or "headers_drop" in data


class OwnSecret(forms.Form):
    """The field of a JWT secret: one that the portal has just made up, or one that is typed.

    With `kept`, there was one before, which is not shown again and stays if the field is empty.
    """

    # Its name keeps it out of the session, where what was typed is kept after errors.
    own_secret = forms.CharField(
        label=gettext_lazy("JWT secret"),
        required=False,
        strip=False,
        max_length=secrets.LONGEST,
        widget=plain(forms.TextInput()),
        error_messages={
            "max_length": gettext_lazy("A secret has at most %(limit_value)d characters.")
        },
        help_text=gettext_lazy(
            "Signs every call, so that your program knows that it comes from here. It is kept "
            "sealed; viewing it later asks for your password. Your own has at least 32 characters."
        ),
    )

    def __init__(self, data: Any = None, *, kept: bool = False) -> None:
        made = secrets.new_jwt()
        if data and self.is_asked_by(data):
            data = data.copy()
            data["own_secret"] = made
        super().__init__(data, initial={} if kept else {"own_secret": made})
        if kept:
            field = self.fields["own_secret"]
            field.widget.attrs["placeholder"] = _("Kept")
            field.help_text = _("It is kept as it was. Enter another one, or press New.")
        self.kept = kept

    @staticmethod
    def is_asked_by(data: QueryDict) -> bool:
        """Tell whether New was pressed, which needs no scripts: the form is only shown again."""
        return "another" in data

    @property
    def keeps(self) -> bool:
        """Whether the secret that there was before stays."""
        return self.kept and not self.cleaned_data["own_secret"]

    def clean_own_secret(self) -> str:
        if "own_secret" not in self.data and not self.kept:
            # A browser opens the form again, with what the session has kept of it.
            told = _("Enter it again, or press New. It is not kept while the form has errors.")
            raise forms.ValidationError(told)
        typed: str = self.cleaned_data["own_secret"]
        if typed:
            secrets.check(typed)
            if len(typed) < SHORTEST:
                told = _("Your own secret needs at least %(n)s characters.")
                raise forms.ValidationError(told % {"n": SHORTEST})
        return typed


class SecretForm(OwnSecret):
    """The form of New Secret. Only that of the JWT can be typed."""

    def __init__(self, data: Any, *, may_type: bool) -> None:
        super().__init__(data)
        if not may_type:
            del self.fields["own_secret"]

    @property
    def secret(self) -> str:
        """The new secret; `""` if the portal is to make it up."""
        return str(self.cleaned_data.get("own_secret", ""))


class FieldsForm(forms.ModelForm):
    """What the forms of a webhook share: each has some fields of a draft or of a webhook."""

    instance: WebhookFields

    class Meta:
        # The abstract base, so that one form fits drafts and webhooks.
        model = WebhookFields
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any = None, *, instance: WebhookDraft | Webhook) -> None:
        headers = instance.headers if isinstance(instance.headers, dict) else {}
        start = {
            "headers": "\n".join(f"{name}: {value}" for name, value in headers.items()),
            "data": text.json_text(instance.data) if instance.data else "",
        }
        super().__init__(data, instance=instance, initial=start)
        self.prepare()

    def prepare(self) -> None:
        """Fill in what depends on the account and the webhook."""


class GeneralForm(FieldsForm):
    """Step 1: what the webhook is for."""

    label = Text(
        label=gettext_lazy("Label"),
        what=gettext_lazy("label"),
        limit=100,
        error_messages={"required": gettext_lazy("Enter a label for the webhook.")},
    )
    description = Text(
        label=gettext_lazy("Description"),
        what=gettext_lazy("description"),
        limit=255,
        required=False,
        rule=prose,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    product_id = forms.ChoiceField(
        label=gettext_lazy("Product"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a product from the list.")},
        help_text=gettext_lazy("Tokens and helpdesk cases belong to no product."),
    )
    active = forms.BooleanField(
        label=gettext_lazy("Active"),
        required=False,
        help_text=gettext_lazy(
            "While it is inactive, events are kept and sent once it is enabled, which asks for the "
            "password. To stop it while you mend the endpoint, use Pause on its page."
        ),
    )

    class Meta(FieldsForm.Meta):
        fields = ("label", "description", "active", "product_id")

    def prepare(self) -> None:
        super().prepare()
        names = products.of(self.instance.account)
        chosen = self.instance.product_id
        if isinstance(self.instance, Webhook) and chosen and chosen not in names:
            # It may be gone, or belong to a contract that has ended.
            names[chosen] = self.instance.product_name or chosen
        self.products = names
        ordered = sorted(names.items(), key=lambda each: each[1].casefold())
        self.fields["product_id"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            ("", _("All products")),
            *((key, f"{name} ({key})") for key, name in ordered),
        ]

    @property
    def product_name(self) -> str:
        return self.products.get(self.cleaned_data["product_id"], "")[:128]


class EndpointForm(FieldsForm):
    """Step 2: where the events go."""

    external_url = forms.CharField(
        label=gettext_lazy("URL"),
        max_length=4096,
        widget=plain(forms.TextInput(attrs={"inputmode": "url", "data-limit": "", **LOOKED_AT})),
        error_messages={
            "required": gettext_lazy("Enter the address that the portal is to call."),
            "max_length": gettext_lazy("An address has at most %(limit_value)d characters."),
        },
        help_text=gettext_lazy("It must be public, and is never called through a redirect."),
    )
    http_method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=Method.choices,
        initial=Method.POST,
        widget=forms.Select(attrs={"aria-label": gettext_lazy("Method"), "class": "method-select"}),
        help_text=gettext_lazy("With GET, the event is in the query of the address."),
    )
    headers = forms.CharField(
        label=gettext_lazy("Headers"),
        required=False,
        widget=Pairs,
        help_text=gettext_lazy("Sent with every call, such as X-Source with the value connect."),
    )
    rate_per_minute = Number(
        MOST_A_MINUTE,
        gettext_lazy("Enter a number of calls from %(least)s to %(most)s."),
        label=gettext_lazy("Calls a minute"),
        help_text=gettext_lazy("At most so many, evenly spread; the others wait. Empty: no limit."),
    )
    keep_order = forms.BooleanField(
        label=gettext_lazy("Keep the order"),
        required=False,
        help_text=gettext_lazy(
            "An event waits until those before it about the same object have arrived, for an hour "
            "at most."
        ),
    )

    class Meta(FieldsForm.Meta):
        fields = ("external_url", "http_method", "headers", "rate_per_minute", "keep_order")

    def clean_external_url(self) -> str:
        typed: str = self.cleaned_data["external_url"]
        if typed != self.instance.external_url:
            check_url(typed)
            safety.check_reach(typed)
        return typed

    def clean_headers(self) -> dict[str, str]:
        """Return the headers by name."""
        found: dict[str, str] = {}
        for name, value in self.header_rows:
            if not name:
                told = _("Enter the name of the header with the value %(value)s.")
                raise forms.ValidationError(told % {"value": text.isolate(value[:64])})
            if name.lower() in map(str.lower, found):
                raise forms.ValidationError(_("%(name)s is given twice.") % {"name": name[:64]})
            found[name] = value
        return found

    @property
    def both(self) -> list[forms.BoundField]:
        """The fields of the row of method and address, the address first."""
        return [self["external_url"], self["http_method"]]

    @property
    def header_rows(self) -> list[tuple[str, str]]:
        """The names and values of the headers as they were typed, or are stored."""
        lines = str(self["headers"].value() or "").splitlines()
        rows = (line.partition(":") for line in lines)
        return [(name.strip(), value.strip()) for name, _colon, value in rows]


class EventsForm(FieldsForm):
    """Step 3: what is sent."""

    object_class = forms.ChoiceField(
        label=gettext_lazy("Fires on"),
        choices=ObjectClass.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what the webhook is about."),
            "invalid_choice": gettext_lazy("Choose what the webhook is about."),
        },
    )
    type = forms.ChoiceField(
        label=gettext_lazy("When"),
        required=False,
        widget=forms.Select(attrs={"data-validations": ""}),
        error_messages={"invalid_choice": gettext_lazy("Choose when from the list.")},
        help_text=gettext_lazy(
            "A validation waits for your answer; every other event does not. The portal keeps "
            "validations for programs that manage webhooks, and never asks them."
        ),
    )
    condition = forms.CharField(
        label=gettext_lazy("Condition"),
        required=False,
        widget=plain(forms.Textarea(attrs={"rows": 2})),
        help_text=gettext_lazy(
            "Only events whose object meets it are sent, such as eq(status,approved): RQL "
            "over the object as the API shows it. Of the event: action, product_id, actor_id, "
            "actor_name."
        ),
    )
    # Forms have an attribute of this name, which this does not touch.
    data = forms.CharField(  # type: ignore[assignment]
        label=gettext_lazy("Own data"),
        required=False,
        widget=plain(forms.Textarea(attrs={"rows": 3})),
        help_text=gettext_lazy(
            'JSON, such as {"queue": "orders"}. Sent as “data” with every call.'
        ),
    )

    class Meta(FieldsForm.Meta):
        fields = ("object_class", "type", "condition", "data")

    def prepare(self) -> None:
        super().prepare()
        self.fields["type"].choices = self.types  # type: ignore[attr-defined]  # a ChoiceField

    def clean_type(self) -> str:
        # A browser that has its form from before this choice sends none.
        return self.cleaned_data["type"] or self.initial.get("type", Type.EVENT)

    def clean_data(self) -> dict[str, Any]:
        typed = self.cleaned_data["data"].strip()
        try:
            value = json.loads(typed) if typed else {}
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise forms.ValidationError(_('Enter JSON such as {"queue": "orders"}.'))
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("object_class")
        if kind and cleaned.get("condition"):
            try:
                conditions.check(cleaned["condition"], kind)
            except forms.ValidationError as problem:
                self.add_error("condition", problem)
        if kind and cleaned.get("type") not in {None, Type.EVENT, *self.validations_of(kind)}:
            self.add_error("type", no_validation(kind))
        if "product_id" in self.fields:
            if kind and cleaned.get("product_id") and not ObjectClass(kind).has_product:
                told = _("Choose “All products”: a %(kind)s belongs to no product.")
                self.add_error("product_id", told % {"kind": str(ObjectClass(kind).label).lower()})
        elif kind and self.instance.product_id and not ObjectClass(kind).has_product:
            self.add_error("object_class", no_product(kind))
        return cleaned

    def validations_of(self, kind: str) -> list[Type]:
        """Return the validations of a class of objects, with what a program has stored of it."""
        known = [*ObjectClass(kind).validations]
        stored = self.initial["type"] if isinstance(self.instance, Webhook) else Type.EVENT
        if kind == self.initial["object_class"] and stored in Type.values[1:]:
            known += [Type(stored)] if stored not in known else []
        return known

    @property
    def types(self) -> list[tuple[str, Any]]:
        """The choices of When: the event, then the validations in groups, by their objects.

        Those of the chosen objects come first, so that a value of several groups is chosen there.
        """
        kind = self["object_class"].value()
        groups = sorted(ObjectClass, key=lambda each: each != kind)
        return [
            (Type.EVENT.value, Type.EVENT.label),
            *(
                (str(each.label), [(found.value, found.label) for found in types])
                for each in groups
                if (types := self.validations_of(each))
            ),
        ]

    @property
    def preview(self) -> str:
        """How many of the last events would have met the condition; `""` without one."""
        asked = self.instance
        if not asked.condition or {"condition", "object_class"} & set(self.errors):
            return ""
        events = WebhookEvent.objects.filter(
            account=asked.account_id, object_class=asked.object_class, is_test=False
        )
        if asked.product_id:
            events = events.filter(product_id=asked.product_id)
        last = [*events.order_by("-pk")[:LAST]]
        if not last:
            return _("No such event has happened yet.")
        matched = conditions.meeting(asked.condition, last)
        told = ngettext(
            "It would have matched %(n)s of the last event.",
            "It would have matched %(n)s of the last %(all)s events.",
            len(last),
        )
        told = told % {"n": matched, "all": len(last)}
        return f"{told} {_('The objects are looked at as they are now.')}"

    @property
    def options(self) -> list[dict[str, Any]]:
        """The objects to choose from, with what is told of each."""
        chosen = self["object_class"].value()
        return [
            {
                "value": each.value,
                "label": each.label,
                "covers": each.covers,
                "checked": chosen == each,
                "input_id": f"id_object_class_{number}",
            }
            for number, each in enumerate(ObjectClass)
        ]


def no_validation(kind: str) -> str:
    """Say that a validation is not one of the objects, which have others or none."""
    told = (
        _("It is not a validation of a %(kind)s. Choose another one.")
        if ObjectClass(kind).validations
        else _("A %(kind)s has no validations. Choose “After every change”.")
    )
    return told % {"kind": str(ObjectClass(kind).label).lower()}


class WebhookForm(GeneralForm, EndpointForm, EventsForm):
    """Everything of a webhook but its secrets, for Edit."""

    class Meta:
        model = Webhook
        fields = GeneralForm.Meta.fields + EndpointForm.Meta.fields + EventsForm.Meta.fields

    @property
    def values(self) -> dict[str, Any]:
        """The values of a webhook's fields in this form."""
        chosen = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return {**chosen, "product_name": self.product_name}

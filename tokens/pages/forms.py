"""The three forms of a token, shared by the wizard and Edit, so that both validate alike."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.core.validators import BaseValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.fields import VisibleText
from portal.text import prose
from tokens.catalog import Access, Module, labels
from tokens.html import extension_icon
from tokens.models import (
    Extension,
    Token,
    TokenDraft,
    TokenError,
    TokenFields,
    check_extension,
    check_name,
)
from tokens.models.policy import MOST_CALLS, usual_burst
from tokens.pages.ends import EndForm


class Shorten(BaseValidator):
    """A maximum length whose error says by how much the text is too long."""

    code = "max_length"

    def __init__(self, what: Any, limit: int) -> None:
        super().__init__(limit)
        self.what = what

    def __call__(self, value: str) -> None:
        extra = len(value) - self.limit_value
        if extra > 0:
            text = ngettext(
                "Shorten the %(what)s by %(n)s character.",
                "Shorten the %(what)s by %(n)s characters.",
                extra,
            )
            raise forms.ValidationError(text % {"what": self.what, "n": extra}, code=self.code)


class Text(VisibleText):
    """A text field whose error says by how much the text is too long.

    The limit applies to the characters that a person sees.
    """

    def __init__(self, *, what: Any, limit: int, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput())
        super().__init__(**kwargs)
        self.widget.attrs["data-limit"] = limit
        self.validators.append(Shorten(what, limit))


class GeneralForm(EndForm, forms.ModelForm):
    """Step 1: what the token is for."""

    name = Text(
        label=gettext_lazy("Name"),
        what=gettext_lazy("name"),
        limit=128,
        error_messages={"required": gettext_lazy("Enter a name for the token.")},
    )
    external_id = Text(
        label=gettext_lazy("External ID"),
        what=gettext_lazy("external ID"),
        limit=128,
        required=False,
        help_text=gettext_lazy("The identifier of this integration in your own system."),
    )
    description = Text(
        label=gettext_lazy("Description"),
        what=gettext_lazy("description"),
        limit=255,
        required=False,
        rule=prose,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    show_once = forms.BooleanField(label=gettext_lazy("Show the key only once"), required=False)

    class Meta:
        # The abstract base, so that one form fits drafts and tokens. The form always gets an
        # instance.
        model = TokenFields
        fields = ("name", "external_id", "description", "show_once")

    def __init__(self, data: Any = None, *, instance: TokenDraft | Token) -> None:
        super().__init__(data, instance=instance)
        self.prepare()
        # Once no copy of the key is kept, there is no way back.
        self.fields["show_once"].disabled = isinstance(instance, Token) and instance.show_once
        if self.noun != _("key"):
            self.fields["show_once"].label = _("Show the %(key)s only once") % {"key": self.noun}

    @property
    def noun(self) -> str:
        """The word for what people paste."""
        return self.instance.noun if isinstance(self.instance, Token) else _("key")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            check_name(
                self.instance.account,
                name,
                but=self.instance.pk if isinstance(self.instance, Token) else "",
            )
        except TokenError as problem:
            raise forms.ValidationError(str(problem)) from problem
        return name

    @property
    def values(self) -> dict[str, Any]:
        """The values of a token's fields in this form."""
        return {
            **{name: self.cleaned_data[name] for name in self.Meta.fields},
            "expires_at": self.expires_at,
        }


class Number(forms.IntegerField):
    """A whole number with one sentence for everything that is wrong with it."""

    def __init__(self, most: int, sentence: Any, *, least: int = 1, **kwargs: Any) -> None:
        wrong = sentence % {"most": f"{most:,}", "least": least}
        names = ("required", "invalid", "min_value", "max_value")
        super().__init__(
            min_value=least,
            max_value=most,
            required=False,
            error_messages=dict.fromkeys(names, wrong),
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            **kwargs,
        )


def calls(label: Any) -> Number:
    sentence = gettext_lazy("Enter a number of calls from %(least)s to %(most)s.")
    return Number(MOST_CALLS, sentence, label=label)


class RateForm(forms.ModelForm):
    """How often a token may call, if it has a limit of its own."""

    rate = calls(gettext_lazy("Calls a minute"))
    burst = calls(gettext_lazy("Calls at once"))

    class Meta:
        model = Token
        fields = ("rate", "burst")

    instance: Token

    def __init__(self, data: Any = None, *, instance: Token) -> None:
        super().__init__(data, instance=instance)
        policy = instance.policy
        self.fields["rate"].help_text = (
            _("Leave empty for the limit of the account: %(rate)s a minute, %(burst)s at once.")
            % {"rate": f"{policy.rate:,}", "burst": f"{policy.burst:,}"}
            if policy.rate and policy.burst
            else _("Leave empty for no limit.")
        )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        rate, burst = values.get("rate"), values.get("burst")
        if burst and not rate and "rate" not in self.errors:
            self.add_error("rate", _("Enter how many calls a minute there may be."))
        if rate and not burst and "burst" not in self.errors:
            values["burst"] = usual_burst(rate)
        return values

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class ExtensionForm(forms.Form):
    """Step 2: what will use the token."""

    extension = forms.ChoiceField(
        label=gettext_lazy("Extension"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose an extension."),
            "invalid_choice": gettext_lazy("Choose an extension."),
        },
    )

    def __init__(self, data: Any = None, *, instance: TokenDraft) -> None:
        super().__init__(data, initial={"extension": instance.extension_id})
        self.instance = instance
        self.offered = {
            extension.pk: extension
            for extension in Extension.objects.offered_to(instance.account).in_order()
        }
        choices = [(extension.pk, extension.label) for extension in self.offered.values()]
        self.fields["extension"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def clean_extension(self) -> Extension:
        extension = self.offered[self.cleaned_data["extension"]]
        try:
            check_extension(self.instance.account, extension)
        except TokenError as problem:
            raise forms.ValidationError(str(problem)) from problem
        return extension

    @property
    def cards(self) -> list[dict[str, Any]]:
        chosen = self["extension"].value()
        return [
            {
                "id": extension.pk,
                "label": extension.label,
                "subtitle": extension.subtitle,
                "icon": extension_icon(extension, 22),
                "tile": extension.tile,
                "fixed_modules": None
                if extension.fixed_modules is None
                else labels(extension.fixed_modules),
                "checked": chosen == extension.pk,
                "input_id": f"id_extension_{number}",
            }
            for number, extension in enumerate(self.offered.values())
        ]


class PermissionsForm(forms.Form):
    """Step 3: the modules that the token may reach.

    Disabled for an extension with fixed modules.
    """

    modules = forms.MultipleChoiceField(
        label=gettext_lazy("Modules"),
        choices=Module.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one module."),
            "invalid_choice": gettext_lazy(
                "“%(value)s” is not a module. Choose modules from the list."
            ),
        },
    )

    def __init__(self, data: Any = None, *, extension: Extension, grants: Collection[str]) -> None:
        super().__init__(data, initial={"modules": [*grants]})
        self.fixed = not extension.asks_permissions
        self.before = set(grants)
        if self.fixed:
            self.fields["modules"].required = False
            self.fields["modules"].disabled = True

    def clean_modules(self) -> list[str]:
        modules: list[str] = self.cleaned_data["modules"]
        return [Module.ALL.value] if Module.ALL in modules else [*map(str, modules)]

    @property
    def chosen(self) -> set[str]:
        """The modules ticked on the page, whether the form is valid or not."""
        return {str(value) for value in self["modules"].value() or ()} & set(Module.values)

    @property
    def all_modules(self) -> dict[str, Any]:
        return {
            "value": Module.ALL.value,
            "label": _("All Modules"),
            "covers": Module.ALL.covers,
            "checked": Module.ALL in self.chosen,
        }

    @property
    def entries(self) -> list[dict[str, Any]]:
        chosen = self.chosen
        return [
            {
                "value": module.value,
                "label": module.label,
                "covers": module.covers,
                "checked": module in chosen,
                "input_id": f"id_modules_{number}",
            }
            for number, module in enumerate(Module.single(), start=1)
        ]

    @property
    def access(self) -> Access:
        return Access.of(self.chosen)

"""The three forms of a token: one set for the wizard and for Edit, so that both check alike."""

import re
from collections.abc import Collection
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.validators import BaseValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tokens.catalog import Access, Extension, Module, labels
from tokens.models import Token, TokenDraft, TokenError, TokenFields, check_cap, check_name

# As browsers send a day, and as people without a date picker type it.
DAYS = ("%Y-%m-%d", "%d/%m/%Y")
# Later days would leave what the databases can hold once a time zone is added.
LAST_DAY = date(2099, 12, 31)


class Shorten(BaseValidator):
    """A limit that says by how much a text is too long, instead of cutting it."""

    code = "max_length"

    def __init__(self, what: Any, limit: int) -> None:
        super().__init__(limit)
        self.what = what

    def __call__(self, value: str) -> None:
        extra = len(value) - self.limit_value
        if extra > 0:
            text = ngettext("Shorten the %(what)s by %(n)s character.", "Shorten the %(what)s by %(n)s characters.", extra)
            raise forms.ValidationError(text % {"what": self.what, "n": extra}, code=self.code)


# Letters that turn the direction of a text: with them one name can look like another.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Text(forms.CharField):
    """A text that is what it looks like: one kind of line end, so that the limit counts what a person sees, and no hidden turns."""

    def __init__(self, *, what: Any, limit: int, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput())
        super().__init__(**kwargs)
        self.widget.attrs["data-limit"] = limit
        self.validators.append(Shorten(what, limit))

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        if TURNING.search(text):
            raise forms.ValidationError(_("Remove the hidden letters that turn the direction of the text."), code="turning")
        return text.replace("\r\n", "\n").replace("\r", "\n").strip()


class GeneralForm(forms.ModelForm):
    """Step 1: what the token is for."""

    name = Text(
        label=gettext_lazy("Name"), what=gettext_lazy("name"), limit=128, error_messages={"required": gettext_lazy("Enter a name for the token.")}
    )
    external_id = Text(
        label=gettext_lazy("External ID"),
        what=gettext_lazy("external ID"),
        limit=128,
        required=False,
        help_text=gettext_lazy("The identifier of this integration in your own system."),
    )
    description = Text(
        label=gettext_lazy("Description"), what=gettext_lazy("description"), limit=255, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        help_text=gettext_lazy("Leave empty for a token without an end date."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=DAYS,
        error_messages={"invalid": gettext_lazy("Enter a day as dd/mm/yyyy.")},
    )

    class Meta:
        # The fields are those of the abstract base, so one form fits a draft and a token; it is always given an instance.
        model = TokenFields
        fields = ("name", "external_id", "description")

    instance: TokenDraft | Token

    def __init__(self, data: Any = None, *, instance: TokenDraft | Token) -> None:
        super().__init__(data, instance=instance)
        self.kept_day = timezone.localdate(instance.expires_at) if instance.expires_at else None
        self.initial["expires_on"] = self.kept_day
        self.fields["expires_on"].widget.attrs["min"] = timezone.localdate().isoformat()

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        try:
            check_name(self.instance.account, name, but=self.instance if isinstance(self.instance, Token) else None)
        except TokenError as problem:
            raise forms.ValidationError(str(problem)) from problem
        return name

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day and day != self.kept_day and not timezone.localdate() < day <= LAST_DAY:
            raise forms.ValidationError(_("Choose a day in the future.") if day <= LAST_DAY else _("Choose a day before the year 2100."))
        return day

    @property
    def expires_at(self) -> datetime | None:
        """The last second of the day, where the person lives. A day that was not touched keeps its exact moment."""
        day = self.cleaned_data["expires_on"]
        if day and day == self.kept_day:
            return self.instance.expires_at
        return timezone.make_aware(datetime.combine(day, time(23, 59, 59))) if day else None

    @property
    def values(self) -> dict[str, Any]:
        """The fields of a token that this form decides."""
        return {**{name: self.cleaned_data[name] for name in self.Meta.fields}, "expires_at": self.expires_at}


class ExtensionForm(forms.Form):
    """Step 2: what will use the token."""

    extension = forms.ChoiceField(
        label=gettext_lazy("Extension"),
        choices=Extension.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose an extension."), "invalid_choice": gettext_lazy("Choose an extension.")},
    )

    def __init__(self, data: Any = None, *, instance: TokenDraft) -> None:
        super().__init__(data, initial={"extension": instance.extension})
        self.instance = instance

    def clean_extension(self) -> str:
        extension: str = self.cleaned_data["extension"]
        try:
            check_cap(self.instance.account, extension)
        except TokenError as problem:
            raise forms.ValidationError(str(problem)) from problem
        return extension

    @property
    def cards(self) -> list[dict[str, Any]]:
        chosen = self["extension"].value()
        return [
            {
                "value": extension.value,
                "id": extension.id,
                "label": extension.label,
                "purpose": extension.purpose,
                "icon": extension.icon,
                "tile": extension.tile,
                "fixed_modules": labels(extension.fixed_modules) or None,
                "checked": chosen == extension.value,
                "input_id": f"id_extension_{number}",
            }
            for number, extension in enumerate(Extension)
        ]


class PermissionsForm(forms.Form):
    """Step 3: the modules that the token may reach. For an extension with a fixed set nothing can be changed."""

    modules = forms.MultipleChoiceField(
        label=gettext_lazy("Modules"),
        choices=Module.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Choose at least one module."),
            "invalid_choice": gettext_lazy("“%(value)s” is not a module. Choose modules from the list."),
        },
    )

    def __init__(self, data: Any = None, *, extension: Extension, grants: Collection[str]) -> None:
        super().__init__(data, initial={"modules": [*grants]})
        self.fixed = not extension.asks_permissions
        self.before = set(grants)
        if self.fixed:
            self.fields["modules"].required = False
            self.fields["modules"].disabled = True
            self.initial["modules"] = [*extension.fixed_modules]

    def clean_modules(self) -> list[str]:
        modules: list[str] = self.cleaned_data["modules"]
        return [Module.ALL.value] if Module.ALL in modules else [*map(str, modules)]

    @property
    def chosen(self) -> set[str]:
        """The modules ticked as the page stands, valid or not."""
        return {str(value) for value in self["modules"].value() or ()} & set(Module.values)

    @property
    def all_modules(self) -> dict[str, Any]:
        return {"value": Module.ALL.value, "label": _("All Modules"), "covers": Module.ALL.covers, "checked": Module.ALL in self.chosen}

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

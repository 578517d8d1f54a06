"""The form above the catalog."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from tokens.models import Category, Extension

CATEGORIES = [("", gettext_lazy("All")), *Category.choices]
SIDES = [
    ("", gettext_lazy("Everybody")),
    *(choice for choice in Extension.Side.choices if choice[0] != Extension.Side.ANY),
]


class CatalogForm(forms.Form):
    """What to look for: a text, a category, a side. All of it stands in the query string."""

    q = forms.CharField(label=gettext_lazy("Search extensions"), required=False, max_length=128)
    category = forms.ChoiceField(
        label=gettext_lazy("Category"),
        required=False,
        choices=CATEGORIES,
        error_messages={"invalid_choice": gettext_lazy("“%(value)s” is not a category.")},
    )
    side = forms.ChoiceField(
        label=gettext_lazy("For"),
        required=False,
        choices=SIDES,
        error_messages={"invalid_choice": gettext_lazy("“%(value)s” is not a side.")},
    )

    @property
    def wanted(self) -> dict[str, Any]:
        return self.cleaned_data if self.is_valid() else {}

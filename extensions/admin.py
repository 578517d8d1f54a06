"""Extensions in the admin: with a preview, and the choice of what a change does to tokens."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from extensions import effects
from portal.admin import BoundedInline
from tokens.models import Extension, ExtensionVersion, Token


class ExtensionForm(forms.ModelForm):
    """The form of an extension. Other fixed modules ask what happens to the tokens that exist."""

    KEEP, CHANGE = "keep", "change"

    tokens = forms.ChoiceField(
        label=_("Tokens that exist"),
        required=False,
        widget=forms.RadioSelect,
        choices=(
            (KEEP, _("Keep the modules that they have")),
            (CHANGE, _("Get the new modules at once")),
        ),
        help_text=_("Asked for when the fixed modules change."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "fixed_modules" in self.changed_data and not cleaned.get("tokens"):
            effect = effects.effect(self.instance, cleaned.get("fixed_modules"))
            if effect:
                self.add_error("tokens", effect)
        if "_preview" in self.data:
            raise ValidationError(_("Nothing is saved yet. The preview is below."), code="preview")
        return cleaned


class VersionInline(BoundedInline):
    model = ExtensionVersion
    newest = ("-released_at", "-pk")


@admin.register(ExtensionVersion)
class ExtensionVersionAdmin(admin.ModelAdmin):
    list_display = ("number", "extension", "released_at")
    list_filter = ("extension",)
    list_select_related = ("extension",)
    search_fields = ("number", "extension__label")


@admin.register(Extension)
class ExtensionAdmin(admin.ModelAdmin):
    list_display = ("label", "id", "name", "status", "side", "most_tokens")
    list_filter = ("status", "side")
    search_fields = ("id", "name", "label")
    readonly_fields = ("id",)
    autocomplete_fields = ("owner",)
    inlines = (VersionInline,)
    form = ExtensionForm
    change_form_template = "admin/extension.html"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say how many tokens keep an extension from being deleted; Django would list them all."""
        counts = (
            (extension, Token.objects.filter(extension=extension).count()) for extension in objs
        )
        used = [
            f"{extension}: {ngettext('%(n)s token', '%(n)s tokens', count) % {'n': f'{count:,}'}}"
            for extension, count in counts
            if count
        ]
        return ([], {}, set(), used) if used else super().get_deleted_objects(objs, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("tokens") == ExtensionForm.CHANGE:
            # Afterwards, one token at a time, so that nobody waits for all of them.
            transaction.on_commit(lambda: self.change_tokens(request, obj))

    def change_tokens(self, request: HttpRequest, extension: Extension) -> None:
        # Only signed-in staff reach the admin, so `request.user` is a User.
        count = effects.follow(extension, by=request.user)  # type: ignore[arg-type]
        text = ngettext("%(n)s token was changed.", "%(n)s tokens were changed.", count)
        self.message_user(request, text % {"n": f"{count:,}"}, messages.SUCCESS)

    @admin.display(description=_("tokens per account"))
    def most_tokens(self, extension: Extension) -> int:
        return extension.most_tokens

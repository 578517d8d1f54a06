"""Extensions in the admin: with a preview, and the choice of what a change does to tokens."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from extensions import effects
from portal import svg
from portal.admin import BoundedInline
from portal.fields import LineField, ProseField
from portal.text import join
from tokens.models import Extension, ExtensionVersion, OwnIcon, Token

# The code of what keeps a form from being saved if only a preview was asked for.
PREVIEW = "preview"


class ExtensionForm(forms.ModelForm):
    """The form of an extension. Other fixed modules ask what happens to the tokens that exist."""

    # The names of what was left out of an uploaded icon.
    left_out: Sequence[str] = ()

    class Meta:
        widgets: ClassVar = {"own_icon": forms.HiddenInput}

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

    svg = forms.FileField(
        label=_("Own icon"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".svg,image/svg+xml"}),
        help_text=_(
            "An SVG file of 32 KB at most, shown instead of the icon. Scripts, links and images in "
            "it are left out."
        ),
    )
    no_svg = forms.BooleanField(label=_("Remove the own icon"), required=False)

    def clean_svg(self) -> UploadedFile | None:
        """Keep the drawing at once, so that neither a preview nor a mistake elsewhere loses it."""
        upload: UploadedFile | None = self.cleaned_data["svg"]
        if upload:
            # One byte more than it may have, which `clean` refuses.
            drawing = svg.clean(upload.read(svg.MOST_BYTES + 1))
            self.left_out = drawing.left_out
            # The page repeats what was sent, and with it the icon.
            sent = cast("QueryDict", self.data).copy()
            sent["own_icon"] = OwnIcon.keep(drawing.text).pk
            self.data = sent
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("svg"):
            cleaned["own_icon"] = OwnIcon.objects.get(pk=self.data["own_icon"])
        elif cleaned.get("no_svg"):
            cleaned["own_icon"] = None
        if "fixed_modules" in self.changed_data and not cleaned.get("tokens"):
            effect = effects.effect(self.instance, cleaned.get("fixed_modules"))
            if effect:
                self.add_error("tokens", effect)
        if cleaned.get("uses_handle"):
            if self.instance.pk == Extension.CUSTOM:
                self.add_error("uses_handle", _("Programs of customers need a key."))
            elif not cleaned.get("owner"):
                text = _("Choose who made it: only a token of that account can exchange a handle.")
                self.add_error("owner", text)
        if "_preview" in self.data:
            raise ValidationError(_("Nothing is saved yet. The preview is below."), code=PREVIEW)
        return cleaned


class VersionInline(BoundedInline):
    model = ExtensionVersion
    newest = ("-released_at", "-pk")
    # Django's own are so wide that the page scrolls sideways.
    formfield_overrides: ClassVar = {
        LineField: {"widget": forms.TextInput(attrs={"size": 12})},
        ProseField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 40})},
    }


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

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put the upload below the choice of an icon."""
        own = ("svg", "no_svg")
        fields = [name for name in super().get_fields(request, obj) if name not in own]
        place = fields.index("icon") + 1
        return [*fields[:place], *own, *fields[place:]]

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

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **more: Any
    ) -> Any:
        """Show a preview as no mistake, beside the mistakes that there are."""
        form = context["adminform"].form
        if form.has_error(NON_FIELD_ERRORS, PREVIEW):
            problems = form.errors.pop(NON_FIELD_ERRORS).as_data()
            for problem in problems:
                if problem.code == PREVIEW:
                    self.message_user(request, problem.message)
                else:
                    form.add_error(None, problem)
            formsets = [inline.formset for inline in context["inline_admin_formsets"]]
            context["errors"] = AdminErrorList(form, formsets)
        return super().render_change_form(request, context, *args, **more)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if "fixed_modules" in form.changed_data:
            # Marked in the transaction of the change, so that it is finished whatever happens.
            follows = form.cleaned_data.get("tokens") == ExtensionForm.CHANGE
            obj.followed_by = request.user if follows and obj.fixed_modules else None
        super().save_model(request, obj, form, change)
        if form.left_out:
            text = _("Left out of the icon, since icons may not have it: %(names)s.")
            self.message_user(request, text % {"names": join(form.left_out)}, messages.WARNING)
        if obj.followed_by:
            transaction.on_commit(lambda: self.change_tokens(request, obj))

    def change_tokens(self, request: HttpRequest, extension: Extension) -> None:
        count = effects.follow(extension)
        text = ngettext("%(n)s token was changed.", "%(n)s tokens were changed.", count)
        self.message_user(request, text % {"n": f"{count:,}"}, messages.SUCCESS)

    @admin.display(description=_("tokens per account"))
    def most_tokens(self, extension: Extension) -> int:
        return extension.most_tokens

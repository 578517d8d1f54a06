"""Extensions, which are rows so that administrators of the portal can edit them."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import Guarded, LineField, PublicIdField
from tokens.catalog import Module


def in_catalog_order(modules: Collection[Any]) -> list[Module]:
    return [module for module in Module if module.value in modules]


class ModulesField(Guarded, models.JSONField):
    """A list of modules in the order of the catalog, or null.

    Stored modules that are no longer in the catalog are skipped.
    """

    def accept(self, value: Any) -> list[str] | None:
        for module in value if isinstance(value, list) else [value]:
            if module not in Module.values:
                message = _("“%(value)s” is not a module. Choose modules from the list.")
                raise ValidationError(message % {"value": module}, code="invalid_choice")
        return [module.value for module in in_catalog_order(value)] or None

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> list[Module] | None:
        stored = super().from_db_value(value, expression, connection)
        if stored is None:
            return None
        return in_catalog_order(stored) if isinstance(stored, list) else []

    def formfield(
        self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any
    ) -> Any:
        boxes = {
            "form_class": forms.MultipleChoiceField,
            "choices": Module.choices,
            "widget": forms.CheckboxSelectMultiple,
        }
        # Skips JSONField.formfield(), which passes arguments that only a JSON form field takes.
        return models.Field.formfield(self, **{**kwargs, **boxes})


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def offered_to(self, account: Account) -> "ExtensionQuerySet":
        """Return the extensions that the account can create tokens for."""
        return self.filter(side__in=(Extension.Side.ANY, account.side))

    def in_order(self) -> "ExtensionQuerySet":
        """Return the extensions as people see them: fixed modules first, then by label."""
        return self.order_by(IsNull(F("fixed_modules"), rhs=True), "label", "pk")


class Extension(models.Model):
    """What a token is made for. It has a fixed set of modules, or the person chooses them.

    When the modules of an extension change, existing tokens keep theirs.
    """

    class Side(models.TextChoices):
        """The accounts that an extension is for; an account's side is one of the last two."""

        ANY = "any", gettext_lazy("Vendors and distributors")
        VENDOR = "vendor", gettext_lazy("Vendors")
        DISTRIBUTOR = "distributor", gettext_lazy("Distributors")

    class Icon(models.TextChoices):
        """Icons of `static/icons.svg` that fit on a tile."""

        BARS = "bars", gettext_lazy("Bars")
        BOLT = "bolt", gettext_lazy("Bolt")
        BRANCH = "branch", gettext_lazy("Branch")
        CALENDAR = "calendar", gettext_lazy("Calendar")
        CODE = "code", gettext_lazy("Code")
        EXTENSION = "extension", gettext_lazy("Puzzle piece")
        KEY = "key", gettext_lazy("Key")
        PLUG = "plug", gettext_lazy("Plug")
        WEBHOOK = "webhook", gettext_lazy("Webhook")

    # For customers' own programs; the id is that of the real product.
    CUSTOM = "EXT-000"

    id = PublicIdField(gettext_lazy("ID"), groups=(3, 3), prefix="EXT")
    name = LineField(
        gettext_lazy("name"),
        max_length=50,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[a-z0-9-]+\Z", gettext_lazy("Use lower-case letters, digits and hyphens only.")
            )
        ],
        help_text=gettext_lazy("What programs call it, such as “zapier”."),
    )
    label = LineField(
        gettext_lazy("label"),
        max_length=50,
        help_text=gettext_lazy("What people call it, such as “Zapier”."),
    )
    description = LineField(
        gettext_lazy("description"),
        max_length=255,
        help_text=gettext_lazy("A few words, such as “Zapier Integration”."),
    )
    overview = LineField(
        gettext_lazy("overview"),
        max_length=255,
        help_text=gettext_lazy("What it does, in a sentence."),
    )
    icon = models.CharField(
        gettext_lazy("icon"), max_length=16, choices=Icon, default=Icon.EXTENSION
    )
    side = models.CharField(gettext_lazy("for"), max_length=16, choices=Side, default=Side.ANY)
    fixed_modules = ModulesField(
        gettext_lazy("fixed modules"),
        null=True,
        blank=True,
        help_text=gettext_lazy(
            "What its tokens may reach. With none ticked, the person who makes a token chooses. "
            "Tokens that exist keep what they have."
        ),
    )
    cap = models.PositiveSmallIntegerField(
        gettext_lazy("tokens per account"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=gettext_lazy(
            "How many live tokens an account may have for it; empty for what TOKENS_PER_EXTENSION "
            "says."
        ),
    )

    objects = ExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("extension")
        verbose_name_plural = gettext_lazy("extensions")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(side__in=("any", "vendor", "distributor")),
                name="known_side_of_extension",
            ),
            models.CheckConstraint(
                condition=Q(cap=None) | Q(cap__gte=1), name="cap_of_extension_is_positive"
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def tile(self) -> str:
        """The CSS class of the tile. Some names have their own colour, all others the default."""
        return f"tile-{self.name}"

    @property
    def asks_permissions(self) -> bool:
        """Whether the person chooses the modules."""
        return self.fixed_modules is None

    @property
    def most_tokens(self) -> int:
        """The maximum number of live tokens per account."""
        most: int = self.cap or settings.TOKENS_PER_EXTENSION
        return most

    def is_offered_to(self, account: Account) -> bool:
        return self.side in {self.Side.ANY, account.side}

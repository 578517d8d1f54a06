"""Extensions, which are rows so that administrators of the portal can edit them."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import Account
from portal.fields import ActorField, Guarded, LineField, MomentField, ProseField, PublicIdField
from tokens.catalog import Module
from tokens.models.icon import OwnIcon


class Category(models.TextChoices):
    """The sections of the catalog of extensions, in their order, with what one finds there."""

    about: Promise

    def __new__(cls, value: str, about: Promise) -> "Category":
        category = str.__new__(cls, value)
        category._value_ = value
        category.about = about
        return category

    AUTOMATION = (
        "automation",
        gettext_lazy("Platforms that connect systems without a program of yours"),
        gettext_lazy("Automation"),
    )
    REPORTING = (
        "reporting",
        gettext_lazy("Ready programs that read your data"),
        gettext_lazy("Reporting"),
    )
    COMMERCE = (
        "commerce",
        gettext_lazy("Orders, prices and invoices in other systems"),
        gettext_lazy("Commerce"),
    )
    SUPPORT = (
        "support",
        gettext_lazy("Help desks and chats with customers"),
        gettext_lazy("Support"),
    )
    OWN = (
        "own",
        gettext_lazy("Scripts and services that you write"),
        gettext_lazy("Your own programs"),
    )
    OTHER = ("other", gettext_lazy("Everything else"), gettext_lazy("Other"))


class ChosenField(Guarded, models.JSONField):
    """A list of choices in the order of their class.

    Stored values that are no longer choices are skipped.
    """

    choices_of: type[models.TextChoices]
    not_one: Promise

    def in_order(self, values: Collection[Any]) -> list[Any]:
        return [choice for choice in self.choices_of if choice.value in values]

    def accept(self, value: Any) -> list[str] | None:
        for each in value if isinstance(value, list) else [value]:
            if each not in self.choices_of.values:
                raise ValidationError(self.not_one % {"value": each}, code="invalid_choice")
        return [choice.value for choice in self.in_order(value)] or self.nothing

    @property
    def nothing(self) -> list[str] | None:
        return None if self.null else []

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> list[Any] | None:
        stored = super().from_db_value(value, expression, connection)
        if stored is None:
            return self.nothing
        return self.in_order(stored) if isinstance(stored, list) else []

    def formfield(
        self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any
    ) -> Any:
        boxes = {
            "form_class": forms.MultipleChoiceField,
            "choices": self.choices_of.choices,
            "widget": forms.CheckboxSelectMultiple,
        }
        # Skips JSONField.formfield(), which passes arguments that only a JSON form field takes.
        return models.Field.formfield(self, **{**kwargs, **boxes})


class ModulesField(ChosenField):
    """A list of modules in the order of the catalog, or null."""

    choices_of = Module
    not_one = gettext_lazy("“%(value)s” is not a module. Choose modules from the list.")


class CategoriesField(ChosenField):
    """A list of categories in the order of the catalog of extensions."""

    choices_of = Category
    not_one = gettext_lazy("“%(value)s” is not a category. Choose categories from the list.")


class ExtensionQuerySet(models.QuerySet["Extension"]):
    def offered_to(self, account: Account) -> "ExtensionQuerySet":
        """Return the extensions that the account can create tokens for."""
        return self.published().filter(side__in=(Extension.Side.ANY, account.side))

    def published(self) -> "ExtensionQuerySet":
        return self.filter(status=Extension.Status.PUBLISHED)

    def visible_to(self, account_id: str) -> "ExtensionQuerySet":
        """Return what an account may read about: what is published, and what its tokens are for."""
        tokens = apps.get_model("tokens", "Token").objects.of_account(account_id)
        used = models.Exists(tokens.filter(extension=models.OuterRef("pk")))
        return self.filter(Q(status=Extension.Status.PUBLISHED) | used)

    def in_order(self) -> "ExtensionQuerySet":
        """Return the extensions as people see them: fixed modules first, then by label."""
        return self.order_by(IsNull(F("fixed_modules"), rhs=True), "label", "pk")


class Extension(models.Model):
    """What a token is made for. It has a fixed set of modules, or the person chooses them.

    When the modules of an extension change, existing tokens keep theirs, unless an administrator of
    the portal chooses otherwise (`extensions.effects`).
    """

    class Side(models.TextChoices):
        """The accounts that an extension is for; an account's side is one of the last two."""

        ANY = "any", gettext_lazy("Vendors and distributors")
        VENDOR = "vendor", gettext_lazy("Vendors")
        DISTRIBUTOR = "distributor", gettext_lazy("Distributors")

    class Status(models.TextChoices):
        """Drafts are seen in the admin only; tokens made before go on working."""

        DRAFT = "draft", gettext_lazy("Draft")
        PUBLISHED = "published", gettext_lazy("Published")

    class Icon(models.TextChoices):
        """Icons of `static/icons.svg` that fit on a tile."""

        BARS = "bars", gettext_lazy("Bars")
        BOLT = "bolt", gettext_lazy("Bolt")
        BRANCH = "branch", gettext_lazy("Branch")
        CALENDAR = "calendar", gettext_lazy("Calendar")
        CHAT = "chat", gettext_lazy("Chat")
        CODE = "code", gettext_lazy("Code")
        EXTENSION = "extension", gettext_lazy("Puzzle piece")
        KEY = "key", gettext_lazy("Key")
        LEDGER = "ledger", gettext_lazy("Ledger")
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
    subtitle = LineField(
        gettext_lazy("subtitle"),
        max_length=128,
        help_text=gettext_lazy("What it does, in a sentence. Cards show it."),
    )
    overview = ProseField(
        gettext_lazy("overview"),
        max_length=10_000,
        blank=True,
        help_text=gettext_lazy(
            "What people read before they connect it. Markdown: paragraphs, lists, **bold**, "
            "*italic*, `code`, ## headings and [links](https://…). HTML is shown as text."
        ),
    )
    status = models.CharField(
        gettext_lazy("status"),
        max_length=16,
        choices=Status,
        default=Status.DRAFT,
        help_text=gettext_lazy(
            "Only published ones are in the catalog and can be chosen for new tokens."
        ),
    )
    categories = CategoriesField(
        gettext_lazy("categories"),
        default=list,
        blank=True,
        help_text=gettext_lazy("The sections of the catalog that it stands in; none is Other."),
    )
    owner = models.ForeignKey(
        Account,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("made by"),
        help_text=gettext_lazy("The account of its maker, if it has one here."),
    )
    uses_handle = models.BooleanField(
        gettext_lazy("handle instead of a key"),
        default=False,
        help_text=gettext_lazy(
            "People paste a handle, and a token of its maker exchanges it for the key. Tokens that "
            "exist change with their next new key."
        ),
    )
    website = LineField(
        gettext_lazy("website"),
        max_length=255,
        blank=True,
        validators=[URLValidator(schemes=["http", "https"])],
    )
    icon = models.CharField(
        gettext_lazy("icon"), max_length=16, choices=Icon, default=Icon.EXTENSION
    )
    # Shown instead of `icon`.
    own_icon = models.ForeignKey(
        OwnIcon,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="extension",
        verbose_name=gettext_lazy("own icon"),
    )
    side = models.CharField(gettext_lazy("for"), max_length=16, choices=Side, default=Side.ANY)
    fixed_modules = ModulesField(
        gettext_lazy("fixed modules"),
        null=True,
        blank=True,
        help_text=gettext_lazy(
            "What its tokens may reach. With none ticked, the person who makes a token chooses."
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

    # Who gave its tokens the fixed modules, until all of them have them.
    followed_by = ActorField(gettext_lazy("followed by"))

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
                condition=Q(status__in=("draft", "published")), name="known_status_of_extension"
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
        return "tile-own" if self.own_icon_id else f"tile-{self.name}"

    @property
    def asks_permissions(self) -> bool:
        """Whether the person chooses the modules."""
        return self.fixed_modules is None

    @property
    def most_tokens(self) -> int:
        """The maximum number of live tokens per account."""
        most: int = self.cap or settings.TOKENS_PER_EXTENSION
        return most

    @property
    def is_published(self) -> bool:
        return self.status == self.Status.PUBLISHED

    @property
    def shelves(self) -> list[Category]:
        """The sections of the catalog that it stands in; at least one."""
        return self.categories or [Category.OTHER]

    def is_for(self, side: str) -> bool:
        return self.side in {self.Side.ANY, side}

    def is_offered_to(self, account: Account) -> bool:
        return self.is_published and self.is_for(account.side)


class ExtensionVersion(models.Model):
    """What its maker says about a version of an extension."""

    extension = models.ForeignKey(
        Extension, models.CASCADE, related_name="versions", db_index=False
    )
    number = LineField(
        gettext_lazy("version"), max_length=16, help_text=gettext_lazy("Such as “1.2”.")
    )
    released_at = MomentField(gettext_lazy("released"), default=timezone.now)
    notes = ProseField(
        gettext_lazy("what changed"), max_length=1_000, help_text=gettext_lazy("In Markdown.")
    )

    class Meta:
        verbose_name = gettext_lazy("version")
        verbose_name_plural = gettext_lazy("versions")
        ordering = ("-released_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("extension", "number"), name="one_row_per_version"),
        )

    def __str__(self) -> str:
        return f"{self.extension_id} {self.number}"

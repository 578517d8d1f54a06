"""Listings of products in marketplaces, and their connections to hubs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from modules.models.base import Record, Request
from portal.fields import LineField, OwnedActorField, PublicIdField


class Listing(Record):
    """A product of a vendor in a marketplace of a distributor."""

    class Status(models.TextChoices):
        LISTED = "listed", _("Listed")
        UNLISTED = "unlisted", _("Unlisted")

    id = PublicIdField(_("ID"), groups=(3, 3, 3), prefix="LST")
    status = models.CharField(_("status"), max_length=16, choices=Status)
    contract = models.ForeignKey(
        "modules.Contract", models.CASCADE, related_name="listings", verbose_name=_("contract")
    )
    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="listings", verbose_name=_("product")
    )
    price_list = models.ForeignKey(
        "modules.PriceList",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="listings",
        verbose_name=_("price list"),
    )

    class Meta(Record.Meta):
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = (
            *Record.Meta.indexes,
            # For the list of partners, which counts the listings with each.
            models.Index("provider", "vendor", name="listings_between"),
        )


class ListingRequest(Request):
    """A vendor's request to list a product or to end its listing.

    Its distributor deploys the product and completes the request.
    """

    class Type(models.TextChoices):
        NEW = "new", _("New")
        REMOVE = "remove", _("Remove")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        REVIEWING = "reviewing", _("Reviewing")
        DEPLOYING = "deploying", _("Deploying")
        CANCELED = "canceled", _("Canceled")
        COMPLETED = "completed", _("Completed")

    type = models.CharField(_("type"), max_length=16, choices=Type)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.DRAFT)
    listing = models.ForeignKey(
        Listing, models.CASCADE, related_name="requests", verbose_name=_("listing")
    )
    note = LineField(_("note"), max_length=255, blank=True)
    created_by = OwnedActorField(_("created by"))
    updated_by = OwnedActorField(_("updated by"))
    assigned_to = OwnedActorField(_("assignee"))

    PROGRESS = "state"
    MOVES = {
        State.DRAFT: (State.REVIEWING,),
        State.REVIEWING: (State.DRAFT,),
        State.DEPLOYING: (State.REVIEWING,),
        State.COMPLETED: (State.DEPLOYING,),
        State.CANCELED: (State.DRAFT, State.REVIEWING, State.DEPLOYING),
    }
    OPEN = (State.DRAFT, State.REVIEWING, State.DEPLOYING)

    class Meta(Request.Meta):
        verbose_name = _("listing request")
        verbose_name_plural = _("listing requests")

    def move(self, state: State, by: object) -> None:
        """Move to the state and save; a completed request changes its listing. Raise WrongState."""
        self.step(state)
        self.updated_by = by
        self.save()
        if state == self.State.COMPLETED:
            is_listed = self.type != self.Type.REMOVE
            of = self.listing
            of.status = Listing.Status.LISTED if is_listed else Listing.Status.UNLISTED
            of.updated_at = self.updated_at
            of.save()


class Connection(Record):
    """The connection of a product to a hub, through which its subscriptions are ordered."""

    class Type(models.TextChoices):
        TEST = "test", _("Test")
        PRODUCTION = "production", _("Production")

    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.PRODUCTION)
    product = models.ForeignKey(
        "modules.Product", models.CASCADE, related_name="+", verbose_name=_("product")
    )
    hub = models.ForeignKey(
        "modules.Hub", models.CASCADE, related_name="connections", verbose_name=_("hub")
    )

    class Meta(Record.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

"""The resources `/public/v1/marketplaces`, `/hubs` and `/localization/locales`."""

from django.db.models import OuterRef

from api.resource import Resource
from api.shapes import Column, Constant, CountOf, Rows, events, reference
from modules.models import Connection, Contract, Country, Hub, Locale, Marketplace, MarketplaceHub
from tokens.catalog import Module

MARKETPLACES = Resource(
    "marketplaces",
    Module.MARKETPLACES,
    lambda caller: Marketplace.objects.visible_to(caller).annotate(
        # Only the caller's own contracts: the number of others is confidential.
        contract_count=CountOf(
            Contract.objects.visible_to(caller).filter(
                marketplace=OuterRef("pk"), status=Contract.Status.ACTIVE
            )
        ),
        hub_count=CountOf(MarketplaceHub.objects.filter(marketplace=OuterRef("pk"))),
    ),
    about=(
        "Regions in which a distributor sells. A vendor sees those of the distributors it has an "
        "active contract with."
    ),
    fields={
        "id": "id",
        "name": "name",
        "description": "description",
        "owner": reference("owner"),
        "zone": "zone",
        "hubs": Rows(
            MarketplaceHub.objects.filter(marketplace=OuterRef("pk")),
            {"hub": {"id": "hub_id", "name": "hub__name"}, "external_id": "external_id"},
        ),
        "active_contracts": "contract_count",
        "countries": Rows(
            Country.objects.filter(marketplaces=OuterRef("pk")), {"id": "id", "name": "name"}
        ),
        "currency": "currency",
        "stats": {"hubs": "hub_count", "contracts": "contract_count"},
        "events": events(created="created_at", updated="updated_at"),
        "locales": Rows(
            Locale.objects.filter(marketplaces=OuterRef("pk")), {"id": "id", "name": "name"}
        ),
    },
    also={"hubs.id": "hubs.hub.id", "hubs.name": "hubs.hub.name"},
    search=("id", "name", "currency", "owner.id", "owner.name"),
)

HUBS = Resource(
    "hubs",
    Module.MARKETPLACES,
    lambda caller: Hub.objects.filter(owner=caller.account_id).annotate(
        connection_count=CountOf(Connection.objects.filter(hub=OuterRef("pk"))),
        marketplace_count=CountOf(MarketplaceHub.objects.filter(hub=OuterRef("pk"))),
    ),
    about="Commerce systems of a distributor. Vendors have none.",
    fields={
        "id": "id",
        "name": "name",
        "description": "description",
        "company": reference("owner"),
        "events": events(created="created_at", updated="updated_at"),
        "stats": {"connections": "connection_count", "marketplaces": "marketplace_count"},
        # Upper case here, lower case below and in filters, as in Connect.
        "instance": {
            "id": "instance_id",
            "type": Column("instance_type", str.upper, {"type": "string", "enum": ["OA", "API"]}),
        },
        "instance_id": "instance_id",
        "instance_type": "instance_type",
        "version": "version",
    },
    search=("instance.id", "instance.type"),
)

LOCALES = Resource(
    "localization/locales",
    None,
    lambda caller: Locale.objects.all(),
    about="Languages as spoken in a country. Open to every valid token.",
    fields={
        "id": "id",
        "name": "name",
        "local_name": "local_name",
        "auto_translation": "auto_translation",
        # This portal does not translate the texts of products.
        "stats": {"translations": Constant(0)},
    },
    search=("id", "name"),
)

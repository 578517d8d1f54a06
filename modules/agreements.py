"""The resource `/public/v1/agreements`."""

from django.db.models import OuterRef

from api.resource import Resource
from api.shapes import Constant, CountOf, events, reference
from modules.models import Agreement, Contract
from tokens.catalog import Module

AGREEMENTS = Resource(
    "agreements",
    Module.AGREEMENTS,
    lambda caller: Agreement.objects.visible_to(caller).annotate(
        # Only the caller's own contracts: the number of others is confidential.
        contracts=CountOf(Contract.objects.visible_to(caller).filter(agreement=OuterRef("pk"))),
    ),
    about="Contract templates that partners enrol in.",
    fields={
        "id": "id",
        "type": "type",
        "title": "title",
        "name": "title",
        "description": "description",
        "created": "created_at",
        "updated": "updated_at",
        "owner": reference("owner"),
        "stats": {"contracts": "contracts", "versions": "version"},
        "document_type": Constant("external"),
        "link": "link",
        "active": "active",
        "auto_accept": "auto_accept",
        "marketplace": reference("marketplace"),
        "version": {
            "version": "version",
            "active": "active",
            "link": "link",
            "version_created": "updated_at",
            "version_contracts": "contracts",
        },
        "events": events(created="created_at", updated="updated_at"),
    },
    foreign={"type": ("referral", "syndication")},
    search=("title", "owner.name", "marketplace.name"),
)

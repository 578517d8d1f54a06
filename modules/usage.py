"""The resource `/public/v1/usage/files`."""

from api.resource import Resource
from api.shapes import Constant, reference
from modules.models import UsageFile
from tokens.catalog import Module

USAGE_FILES = Resource(
    "usage/files",
    Module.USAGE,
    lambda caller: UsageFile.objects.visible_to(caller),
    about="What customers used of a product in a month, as reported by the vendor.",
    fields={
        "id": "id",
        "name": "name",
        "external_id": "external_id",
        "status": "status",
        "description": "description",
        "schema": "schema",
        "currency": "currency",
        "environment": "environment",
        "period": {"from": "period_from", "to": "period_to"},
        "product": reference("product"),
        "contract": reference("contract"),
        "marketplace": reference("marketplace"),
        "vendor": reference("vendor"),
        "provider": reference("provider"),
        "rejection_note": "rejection_note",
        "stats": {
            "uploaded": "records",
            "validated": "records",
            "pending": Constant(0),
            "accepted": Constant(0),
            "closed": Constant(0),
            "billed": Constant(0),
        },
        "events": {
            "created": {"at": "created_at", "by": reference("creator")},
            "submitted": {"at": "submitted_at"},
            "accepted": {"at": "accepted_at"},
        },
    },
    also={
        "created.at": "events.created.at",
        "product_id": "product.id",
        "vendor_id": "vendor.id",
        "provider_id": "provider.id",
        "marketplace_id": "marketplace.id",
        "distribution_contract_id": "contract.id",
    },
    search=(
        "id",
        "name",
        "external_id",
        "status",
        "schema",
        "environment",
        "product.id",
        "product_id",
        "product.name",
        "contract.id",
        "contract.name",
        "distribution_contract_id",
        "marketplace.id",
        "marketplace_id",
        "marketplace.name",
        "vendor.id",
        "vendor_id",
        "vendor.name",
        "provider.id",
        "provider_id",
        "provider.name",
    ),
)

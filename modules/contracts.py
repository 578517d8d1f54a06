"""The resource `/public/v1/contracts`."""

from django.db.models import CharField, Value

from api.resource import Resource
from api.shapes import reference
from modules.models import Contract
from tokens.catalog import Module

CONTRACTS = Resource(
    "contracts",
    Module.CONTRACTS,
    lambda caller: Contract.objects.visible_to(caller).annotate(
        kind=Value("production", CharField(max_length=16))
    ),
    about="Agreements that a partner has signed or is about to sign.",
    fields={
        "id": "id",
        "name": "name",
        "type": "type",
        "version": "version",
        "status": "status",
        "kind": "kind",
        "owner": reference("owner"),
        "issuer": reference("issuer"),
        "creator": reference("creator"),
        "signee": reference("signee"),
        "agreement": {"id": "agreement_id", "name": "agreement__title"},
        "marketplace": reference("marketplace"),
        "enrolled": "enrolled_at",
        "version_created": "created_at",
        "note": "note",
        "events": {
            "created": {"at": "created_at", "by": reference("creator")},
            "updated": {"at": "updated_at"},
            "signed": {"at": "signed_at", "by": reference("signee")},
        },
    },
    foreign={"type": ("referral", "syndication"), "status": ("new",)},
    search=(
        "id",
        "agreement.id",
        "agreement.name",
        "owner.name",
        "issuer.id",
        "issuer.name",
        "marketplace.id",
        "marketplace.name",
        "events.created.by.name",
        "events.signed.by.name",
    ),
)

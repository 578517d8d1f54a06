"""`/public/v1/contracts`"""

from django.http import HttpResponse

from modules.models import Contract
from modules.rest import Collection, constant, detail, listing, reference
from tokens.catalog import Module
from tokens.permissions import ApiRequest, requires_module

CONTRACTS = Collection(
    Contract.objects.all().visible_to,
    {
        "id": "id",
        "name": "name",
        "type": "type",
        "version": "version",
        "status": "status",
        "kind": constant("production"),
        "owner": reference("owner"),
        "issuer": reference("issuer"),
        "agreement": {"id": "agreement_id", "name": "agreement__title"},
        "marketplace": reference("marketplace"),
        "enrolled": "enrolled_at",
        "version_created": "created_at",
        "note": "note",
        "events": {"created": {"at": "created_at"}, "signed": {"at": "signed_at"}, "updated": {"at": "updated_at"}},
    },
)


@requires_module(Module.CONTRACTS)
def contracts(request: ApiRequest) -> HttpResponse:
    return listing(request, CONTRACTS)


@requires_module(Module.CONTRACTS)
def contract(request: ApiRequest, pk: str) -> HttpResponse:
    return detail(request, CONTRACTS, pk)

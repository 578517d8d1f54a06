"""`/public/v1/agreements`"""

from django.http import HttpResponse

from modules.models import Agreement
from modules.rest import Collection, constant, detail, listing, reference
from tokens.catalog import Module
from tokens.permissions import ApiRequest, requires_module

AGREEMENTS = Collection(
    Agreement.objects.all().visible_to,
    {
        "id": "id",
        "type": "type",
        "title": "title",
        "name": "title",
        "description": "description",
        "created": "created_at",
        "updated": "updated_at",
        "owner": reference("owner"),
        "stats": {"contracts": "contracts", "versions": "version"},
        "document_type": constant("external"),
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
        "events": {"created": {"at": "created_at"}, "updated": {"at": "updated_at"}},
    },
)


@requires_module(Module.AGREEMENTS)
def agreements(request: ApiRequest) -> HttpResponse:
    return listing(request, AGREEMENTS)


@requires_module(Module.AGREEMENTS)
def agreement(request: ApiRequest, pk: str) -> HttpResponse:
    return detail(request, AGREEMENTS, pk)

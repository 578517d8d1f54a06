"""`/public/v1/tier/accounts`: the module Customers."""

from django.http import HttpResponse

from modules.models import Customer
from modules.rest import Collection, Column, constant, detail, listing, reference
from tokens.catalog import Module
from tokens.permissions import ApiRequest, requires_module

CUSTOMERS = Collection(
    Customer.objects.all().visible_to,
    {
        "id": "id",
        "version": "version",
        "name": "name",
        "type": "type",
        "environment": "environment",
        "external_id": "external_id",
        "external_uid": "external_uid",
        "tax_id": "tax_id",
        # Absent rather than null for customers without a reseller: CloudBlue's command line crashes on null.
        "parent": {**reference("parent"), "external_id": "parent__external_id"},
        "owner": reference("provider"),
        "scopes": Column("type", lambda kind: ["customer"] if kind == Customer.Type.CUSTOMER else ["tier1"]),
        "contact_info": {
            "address_line1": "address",
            "address_line2": constant(""),
            "city": "city",
            "state": constant(""),
            "postal_code": "postal_code",
            "country": "country",
            "contact": {
                "first_name": "first_name",
                "last_name": "last_name",
                "email": "email",
                "phone_number": {
                    "country_code": "phone_country",
                    "area_code": "phone_area",
                    "phone_number": "phone_number",
                    "extension": constant(""),
                },
            },
        },
        "events": {"created": {"at": "created_at"}, "updated": {"at": "updated_at"}},
    },
)


@requires_module(Module.CUSTOMERS)
def customers(request: ApiRequest) -> HttpResponse:
    return listing(request, CUSTOMERS)


@requires_module(Module.CUSTOMERS)
def customer(request: ApiRequest, pk: str) -> HttpResponse:
    return detail(request, CUSTOMERS, pk)

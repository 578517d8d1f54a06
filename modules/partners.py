"""The resource `/public/v1/partners`."""

from django.db.models import (
    BooleanField,
    CharField,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from accounts.models import Account
from api.resource import Resource
from api.shapes import Constant, CountOf
from modules.account import TYPE
from modules.models import Agreement, Contract, Listing
from tokens.catalog import Module
from tokens.gate import Caller


def partners(caller: Caller) -> QuerySet[Account]:
    """Return the companies the account has active contracts with, and how many of each type."""
    between = Q(vendor=caller.account_id, provider=OuterRef("pk")) | Q(
        provider=caller.account_id, vendor=OuterRef("pk")
    )
    active = Contract.objects.filter(between, status=Contract.Status.ACTIVE)
    return Account.objects.filter(Exists(active)).annotate(
        type=TYPE,
        status=Value("active", CharField(max_length=16)),
        public=Value(value=True, output_field=BooleanField()),
        syndication=Value(0, IntegerField()),
        distribution=CountOf(active.filter(type=Agreement.Type.DISTRIBUTION)),
        program=CountOf(active.filter(type=Agreement.Type.PROGRAM)),
        service=CountOf(active.filter(type=Agreement.Type.SERVICE)),
        listings=CountOf(Listing.objects.filter(between, status=Listing.Status.LISTED)),
    )


PARTNERS = Resource(
    "partners",
    Module.PARTNERS,
    partners,
    about="Companies that the account has active contracts with.",
    fields={
        "id": "id",
        "name": "name",
        "status": "status",
        "icon": Constant(""),
        "type": "type",
        "role": "side",
        "description": Constant(""),
        "overview": Constant(""),
        "headquarters": Constant(""),
        "countries": Constant([]),
        "languages": Constant([]),
        "websites": Constant([]),
        "stats": {
            "contracts": {
                "distribution": "distribution",
                "program": "program",
                "service": "service",
                "syndication": "syndication",
            },
            "listings": "listings",
        },
        "contacts": Constant([]),
        "industries": Constant([]),
        "public": "public",
    },
    foreign={"role": ("reseller",)},
    search=("id", "name"),
)

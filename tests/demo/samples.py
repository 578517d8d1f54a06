"""What the tests of the demo share."""

from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account
from modules.models import (
    Listing,
)
from tokens.gate import Caller

MICK, FRONT_STREET, BAYSIDE, SOUTHPAW = "PA-063-101", "VA-044-420", "VA-571-206", "PA-318-774"


# Tokens of the demo that may reach everything.
CALLERS = {
    MICK: Caller("SU-431-800-699", MICK, Account.Side.DISTRIBUTOR),
    FRONT_STREET: Caller("SU-324-395-019", FRONT_STREET, Account.Side.VENDOR),
}


MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in {"accounts", "modules"}
]


SAMPLES = [model for model in MODELS if model._meta.app_label == "modules"]


def odd(queryset: QuerySet[Any]) -> list[Any]:
    """Return the ids of rows that should not be there."""
    return list(queryset.values_list("pk", flat=True))


def without_listing(records: QuerySet[Any]) -> QuerySet[Any]:
    """Return the records whose product is not on sale under their contract."""
    return records.exclude(
        Exists(
            Listing.objects.filter(
                status="listed", contract=OuterRef("contract"), product=OuterRef("product")
            )
        )
    )

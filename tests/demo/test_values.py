"""Ids, moments and states of the records of the demo."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.db.models import DateTimeField, F, Field, Model
from django.utils import timezone

from modules.models import (
    Asset,
    Case,
    Category,
    Connection,
    Contract,
    Customer,
    Environment,
    FulfillmentRequest,
    Hub,
    Item,
    Listing,
    Marketplace,
    PriceList,
    Product,
    Service,
    TierConfig,
    UsageFile,
)
from tests.demo.samples import SAMPLES, odd

pytestmark = pytest.mark.django_db


# The columns of enums: the state of a record, and what kind of record it is.
STATES = [
    (model, field)
    for model in SAMPLES
    for field in model._meta.fields
    if field.choices
    and field.name
    in {
        "status",
        "state",
        "type",
        "priority",
        "rating",
        "tier_level",
        "schema",
        "environment",
        "period",
        "runtime",
    }
]


@pytest.mark.parametrize(
    ("model", "field"), STATES, ids=lambda part: getattr(part, "__name__", None) or part.name
)
def test_every_status_occurs(model: type[Model], field: "Field[Any, Any]") -> None:
    assert {value for value, _ in field.flatchoices} <= set(
        model._default_manager.values_list(field.name, flat=True)
    )


def test_the_enums_with_a_status_are_found() -> None:
    assert {model for model, field in STATES if field.name in {"status", "state"}} >= {
        Contract,
        Product,
        Item,
        PriceList,
        Listing,
        Asset,
        Case,
    }


PATTERNS = {
    Asset: r"AS-\d{4}-\d{4}-\d{4}",
    Case: r"CA-\d{3}-\d{3}-\d{3}",
    Category: r"CAT-\d{5}",
    Connection: r"CT-\d{4}-\d{4}-\d{4}",
    Customer: r"TA-\d{4}-\d{4}-\d{4}",
    Environment: r"ENV-\d{4}-\d{4}-0[123]",
    FulfillmentRequest: r"PR-\d{4}-\d{4}-\d{4}-00\d",
    Hub: r"HB-\d{4}-\d{4}",
    Item: r"PRD-\d{3}-\d{3}-\d{3}-000\d",
    Listing: r"LST-\d{3}-\d{3}-\d{3}",
    Marketplace: r"MP-\d{5}",
    PriceList: r"PL-\d{3}-\d{3}-\d{3}",
    Product: r"PRD-\d{3}-\d{3}-\d{3}",
    Service: r"SRVC-\d{4}-\d{4}",
    TierConfig: r"TC-\d{3}-\d{3}-\d{3}",
    UsageFile: r"UF-\d{4}-\d{2}-\d{4}-\d{4}",
}


@pytest.mark.parametrize("model", PATTERNS)
def test_ids_have_the_shape_of_the_original(model: type[Model]) -> None:
    assert [
        id
        for id in model._default_manager.values_list("pk", flat=True)
        if not re.fullmatch(PATTERNS[model], id)
    ] == []


def test_ids_of_children_hold_those_of_their_parents() -> None:
    assert not [
        item.pk for item in Item.objects.all() if not item.pk.startswith(f"{item.product_id}-")
    ]
    assert not [
        each.pk for each in FulfillmentRequest.objects.all() if each.pk[3:17] != each.asset_id[3:]
    ]
    assert not [
        each.pk for each in Environment.objects.all() if each.pk[4:13] != each.service_id[5:]
    ]


@pytest.mark.parametrize("model", SAMPLES)
def test_moments_are_whole_seconds_in_the_past(model: type[Model]) -> None:
    now = timezone.now()
    for field in model._meta.fields:
        if isinstance(field, DateTimeField):
            moments: list[datetime] = list(
                model._default_manager.exclude(**{field.name: None}).values_list(
                    field.name, flat=True
                )
            )
            assert [moment for moment in moments if moment.microsecond or moment > now] == [], (
                field.name
            )


@pytest.mark.parametrize(
    "model",
    [
        model
        for model in SAMPLES
        if {"created_at", "updated_at"} <= {field.name for field in model._meta.fields}
    ],
)
def test_nothing_is_updated_before_it_is_created(model: type[Model]) -> None:
    assert not odd(model._default_manager.filter(updated_at__lt=F("created_at")))


@pytest.mark.parametrize("model", SAMPLES)
def test_every_sample_is_valid(model: type[Model]) -> None:
    for row in model._default_manager.all():
        row.full_clean(validate_unique=False, validate_constraints=False)

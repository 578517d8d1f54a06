"""`/public/v1/tier/accounts`: the module Customers."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, Value, When
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Column, events, reference
from modules.models import Asset, Customer, Hub, TierConfig, this_second
from tokens.catalog import Module
from tokens.gate import Caller

CONTACT_INFO = {
    "address_line1": "address",
    "address_line2": "address_2",
    "city": "city",
    "state": "state",
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
            "extension": "phone_extension",
        },
    },
}

# A customer buys; a reseller is one tier above it.
SCOPE = Case(
    When(type=Customer.Type.CUSTOMER, then=Value("customer")),
    default=Value("tier1"),
    output_field=CharField(max_length=16),
)

CUSTOMERS = Resource(
    "tier/accounts",
    Module.CUSTOMERS,
    lambda caller: Customer.objects.visible_to(caller).annotate(
        db=Value("EU", CharField(max_length=2)), scope=SCOPE
    ),
    about="Customers, and the resellers between them and the distributor.",
    fields={
        "id": "id",
        "version": "version",
        "name": "name",
        "type": "type",
        "db": "db",
        "environment": "environment",
        "external_id": "external_id",
        "external_uid": "external_uid",
        "tax_id": "tax_id",
        "parent": {**reference("parent"), "external_id": "parent__external_id"},
        "owner": reference("provider"),
        "hub": reference("hub"),
        "scopes": Column(
            "scope",
            lambda scope: [scope],
            {"type": "array", "items": {"type": "string", "enum": ["customer", "tier1"]}},
        ),
        "contact_info": CONTACT_INFO,
        "events": events(created="created_at", updated="updated_at"),
    },
    ordering=("db", "external_id", "hub.id", "hub.name", "owner.id", "owner.name", "parent.name"),
    search=(
        "id",
        "name",
        "external_id",
        "external_uid",
        "hub.id",
        "hub.name",
        "owner.id",
        "owner.name",
        "parent.id",
        "parent.name",
    ),
)

WRITABLE = (
    "type",
    "name",
    "environment",
    "external_id",
    "external_uid",
    "tax_id",
    "parent.id",
    "contact_info.address_line1",
    "contact_info.address_line2",
    "contact_info.city",
    "contact_info.state",
    "contact_info.postal_code",
    "contact_info.country",
    "contact_info.contact.first_name",
    "contact_info.contact.last_name",
    "contact_info.contact.email",
    "contact_info.contact.phone_number.country_code",
    "contact_info.contact.phone_number.area_code",
    "contact_info.contact.phone_number.phone_number",
    "contact_info.contact.phone_number.extension",
)
REQUIRED = (
    "name",
    "contact_info.address_line1",
    "contact_info.city",
    "contact_info.postal_code",
    "contact_info.country",
    "contact_info.contact.first_name",
    "contact_info.contact.last_name",
    "contact_info.contact.email",
)


@CUSTOMERS.creates(*WRITABLE, "hub.id", required=REQUIRED)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Create a customer of the distributor.

    A vendor sees the customer once it has a subscription to one of the vendor's products.
    """
    check(caller, values)
    now = this_second()
    customer = Customer(
        provider_id=caller.account_id, created_at=now, updated_at=now, **columns(values)
    )
    save(customer)
    return str(customer.pk)


@CUSTOMERS.updates(*WRITABLE)
def update(caller: Caller, customer: Customer, values: dict[str, Any]) -> None:
    """Update a customer of the distributor. Names that are not sent keep their values."""
    check(caller, values)
    for column, value in columns(values).items():
        setattr(customer, column, value)
    customer.version, customer.updated_at = customer.version + 1, this_second()
    save(customer)


@CUSTOMERS.deletes
def delete(caller: Caller, customer: Customer) -> None:
    """Delete a customer that has no subscriptions and no tier configurations."""
    check(caller, {})
    used = any(
        records.exists()
        for records in (
            Asset.objects.filter(customer=customer),
            TierConfig.objects.filter(customer=customer),
        )
    )
    if used:
        raise ApiError(
            _("A customer that has subscriptions or tier configurations cannot be deleted."),
            code="TRA_001",
        )
    customer.delete()


def check(caller: Caller, values: dict[str, Any]) -> None:
    """Raise ApiError unless the caller may write customers and the hub belongs to it."""
    if not Account.objects.filter(pk=caller.account_id, side=Account.Side.DISTRIBUTOR).exists():
        raise ApiError(
            _("Customers belong to distributors; a vendor can only read them."),
            code="AUTH_005",
            status=403,
        )
    if (hub := values.get("hub.id")) and not Hub.objects.filter(
        pk=hub, owner=caller.account_id
    ).exists():
        raise ApiError("hub.id: " + _("Your account has no such hub."))


def save(customer: Customer) -> None:
    """Save a customer. Raises ApiError if its place among resellers is not valid."""
    try:
        customer.save()
    except ValidationError as problem:
        names = {
            column: name for name, column in CUSTOMERS.columns.items() if isinstance(column, str)
        } | {"parent": "parent.id"}
        raise ApiError(
            *(
                f"{names[field]}: {text}"
                for field, texts in problem.message_dict.items()
                for text in texts
            )
        ) from None


def columns(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values by column of the model."""
    return {CUSTOMERS.columns[name]: value for name, value in values.items()}

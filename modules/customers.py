"""`/public/v1/tier/accounts` and `/tier/account-requests`: the module Customers."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, Value, When
from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Column, Shape, actor, events, reference
from modules.actors import acting, move, only, told
from modules.models import (
    Asset,
    Customer,
    Hub,
    Product,
    TierAccountRequest,
    TierConfig,
    numbered,
    this_second,
)
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
            code="AUTH_009",
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


# --- Requests to accept changed data --------------------------------------------------------------


def below(column: str, shape: Shape) -> Shape:
    """Return the shape of a record, applied to the record that `column` refers to."""
    return {
        name: f"{column}__{value}" if isinstance(value, str) else below(column, value)
        for name, value in shape.items()
    }


def product(column: str) -> Shape:
    """Return the shape of a product with its category."""
    return {
        **reference(column),
        "status": f"{column}__status",
        "category": reference(f"{column}__category"),
        "description": f"{column}__short_description",
    }


ACCOUNT_REQUESTS = Resource(
    "tier/account-requests",
    Module.CUSTOMERS,
    lambda caller: told(
        caller, TierAccountRequest.objects.visible_to(caller), "created_by", "updated_by"
    ),
    about="Changed data of customers, which the vendors of their products accept or ignore.",
    fields={
        "id": "id",
        "type": "type",
        "status": "status",
        "account": {
            "id": "account_id",
            "version": "version",
            **below(
                "account",
                {
                    "name": "name",
                    "type": "type",
                    "environment": "environment",
                    "external_id": "external_id",
                    "external_uid": "external_uid",
                    "tax_id": "tax_id",
                    "parent": {**reference("parent"), "external_id": "parent__external_id"},
                    "owner": reference("provider"),
                    "hub": reference("hub"),
                    "contact_info": CONTACT_INFO,
                    "events": events(created="created_at", updated="updated_at"),
                },
            ),
        },
        "vendor": reference("vendor"),
        "provider": reference("provider"),
        "product": product("product"),
        "reason": "reason",
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at", "by": actor("updated_by")},
        },
    },
    search=(
        "id",
        "account.external_id",
        "account.external_uid",
        "account.hub.id",
        "account.hub.name",
        "product.id",
        "product.name",
    ),
)
# Which customer changes, and how.
LOOKED_UP = ("id", "external_uid", "external_id")
CHANGES = tuple(name for name in WRITABLE if name not in {"type", "environment", "parent.id"})


@ACCOUNT_REQUESTS.creates(
    "type",
    "account.id",
    *(f"account.{name}" for name in CHANGES),
    required=("type",),
)
def create_request(caller: Caller, values: dict[str, Any]) -> str:
    """Change the data of a customer, and ask the vendors of its products to accept that.

    The customer is found by its `id`, `external_uid` or `external_id`. One request is made for each
    product that the customer has; the answer is the first of them.
    """
    check(caller, {})
    sent = {name.removeprefix("account."): value for name, value in values.items()}
    customer = looked_up(caller, sent)
    products = Product.objects.filter(
        pk__in=Asset.objects.filter(customer=customer)
        .exclude(status__in=(Asset.Status.DRAFT, Asset.Status.TERMINATED))
        .values("product")
    )
    if not products:
        raise ApiError(
            _("The customer has no subscription, so there is no vendor to ask. Update it instead."),
            code="TAR_001",
        )
    for name in CHANGES:
        if name in sent:
            setattr(customer, CUSTOMERS.columns[name], sent[name])
    customer.version, customer.updated_at = customer.version + 1, this_second()
    save(customer)
    made, by = [], acting(caller)
    for of in products.order_by("pk"):
        stem = f"TAR-{customer.pk.removeprefix('TA-')}-{customer.version:03}"
        request = TierAccountRequest(
            id=numbered(TierAccountRequest, stem),
            vendor_id=of.vendor_id,
            provider_id=caller.account_id,
            account=customer,
            product=of,
            version=customer.version,
            created_at=customer.updated_at,
            updated_at=customer.updated_at,
        )
        request.created_by = request.updated_by = by
        request.save(force_insert=True)
        made.append(request.pk)
    return str(made[0])


def looked_up(caller: Caller, sent: dict[str, Any]) -> Customer:
    """Return the distributor's customer that the first known name finds, locked."""
    customers = Customer.objects.filter(provider=caller.account_id).select_for_update(no_key=True)
    for name in LOOKED_UP:
        if sent.get(name):
            if (found := customers.filter(**{name: sent[name]}).first()) is None:
                raise ApiError(f"account.{name}: " + _("Your account has no such customer."))
            return found  # type: ignore[no-any-return]
    raise ApiError("account.id: " + _("This field is required."))


@ACCOUNT_REQUESTS.acts("accept")
def accept(caller: Caller, request: TierAccountRequest, values: dict[str, Any]) -> None:
    """Accept the changed data, as the vendor."""
    only(caller, Account.Side.VENDOR)
    move(request, "TAR_002", TierAccountRequest.Status.ACCEPTED, by=acting(caller))


@ACCOUNT_REQUESTS.acts("ignore", "reason")
def ignore(caller: Caller, request: TierAccountRequest, values: dict[str, Any]) -> None:
    """Ignore the changed data, as the vendor, with a reason."""
    only(caller, Account.Side.VENDOR)
    move(request, "TAR_002", TierAccountRequest.Status.IGNORED, by=acting(caller), **values)

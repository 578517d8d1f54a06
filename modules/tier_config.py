"""`/public/v1/tier/configs` and `/tier/config-requests`: the module Tier Config."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Account
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Constant, actor, events, reference
from modules.actors import acting, colleague, move, only, told
from modules.customers import below
from modules.models import TierConfig, TierConfigRequest, numbered, this_second
from modules.subscriptions import PARAMETERS, PERSON, connection, contract, filled, product, tier
from tokens.catalog import Module
from tokens.gate import Caller

CONFIG = {
    "id": "id",
    "name": "name",
    "status": "status",
    "account": tier("customer"),
    "product": product("product"),
    "tier_level": "tier_level",
    "connection": connection("connection"),
    "events": events(created="created_at", updated="updated_at"),
    "params": "params",
    "contract": contract("contract"),
    "marketplace": reference("marketplace"),
}

TIER_CONFIGS = Resource(
    "tier/configs",
    Module.TIER_CONFIG,
    lambda caller: TierConfig.objects.visible_to(caller),
    about=(
        "What a vendor needs to know about a reseller before it can serve the reseller's customers."
    ),
    fields={**CONFIG, "configuration": Constant({"params": []})},
    also={
        "created": "events.created.at",
        "updated": "events.updated.at",
        "account.company_name": "account.name",
    },
    search=(
        "id",
        "account.id",
        "account.company_name",
        "product.id",
        "product.name",
        "connection.id",
        "contract.id",
        "marketplace.id",
        "marketplace.name",
    ),
)

CONFIG_REQUESTS = Resource(
    "tier/config-requests",
    Module.TIER_CONFIG,
    lambda caller: told(
        caller, TierConfigRequest.objects.visible_to(caller), "created_by", "updated_by"
    ),
    about="Requests to set up tier configurations or to change them, which vendors answer.",
    fields={
        "id": "id",
        "type": "type",
        "status": "status",
        "configuration": below("configuration", CONFIG),
        "params": "params",
        "assignee": reference("assignee"),
        "reason": "reason",
        "notes": "notes",
        "environment": "configuration__connection__type",
        "tiers": {"tier1": tier("configuration__customer")},
        "events": {
            "created": {"at": "created_at", "by": actor("created_by")},
            "updated": {"at": "updated_at", "by": actor("updated_by")},
            "inquired": {"at": "inquired_at"},
            "pended": {"at": "pended_at"},
        },
    },
    also={"created": "events.created.at", "updated": "events.updated.at"},
    search=(
        "configuration.id",
        "configuration.account.id",
        "configuration.contract.id",
        "configuration.marketplace.id",
        "configuration.marketplace.name",
        "configuration.product.id",
        "configuration.product.name",
    ),
)
Status = TierConfigRequest.Status


@CONFIG_REQUESTS.creates(
    "type",
    "configuration.id",
    "notes",
    required=("configuration.id",),
    takes={"params": PARAMETERS},
)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Ask for new values of the parameters of a configuration.

    The type is `update` if it is not sent. `setup` is for a configuration that is not active yet.
    """
    configs = TierConfig.objects.visible_to(caller).select_for_update(of=("self",), no_key=True)
    config = configs.filter(pk=values["configuration.id"]).first()
    if config is None:
        raise ApiError("configuration.id: " + _("Your account has no such configuration."))
    kind = values.get("type", TierConfigRequest.Type.UPDATE)
    if (kind == TierConfigRequest.Type.SETUP) == (config.status == TierConfig.Status.ACTIVE):
        raise ApiError(
            _("The configuration is %(now)s, so its type cannot be %(type)s.")
            % {"now": config.status, "type": kind},
            code="TCR_001",
        )
    if config.requests.filter(status__in=TierConfigRequest.OPEN).exists():
        raise ApiError(_("The configuration has a request that is not done yet."), code="TCR_002")
    by = acting(caller)
    request = TierConfigRequest(
        id=numbered(TierConfigRequest, f"TCR-{config.pk.removeprefix('TC-')}"),
        type=kind,
        vendor_id=config.vendor_id,
        provider_id=config.provider_id,
        configuration=config,
        params=filled(config.params, values.get("params", []), "params"),
        notes=values.get("notes", ""),
        created_at=(now := this_second()),
        updated_at=now,
    )
    request.created_by = request.updated_by = by
    request.save(force_insert=True)
    return request.pk


@CONFIG_REQUESTS.updates("notes", takes={"params": PARAMETERS})
def update(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Set values and errors of parameters, or the notes, of a request that is not done yet."""
    check_open(request)
    if "params" in values:
        request.params = filled(request.params, values["params"], "params")
    request.notes = values.get("notes", request.notes)
    touch(caller, request)


@CONFIG_REQUESTS.acts("approve")
def approve(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Approve a pending request, as its vendor. The configuration gets its parameters."""
    only(caller, Account.Side.VENDOR)
    move(request, "TCR_003", Status.APPROVED, by=acting(caller))


@CONFIG_REQUESTS.acts("fail", "reason", status=204)
def fail(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Fail a pending or inquiring request, as its vendor, with the reason."""
    only(caller, Account.Side.VENDOR)
    move(request, "TCR_003", Status.FAILED, by=acting(caller), **values)


@CONFIG_REQUESTS.acts("inquire", status=204)
def inquire(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Ask for other values in a pending request, as its vendor."""
    only(caller, Account.Side.VENDOR)
    move(request, "TCR_003", Status.INQUIRING, by=acting(caller))


@CONFIG_REQUESTS.acts("pend", status=204)
def pend(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Return an inquiring request to pending."""
    move(request, "TCR_003", Status.PENDING, by=acting(caller))


@CONFIG_REQUESTS.acts("assign", takes=PERSON, status=204)
def assign(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Assign a request to a person of its vendor, named by id or email."""
    only(caller, Account.Side.VENDOR)
    check_open(request)
    request.assignee = colleague(caller, values)
    touch(caller, request)


@CONFIG_REQUESTS.acts("unassign", status=204)
def unassign(caller: Caller, request: TierConfigRequest, values: dict[str, Any]) -> None:
    """Take a request from the person it is assigned to, as its vendor."""
    only(caller, Account.Side.VENDOR)
    check_open(request)
    request.assignee = None
    touch(caller, request)


def check_open(request: TierConfigRequest) -> None:
    """Raise ApiError if the request is done."""
    if request.status not in request.OPEN:
        raise ApiError(
            _("A request that is %(now)s cannot be changed.") % {"now": request.status},
            code="TCR_003",
        )


def touch(caller: Caller, request: TierConfigRequest) -> None:
    """Save a changed request, with who changed it and when."""
    request.updated_by, request.updated_at = acting(caller), this_second()
    request.save()

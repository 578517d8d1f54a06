"""`/public/v1/helpdesk/cases`: the module Helpdesk."""

from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from accounts.models import Account, User
from api.bodies import ApiError
from api.resource import Resource
from api.shapes import Constant, Shape, actor, reference
from modules.actors import acting, told
from modules.models import Case, Contract, Product, WrongState, this_second
from tokens.catalog import Module
from tokens.gate import Caller

EVENTS = ("created", "updated", "pending", "inquiring", "resolved", "closed")


def cases(caller: Caller) -> "models.QuerySet[Case]":
    """Return the account's cases, with as much about who did what as the account may know."""
    names = (f"{event}_by" for event in EVENTS)
    found: models.QuerySet[Case] = told(caller, Case.objects.visible_to(caller), *names)
    return found


def happened(event: str) -> Shape:
    """Return the shape of an event of a case: when it was, and who did it."""
    return {"at": f"{event}_at", "by": actor(f"{event}_by")}


CASES = Resource(
    "helpdesk/cases",
    Module.HELPDESK,
    cases,
    about="Support cases between a vendor and a distributor.",
    fields={
        "id": "id",
        # Absent if the case is not about a product.
        "product": reference("product"),
        "subject": "subject",
        "description": "description",
        "priority": "priority",
        "state": "state",
        "type": "type",
        "issuer": {
            "account": reference("issuer"),
            "agent": reference("issuer_agent"),
            "recipients": Constant([]),
        },
        "receiver": {
            "account": reference("receiver"),
            "agent": reference("receiver_agent"),
            "recipients": Constant([]),
        },
        "events": {event: happened(event) for event in EVENTS},
        "rating": "rating",
        "feedback": "feedback",
    },
    search=("subject", "description"),
)


@CASES.creates(
    "subject",
    "description",
    "type",
    "priority",
    "product.id",
    "receiver.account.id",
    "receiver.agent.id",
    required=("subject", "description", "type", "receiver.account.id"),
)
def create(caller: Caller, values: dict[str, Any]) -> str:
    """Open a case with a partner."""
    partner, agent = values.pop("receiver.account.id"), values.pop("receiver.agent.id", None)
    vendor, provider = (
        (caller.account_id, partner)
        if caller.side == Account.Side.VENDOR
        else (partner, caller.account_id)
    )
    if not Contract.objects.filter(
        vendor=vendor, provider=provider, status=Contract.Status.ACTIVE
    ).exists():
        raise ApiError("receiver.account.id: " + _("Your account has no such partner."))
    if agent and not User.objects.filter(pk=agent, memberships__account=partner).exists():
        raise ApiError("receiver.agent.id: " + _("There is no such person in that company."))
    now, by = this_second(), acting(caller)
    case = Case(
        vendor_id=vendor,
        provider_id=provider,
        issuer_id=caller.account_id,
        receiver_id=partner,
        receiver_agent_id=agent,
        created_at=now,
        pending_at=now,
        **columns(caller, values, vendor),
    )
    case.touch(by, now, "created", "pending")
    return str(case.pk)


@CASES.updates("subject", "description", "type", "priority", "product.id")
def update(caller: Caller, case: Case, values: dict[str, Any]) -> None:
    """Update a case that the account opened, as long as it is not closed."""
    if case.issuer_id != caller.account_id:
        raise ApiError(
            _("Only the company that opened the case can change it."), code="AUTH_009", status=403
        )
    if case.state == Case.State.CLOSED:
        raise ApiError(_("A closed case cannot be changed."), code="HLP_001")
    for column, value in columns(caller, values, case.vendor_id).items():
        setattr(case, column, value)
    case.touch(acting(caller), this_second())


@CASES.acts("pend")
def pend(caller: Caller, case: Case, values: dict[str, Any]) -> None:
    """Return an inquiring or resolved case to pending."""
    move(caller, case, Case.State.PENDING)


@CASES.acts("inquire")
def inquire(caller: Caller, case: Case, values: dict[str, Any]) -> None:
    """Ask the other side for more information about a pending case."""
    move(caller, case, Case.State.INQUIRING)


@CASES.acts("resolve")
def resolve(caller: Caller, case: Case, values: dict[str, Any]) -> None:
    """Mark a pending case as resolved."""
    move(caller, case, Case.State.RESOLVED)


@CASES.acts("close", "rating", "feedback")
def close(caller: Caller, case: Case, values: dict[str, Any]) -> None:
    """Close a resolved case.

    The company that opened it may add a rating, from 1 (very poor) to 5 (very good), and feedback.
    """
    if values and case.issuer_id != caller.account_id:
        raise ApiError(
            _("Only the company that opened the case can rate it."), code="AUTH_009", status=403
        )
    case.rating, case.feedback = values.get("rating"), values.get("feedback", "")
    move(caller, case, Case.State.CLOSED)


def move(caller: Caller, case: Case, state: Case.State) -> None:
    try:
        case.move(state, acting(caller))
    except WrongState as problem:
        raise ApiError(str(problem), code="HLP_001") from None


def columns(caller: Caller, values: dict[str, Any], vendor_id: str) -> dict[str, Any]:
    """Return the values by column.

    Raises ApiError for a product that the account cannot see or that is not of the case's vendor.
    """
    product = values.get("product.id")
    if (
        product
        and not Product.objects.visible_to(caller).filter(pk=product, vendor=vendor_id).exists()
    ):
        raise ApiError("product.id: " + _("The vendor has no such product."))
    return {CASES.columns[name]: value for name, value in values.items()}

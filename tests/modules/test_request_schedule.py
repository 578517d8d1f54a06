"""Vendors plan requests for a later day; distributors take them back, which vendors confirm."""

from typing import TypeAlias

from modules.models import Asset, FulfillmentRequest
from tests.modules.conftest import Send
from tests.modules.test_request_writes import (
    DISTRIBUTOR,
    VENDOR,
    Do,
    between,
    buyer,
    demo_records,
    heard,
    vendor,
)
from tests.modules.test_writes import refused
from webhooks.catalog import ObjectClass

# Fixtures of a neighbour.
__all__ = ("buyer", "demo_records", "vendor")

Status: TypeAlias = FulfillmentRequest.Status
Type: TypeAlias = FulfillmentRequest.Type
DAY = "2031-08-04T20:10:59+00:00"


def waiting(status: Status, kind: Type = Type.CHANGE) -> FulfillmentRequest:
    """Return a request between the two companies that has the status now."""
    of = between(Asset, status=Asset.Status.ACTIVE)
    made = FulfillmentRequest(
        id=f"PR-{of.pk.removeprefix('AS-')}-900",
        type=kind,
        status=status,
        asset=of,
        vendor_id=VENDOR,
        provider_id=DISTRIBUTOR,
    )
    made.save()
    return made


def test_a_request_is_scheduled_revoked_and_confirmed_and_webhooks_are_told(
    vendor: Do, buyer: Do
) -> None:
    request = waiting(Status.PENDING)
    product = request.asset.product_id
    told = heard(ObjectClass.FULFILLMENT_REQUEST, product, VENDOR, DISTRIBUTOR)
    path = f"requests/{request.pk}"
    answer = vendor("post", f"{path}/schedule", {"planned_date": "2031-08-04T20:10:59.250Z"}).json()
    assert (answer["status"], answer["planned_date"]) == ("scheduled", DAY)
    answer = buyer("post", f"{path}/revoke", {"reason": "No longer needed."}).json()
    assert (answer["status"], answer["reason"]) == ("revoking", "No longer needed.")
    answer = vendor("post", f"{path}/confirm").json()
    assert (answer["status"], answer["planned_date"]) == ("revoked", DAY)
    steps = ("scheduled", "revoking", "revoked")
    assert told() == [f"{side} {step}" for step in steps for side in ("PA", "VA")]


def test_a_scheduled_request_goes_on_when_its_vendor_says_so(vendor: Do, buyer: Do) -> None:
    path = f"requests/{waiting(Status.PENDING).pk}"
    vendor("post", f"{path}/schedule", {"planned_date": DAY})
    refused(vendor("post", f"{path}/approve"), "scheduled", code="REQ_003")
    refused(buyer("post", f"{path}/pend"), "vendor", status=403, code="AUTH_009")
    answer = vendor("post", f"{path}/pend").json()
    assert answer["status"] == "pending"
    assert "planned_date" not in answer
    assert vendor("post", f"{path}/approve").json()["status"] == "approved"


def test_the_sdk_of_cloudblue_sends_the_date_and_the_reason_as_data(vendor: Do, buyer: Do) -> None:
    path = f"requests/{waiting(Status.PENDING).pk}"
    answer = vendor("post", f"{path}/schedule", {"data": "2031-08-04T20:10:59.000Z"}).json()
    assert (answer["status"], answer["planned_date"]) == ("scheduled", DAY)
    answer = buyer("post", f"{path}/revoke", {"data": "No longer needed."}).json()
    assert (answer["status"], answer["reason"]) == ("revoking", "No longer needed.")


def test_only_the_right_status_lets_a_request_move(vendor: Do, buyer: Do) -> None:
    request = waiting(Status.PENDING)
    for who, verb, body, needed in (
        (vendor, "schedule", {"planned_date": DAY}, Status.PENDING),
        (buyer, "revoke", {"reason": "x"}, Status.SCHEDULED),
        (vendor, "confirm", None, Status.REVOKING),
    ):
        for status in set(Status) - {needed}:
            FulfillmentRequest.objects.filter(pk=request.pk).update(status=status)
            refused(who("post", f"requests/{request.pk}/{verb}", body), status, code="REQ_003")
            assert FulfillmentRequest.objects.get(pk=request.pk).status == status


def test_the_other_side_and_strangers_cannot_do_that(send: Send, vendor: Do, buyer: Do) -> None:
    request = waiting(Status.PENDING)
    for other, verb, body, status in (
        (buyer, "schedule", {"planned_date": DAY}, Status.PENDING),
        (vendor, "revoke", {"reason": "x"}, Status.SCHEDULED),
        (buyer, "confirm", None, Status.REVOKING),
    ):
        FulfillmentRequest.objects.filter(pk=request.pk).update(status=status)
        path = f"requests/{request.pk}/{verb}"
        refused(other("post", path, body), "Only the", status=403, code="AUTH_009")
        assert send("post", path, body).status_code == 404


def test_a_date_and_a_reason_are_needed(vendor: Do, buyer: Do) -> None:
    request = waiting(Status.PENDING)
    path = f"requests/{request.pk}"
    for body, wrong in (
        ({}, "planned_date: "),
        ({"planned_date": None}, "planned_date: "),
        ({"planned_date": "tomorrow"}, "planned_date: "),
        ({"planned_date": "9999-12-31T23:59:59-14:00"}, "planned_date: "),
        ({"data": ["x"]}, "data: "),
    ):
        refused(vendor("post", f"{path}/schedule", body), wrong)
    FulfillmentRequest.objects.filter(pk=request.pk).update(status=Status.SCHEDULED)
    for body, wrong in (
        ({}, "reason: "),
        ({"reason": " "}, "reason: "),
        ({"reason": "x" * 256}, "255"),
        ({"data": "pay\u202ekcab"}, "data: "),
    ):
        refused(buyer("post", f"{path}/revoke", body), wrong)


def test_a_revoked_request_does_to_its_subscription_what_a_failed_one_does(vendor: Do) -> None:
    request = waiting(Status.REVOKING)
    for kind, before, after in (
        (Type.PURCHASE, "processing", "terminated"),
        (Type.CHANGE, "active", "active"),
        (Type.CANCEL, "terminating", "active"),
    ):
        Asset.objects.filter(pk=request.asset_id).update(status=before)
        here = FulfillmentRequest.objects.filter(pk=request.pk)
        here.update(type=kind, status=Status.REVOKING)
        told = vendor("post", f"requests/{request.pk}/confirm").json()
        assert told["asset"]["status"] == after, kind


def test_a_subscription_with_a_scheduled_request_gets_no_other(vendor: Do, buyer: Do) -> None:
    request = waiting(Status.SCHEDULED)
    body = {"type": "suspend", "asset": {"id": request.asset_id}}
    refused(buyer("post", "requests", body), code="REQ_002")


def test_the_demo_has_such_requests_and_they_are_found(vendor: Do, buyer: Do) -> None:
    for who in (vendor, buyer):
        for status in ("scheduled", "revoking", "revoked"):
            rows = who("get", f"requests?eq(status,{status})").json()
            assert rows, status
            assert all(row["planned_date"] for row in rows)

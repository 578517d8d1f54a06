"""Events of webhooks about records of the modules, however they are changed."""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_init, post_save

from accounts.models import Account
from modules.models import (
    BillingRequest,
    Case,
    FulfillmentRequest,
    ListingRequest,
    TierAccountRequest,
    TierConfigRequest,
    UsageFile,
)
from portal.fields import Actor
from portal.http import current_request
from webhooks import outbox
from webhooks.catalog import ObjectClass

# Model -> the class of its objects, the field that says how far they are if there is one, and their
# product.
TOLD: dict[type[Model], tuple[ObjectClass, str, str]] = {
    Case: (ObjectClass.HELPDESK_CASE, "state", "product_id"),
    FulfillmentRequest: (ObjectClass.FULFILLMENT_REQUEST, "status", "asset.product_id"),
    UsageFile: (ObjectClass.USAGE_FILE, "status", "product_id"),
    BillingRequest: (ObjectClass.BILLING_REQUEST, "", "asset.product_id"),
    ListingRequest: (ObjectClass.LISTING_REQUEST, "state", "listing.product_id"),
    TierAccountRequest: (ObjectClass.TIER_ACCOUNT_REQUEST, "status", "product_id"),
    TierConfigRequest: (ObjectClass.TIER_CONFIG_REQUEST, "status", "configuration.product_id"),
}
# The attribute of a row that keeps the state it was read with.
BEFORE = "_state_before"


def remember(sender: Any, instance: Any, **kwargs: Any) -> None:
    _class, state, _product = TOLD[sender]
    # Not through the attribute, which would read a deferred field from the database.
    setattr(instance, BEFORE, instance.__dict__.get(state) if state else "")


def tell(sender: Any, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:  # noqa: FBT001
    """Queue an event for the webhooks of both companies: the new state, or that it was changed."""
    if raw:
        return
    object_class, field, product = TOLD[sender]
    state = str(getattr(instance, field)) if field else ""
    before = getattr(instance, BEFORE, None)
    action = "created" if created else "updated" if before == state else state
    setattr(instance, BEFORE, state)
    found: Any = instance
    for part in product.split("."):
        found = getattr(found, part)
    outbox.emit(
        sorted(instance.parties),
        object_class,
        action,
        str(instance.pk),
        status=state,
        product_id=found or "",
        actor_for=doer,
    )


def doer(account: str) -> Actor | None:
    """Return who makes the change that this thread is asked for, as an account may know them.

    That is a person or a token; of another company's token, it is the company.
    """
    # Resources are read when they are first needed, not at each start.
    from modules.actors import acting

    request: Any = current_request.get()
    if caller := getattr(request, "token", None):
        if caller.account_id == account:
            return acting(caller)
        return Actor.of(Account.objects.get(pk=caller.account_id))
    person = getattr(request, "user", None)
    return Actor.of(person) if person and person.is_authenticated else None


for model in TOLD:
    post_init.connect(remember, sender=model)
    post_save.connect(tell, sender=model)

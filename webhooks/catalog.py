"""What webhooks can be about: the classes of objects, their events, and the types of webhooks."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ObjectClass(TextChoices):
    """The classes of objects whose changes a webhook reports. The first six are Connect's."""

    FULFILLMENT_REQUEST = "fulfillment_request", _("Fulfillment request")
    TIER_CONFIG_REQUEST = "tier_config_request", _("Tier config request")
    TIER_ACCOUNT_REQUEST = "tier_account_request", _("Tier account request")
    LISTING_REQUEST = "listing_request", _("Listing request")
    BILLING_REQUEST = "billing_request", _("Billing request")
    USAGE_FILE = "usage_file", _("Usage file")
    HELPDESK_CASE = "helpdesk_case", _("Helpdesk case")
    TOKEN = "token", _("Token")

    @property
    def has_product(self) -> bool:
        """Whether its objects belong to one product, which a webhook has to name."""
        return self not in {ObjectClass.HELPDESK_CASE, ObjectClass.TOKEN}

    @property
    def covers(self) -> str:
        """What happens to its objects, in a few words."""
        return str(COVERS[self])

    @property
    def validations(self) -> "tuple[Type, ...]":
        """The validators that Connect asks about its objects."""
        return VALIDATIONS.get(self, ())


COVERS = {
    ObjectClass.FULFILLMENT_REQUEST: _("Orders, changes and cancellations of assets"),
    ObjectClass.TIER_CONFIG_REQUEST: _("Set-ups and changes of tier configurations"),
    ObjectClass.TIER_ACCOUNT_REQUEST: _("Changed data of customers, to accept or ignore"),
    ObjectClass.LISTING_REQUEST: _("Products to list or to remove"),
    ObjectClass.BILLING_REQUEST: _("What is to be billed for assets"),
    ObjectClass.USAGE_FILE: _("Usage uploaded or processed"),
    ObjectClass.HELPDESK_CASE: _("Cases opened, answered or closed"),
    ObjectClass.TOKEN: _("Created, disabled, expiring, renewed, seen, refused"),
}

# The collection of the API in which a receiver finds the object of an event, and its module.
COLLECTIONS = {
    ObjectClass.FULFILLMENT_REQUEST: "requests",
    ObjectClass.TIER_CONFIG_REQUEST: "tier/config-requests",
    ObjectClass.TIER_ACCOUNT_REQUEST: "tier/account-requests",
    ObjectClass.LISTING_REQUEST: "listing-requests",
    ObjectClass.BILLING_REQUEST: "subscriptions/requests",
    ObjectClass.USAGE_FILE: "usage/files",
    ObjectClass.HELPDESK_CASE: "helpdesk/cases",
    ObjectClass.TOKEN: "auth/tokens",
}

# Ids of their objects, as they begin.
SAMPLE_IDS = {
    ObjectClass.FULFILLMENT_REQUEST: "PR-…",
    ObjectClass.TIER_CONFIG_REQUEST: "TCR-…",
    ObjectClass.TIER_ACCOUNT_REQUEST: "TAR-…",
    ObjectClass.LISTING_REQUEST: "LSTR-…",
    ObjectClass.BILLING_REQUEST: "BRV-…",
    ObjectClass.USAGE_FILE: "UF-…",
    ObjectClass.HELPDESK_CASE: "CA-…",
    ObjectClass.TOKEN: "SU-…",
}


class Type(TextChoices):
    """Connect's types of webhooks.

    All but the first are validators, which Connect asks and whose answer it uses. The portal keeps
    them for programs that manage webhooks, and never calls them.
    """

    EVENT = "event", _("After every change")
    VALIDATOR = "validator", _("Validation of drafts")
    INQUIRING_VALIDATOR = "inquiring_validator", _("Validation while inquiring")
    CHANGE_VALIDATOR = "change_validator", _("Validation of changes")
    CHANGE_INQUIRING_VALIDATOR = (
        "change_inquiring_validator",
        _("Validation of changes while inquiring"),
    )
    RENEW_VALIDATOR = "renew_validator", _("Validation of renewals")
    RENEW_INQUIRING_VALIDATOR = (
        "renew_inquiring_validator",
        _("Validation of renewals while inquiring"),
    )
    TRANSFER_VALIDATOR = "transfer_validator", _("Validation of transfers")
    TRANSFER_INQUIRING_VALIDATOR = (
        "transfer_inquiring_validator",
        _("Validation of transfers while inquiring"),
    )
    DRAFT_TCR_T1_VAL = "draft_tcr_t1_val", _("Validation of drafts, tier 1")
    DRAFT_TCR_T2_VAL = "draft_tcr_t2_val", _("Validation of drafts, tier 2")
    TCR_SETUP_T1_INQ_VAL = "tcr_setup_t1_inq_val", _("Validation of setups while inquiring, tier 1")
    TCR_SETUP_T2_INQ_VAL = "tcr_setup_t2_inq_val", _("Validation of setups while inquiring, tier 2")
    TCR_UPDATE_T1_VALIDATOR = "tcr_update_t1_validator", _("Validation of updates, tier 1")
    TCR_UPDATE_T2_VALIDATOR = "tcr_update_t2_validator", _("Validation of updates, tier 2")
    TCR_UPDATE_T1_INQ_VAL = (
        "tcr_update_t1_inq_val",
        _("Validation of updates while inquiring, tier 1"),
    )
    TCR_UPDATE_T2_INQ_VAL = (
        "tcr_update_t2_inq_val",
        _("Validation of updates while inquiring, tier 2"),
    )


# The description of Connect's API does not say so: it follows from what the types are named for.
VALIDATIONS = {
    ObjectClass.FULFILLMENT_REQUEST: (
        Type.VALIDATOR,
        Type.INQUIRING_VALIDATOR,
        Type.CHANGE_VALIDATOR,
        Type.CHANGE_INQUIRING_VALIDATOR,
        Type.RENEW_VALIDATOR,
        Type.RENEW_INQUIRING_VALIDATOR,
        Type.TRANSFER_VALIDATOR,
        Type.TRANSFER_INQUIRING_VALIDATOR,
    ),
    ObjectClass.TIER_CONFIG_REQUEST: (
        Type.DRAFT_TCR_T1_VAL,
        Type.DRAFT_TCR_T2_VAL,
        Type.TCR_SETUP_T1_INQ_VAL,
        Type.TCR_SETUP_T2_INQ_VAL,
        Type.TCR_UPDATE_T1_VALIDATOR,
        Type.TCR_UPDATE_T2_VALIDATOR,
        Type.TCR_UPDATE_T1_INQ_VAL,
        Type.TCR_UPDATE_T2_INQ_VAL,
    ),
}


class Method(TextChoices):
    """How an endpoint is called."""

    POST = "POST", "POST"
    GET = "GET", "GET"

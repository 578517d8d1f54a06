"""Plausible values of fields, by model and field: the examples in the API's description."""

from typing import Any

from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    EmailField,
    Field,
    FloatField,
    IntegerField,
    JSONField,
)

# Model -> an id, and the name of that record.
RECORDS = {
    "Account": ("VA-044-420", "Front Street Inc"),
    "Agreement": ("AGP-884-348-731", "Cloud Backup Partner Program Agreement, Iberia"),
    "Asset": ("AS-2439-5446-0871", ""),
    "BillingRequest": ("BRV-2439-5446-0871-0001", ""),
    "Case": ("CA-485-157-026", "The invoice shows two licenses too many"),
    "Category": ("CAT-00012", "Backup and Recovery"),
    "Connection": ("CT-9344-0214-7780", ""),
    "Contract": ("CRP-41560-54399-31267", "Cloud Backup Partner Program Contract, Iberia"),
    "Conversation": ("CO-485-157-026-330-418-902", ""),
    "Country": ("ES", "Spain"),
    "Customer": ("TA-9861-7949-8492", "Taller Ruiz S.L."),
    "Delivery": ("WHD-0004-8213-0001", ""),
    "Environment": ("ENV-4400-0874-03", ""),
    "Extension": ("EXT-000", "custom"),
    "FulfillmentRequest": ("PR-2439-5446-0871-001", ""),
    "Hub": ("HB-1010-0001", "Southern Commerce"),
    "Item": ("PRD-783-317-575-0001", "Backup, 100 GB"),
    "Listing": ("LST-212-458-762", ""),
    "ListingRequest": ("LSTR-212-458-762-001", ""),
    "Locale": ("ES-ES", "Spanish (Spain)"),
    "Marketplace": ("MP-10101", "Iberia"),
    "Message": ("ME-506-258-087-114-720-395", ""),
    "ModuleEntry": ("MD-0023", "Helpdesk"),
    "PriceList": ("PL-371-904-226", "Iberia, Second Half of 2026"),
    "Product": ("PRD-783-317-575", "Cloud Backup"),
    "Report": ("REP-518-230-447", "Subscriptions of the Month"),
    "ReportTemplate": ("TPL-100-000-003", "Subscriptions"),
    "Service": ("SRVC-4400-0874", "Order Automation"),
    "TierConfig": ("TC-402-118-935", "Configuration of Distribuciones Vega S.A."),
    "TierAccountRequest": ("TAR-9861-7949-8492-002-001", ""),
    "TierConfigRequest": ("TCR-402-118-935-001", ""),
    "Token": ("SU-431-800-699", "ERP Agreements Sync"),
    "UsageFile": ("UF-2026-05-7731-0042", "Cloud Backup, May 2026"),
    "User": ("UR-630-250-903", "Robert Balboa"),
    "Webhook": ("WH-833-608-476", "Orders to ERP"),
}

# Field, or model and field where they differ -> a value.
FIELDS = {
    "Agreement.type": "program",
    "handle": "9d2f417c03be58a6e1d94b7720fc6835ab1e4d90",
    "Asset.status": "active",
    "Contract.status": "active",
    "Contract.type": "program",
    "Marketplace.zone": "EU",
    "PriceList.status": "active",
    "Product.status": "published",
    "Report.size": 20_480,
    "Report.status": "succeeded",
    "Report.timeout": False,
    "User.email": "robert@frontstreet.example",
    "about_id": "PRD-783-317-575",
    "activation_key": "Ask for the first sign-in at start.cloudbackup.example.",
    "address": "Calle Mayor 12",
    "address_2": "2nd floor",
    "category": "Automation",
    "city": "Zaragoza",
    "before": "0",
    "Customer.country": "ES",
    "currency": "EUR",
    "current": "active",
    "description": "Terms of the partner program between the two companies.",
    "entrypoint": "reports.subscriptions.entrypoint.generate",
    "detailed_description": (
        "Backs up files, mailboxes and databases every hour and keeps them for ten years."
    ),
    "Asset.external_id": "84120557",
    "Customer.external_id": "10447",
    "external_id": "erp-7",
    "external_uid": "0d5bcd58-6a53-4a4d-9a1c-6e4c4f0f6a52",
    "Environment.external_id": "7c9c2f0e-3b0a-4a52-9b7e-6f3f1d1c8a11",
    "extension_id": "EXT-857-273",
    # Later than today, since a token cannot be created as expired.
    "expires_at": "2031-01-31T00:00:00+00:00",
    "external_url": "https://erp.frontstreet.example/hooks/orders",
    "failure_output": "",
    "feedback": "Solved within a day.",
    "first_name": "Elena",
    "git_commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "git_tag": "2.4.1",
    "git_url": "https://code.example/order-automation",
    "Conversation.instance_id": "CA-485-157-026",
    "Conversation.topic": "The invoice shows two licenses too many",
    "instance_id": "commerce-south",
    "jwt_secret": "JWT-3d2f1c6a9e0b4f5d8c7a6b5e4d3c2b1a0f9e8d7c",
    "last_name": "Ruiz",
    "link": "https://documents.example/agp-884-348-731.pdf",
    "Grant.module": "MD-0023",
    "Locale.local_name": "español (España)",
    "local_id": "subscriptions",
    "mpn": "CB-100",
    "note": "Waiting for the other side's signature.",
    "overview": "Connect your own program or script.",
    "package_id": "order.automation",
    "phone_area": "976",
    "phone_country": "+34",
    "phone_extension": "4",
    "phone_number": "5550142",
    "postal_code": "50001",
    "product_id": "PRD-783-317-575",
    "product_name": "Cloud Backup",
    "reason": "The license key is not known.",
    "rejection_note": "The period does not match the contract.",
    "renderer": "xlsx",
    "schedule_id": "SCH-304-551-870",
    "schedule_name": "First day of the month",
    "short_description": "Backup of files, mailboxes and databases.",
    "Customer.state": "Aragón",
    "tax_id": "B-50123456",
    "time_zone": "Europe/Madrid",
    "unit": "licenses",
    "Hub.version": "26.1",
    "website": "https://www.frontstreet.example",
    "Case.description": "We ordered twelve licenses on 2 May; the invoice shows fourteen.",
    "Hub.description": "Orders from Spain and Portugal.",
    "Item.description": "One hundred gigabytes of storage.",
    "Marketplace.description": "Spain and Portugal.",
    "PriceList.description": "Prices from July to December.",
    "Report.description": "",
    "ReportTemplate.description": "Subscriptions with customers and quantities.",
    "Service.description": "Fulfils orders automatically.",
    "Message.text": "Which invoice is it?",
    "text": "12",
    "Token.description": "Copies agreements to the ERP every hour.",
    "Extension.description": "Custom Integration",
    "Extension.subtitle": "Connect your own program or script.",
    "BillingRequest.attributes": {"vendor": {"invoice": "204117"}},
    "BillingRequest.items": [{"id": "CB-100", "quantity": 8}],
    "BillingRequest.type": "vendor",
    "TierConfigRequest.notes": "Please fill in the partner number.",
    "TierConfigRequest.type": "update",
    "activation_tile": "Ask for the first sign-in at start.cloudbackup.example.",
    "asset_id": "AS-2439-5446-0871",
    "asset_external_uid": "0d5bcd58-6a53-4a4d-9a1c-6e4c4f0f6a52",
    "connection_id": "CT-9344-0214-7780",
    "person_id": "UR-630-250-903",
    "contract_id": "CRD-41560-54399-31267",
    "customer": {"id": "TA-9861-7949-8492"},
    "tier1": {"id": "TA-9861-7949-8493"},
    "items": [{"id": "CB-100", "quantity": 8}],
    "listing_id": "LST-212-458-762",
    "provider": {"order": "8841"},
    "value": "ruiz.example",
    "vendor": {"invoice": "204117"},
    "Attempt.note": "",
    "WebhookEvent.action": "approved",
    "WebhookEvent.object_id": "PR-2439-5446-0871-001",
    "condition": "eq(status,approved)",
    "object_status": "approved",
    "Webhook.data": {"queue": "orders"},
    "Webhook.description": "Puts new orders into the queue of the ERP.",
    "Webhook.headers": {"X-Source": "connect"},
    "label": "Orders to ERP",
    "UsageFile.description": "What customers stored in May.",
    "UsageFile.external_id": "2026-05",
    "MarketplaceHub.external_id": "iberia",
}

# Type of field -> a value, for fields that have none of their own above.
KINDS = (
    (DateTimeField, "2026-05-18T04:28:00+00:00"),
    (DateField, "2026-05-18"),
    (BooleanField, True),
    (IntegerField, 3),
    (FloatField, 0.01),
    (JSONField, [{"id": "domain", "title": "Domain", "type": "text", "value": "ruiz.example"}]),
    (EmailField, "elena@ruiz.example"),
)
NAMES = ("name", "title", "subject")
# Endings of the columns of an actor (`api.shapes.actors`). The example is a person, since people
# act more often than tokens.
ACTOR_ENDINGS = ("_actor_id", "_actor_name")


def example(field: "Field[Any, Any]", column: str = "") -> Any:
    """Return an example value of a field, as JSON.

    The field of a computed column has no model; its value is looked up by the column's name, and
    that of a field that only bodies have by its own.
    """
    model, name = (
        (field.model.__name__, field.name)
        if hasattr(field, "model")
        else ("", column or str(field.name or ""))
    )
    found = FIELDS.get(f"{model}.{name}", FIELDS.get(name))
    if found is not None:
        return found
    for ending, value in zip(ACTOR_ENDINGS, RECORDS["User"], strict=True):
        if name.endswith(ending):
            return value
    if model and (field.primary_key or name in NAMES):
        return RECORDS.get(model, (f"{model.upper()}-000-001", model))[
            0 if field.primary_key else 1
        ]
    if field.choices:
        return field.flatchoices[0][0]
    # A DateTimeField is a DateField too, so KINDS has it first.
    return next((value for kind, value in KINDS if isinstance(field, kind)), None)

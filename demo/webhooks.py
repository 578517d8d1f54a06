"""The webhooks of the demo: one that reaches the demo's own receiver, others to look at."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from demo.companies import FRONT_STREET, MICK
from demo.deliveries import CREATED
from webhooks.catalog import Method, ObjectClass
from webhooks.models import Webhook

TOLD = (
    "Tells the receiver of the demo what happens to tokens. Change the end of its address to "
    "/receiver/fail/, /slow/ or /gone/ to see what follows."
)
# (id, account, label, object class, product, its name, endpoint, method, description, active)
ROWS = (
    (
        *("WH-660-482-117", MICK, "Token Watch", ObjectClass.TOKEN, "", ""),
        *("/demo/receiver/", Method.POST, TOLD, True),
    ),
    (
        *("WH-660-482-118", FRONT_STREET, "Token Watch", ObjectClass.TOKEN, "", ""),
        *("/demo/receiver/", Method.POST, TOLD, True),
    ),
    (
        *("WH-833-608-476", MICK, "Orders to ERP", ObjectClass.FULFILLMENT_REQUEST),
        *("PRD-783-317-575", "Cloud Backup", "https://erp.mightymicks.example/hooks/orders"),
        *(Method.POST, "Puts new orders into the queue of the ERP.", False),
    ),
    (
        *("WH-274-091-330", FRONT_STREET, "Billing Feed", ObjectClass.USAGE_FILE),
        *("PRD-783-317-575", "Cloud Backup", "https://billing.frontstreet.example/usage"),
        *(Method.POST, "", False),
    ),
    (
        *("WH-945-700-218", MICK, "Case Bridge", ObjectClass.HELPDESK_CASE, "", ""),
        *("https://desk.mightymicks.example/ping", Method.GET, "", False),
    ),
)
# Those that are called in order, and not too often.
PACED: dict[str, dict[str, Any]] = {"WH-833-608-476": {"keep_order": True, "rate_per_minute": 120}}


def load(accounts: dict[str, Account]) -> None:
    """Create the webhooks that are missing."""
    for id, account, label, object_class, product, name, url, method, about, active in ROWS:
        if not Webhook.objects.filter(pk=id).exists():
            Webhook.create(
                account=accounts[account],
                by=None,
                id=id,
                label=label,
                object_class=object_class,
                product_id=product,
                product_name=name,
                external_url=f"{settings.PORTAL_URL}{url}" if url.startswith("/") else url,
                http_method=method,
                description=about,
                active=active,
                created_at=timezone.now() - CREATED,
                **PACED.get(id, {}),
            )

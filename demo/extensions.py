"""Extensions that companies of the demo made: one that is offered, one that is still a draft."""

from collections.abc import Mapping

from accounts.models import Account
from demo.companies import BAYSIDE, FRONT_STREET, SOUTHPAW
from demo.records.base import day
from demo.tokens import ZAPIER
from portal import svg
from tokens.catalog import Module
from tokens.models import Category, Extension, ExtensionVersion, OwnIcon

# As an administrator would upload it.
ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-width="2" '
    b'stroke-linecap="round"><path stroke="#0b6e6e" d="M3 17c0-8 18-8 18 0"/>'
    b'<path stroke="#b4540a" d="M3 17h18M8 12.5V17M12 11v6M16 12.5V17"/></svg>'
)

# What CloudBlue's app for Zapier calls; Integrations has the webhooks by which a Zap is told.
ZAPIER_MODULES = [
    module.value
    for module in (
        Module.ACCOUNT,
        Module.CUSTOMERS,
        Module.INTEGRATIONS,
        Module.HELPDESK,
        Module.LISTINGS,
        Module.MARKETPLACES,
        Module.PRODUCTS,
        Module.SUBSCRIPTIONS,
        Module.TIER_CONFIG,
    )
]
BRIDGE, LEDGER = "EXT-512-090", "EXT-733-204"


def load(accounts: Mapping[str, Account]) -> None:
    """Add the extensions that are missing; Southpaw made that of Zapier, which has handles."""
    Extension.objects.filter(pk=ZAPIER, owner=None).update(
        owner=accounts[SOUTHPAW], uses_handle=True, fixed_modules=ZAPIER_MODULES
    )
    bridge, made = Extension.objects.get_or_create(
        pk=BRIDGE,
        defaults={
            "name": "helpdesk-bridge",
            "label": "Helpdesk Bridge",
            "description": "Helpdesk Bridge",
            "subtitle": "Keeps cases of two help desks in step.",
            "overview": "Copies cases and their comments both ways.\n\n"
            "- A new case here is a ticket there within a minute.\n"
            "- **Closed** on one side is closed on the other.",
            "icon": Extension.Icon.CHAT,
            "own_icon": OwnIcon.keep(svg.clean(ICON).text),
            "categories": [Category.AUTOMATION.value, Category.SUPPORT.value],
            "fixed_modules": [Module.HELPDESK.value],
            "owner": accounts[BAYSIDE],
            "website": "https://bayside.example",
            "status": Extension.Status.PUBLISHED,
        },
    )
    if made:
        for number, released, notes in (
            ("1.0", day(2021, 2, 3, 9, 0), "The first version."),
            ("1.1", day(2021, 5, 4, 9, 0), "Comments are copied too."),
        ):
            ExtensionVersion.objects.create(
                extension=bridge, number=number, released_at=released, notes=notes
            )
    Extension.objects.get_or_create(
        pk=LEDGER,
        defaults={
            "name": "ledger-export",
            "label": "Ledger Export",
            "description": "Ledger Export",
            "subtitle": "Writes usage and orders to your ledger every night.",
            "icon": Extension.Icon.LEDGER,
            "categories": [Category.REPORTING.value],
            "fixed_modules": [Module.SUBSCRIPTIONS.value, Module.USAGE.value],
            "owner": accounts[FRONT_STREET],
        },
    )

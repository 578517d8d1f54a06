"""Steps that several stories share, in the words of the pages."""

import re
from collections.abc import Sequence

from playwright.sync_api import Locator, Page, expect

from demo.companies import MICK
from demo.deliveries import ORDERS, SENT, TIERS
from demo.tokens import more_samples
from tests.server import Server
from tokens.catalog import Module
from tokens.pages.tables import TokenTable

LIST = "/integrations/tokens/"
# The list in its default form, whatever another test has made the portal remember for the person.
PLAIN_LIST = f"{LIST}?sort=-created&per_page=10&columns=label,extension,created,last_used,status"
COLUMNS = ",".join(name for name in TokenTable.Meta.sequence if name != "actions")
EVERY_COLUMN = f"{LIST}?columns={COLUMNS}&per_page=50"
# How many modules there are to choose from, besides All.
MODULES = len(Module.single())

# A token of the demo that expires soon.
EXPIRING = next(
    f"{LIST}{sample.id}/"
    for sample in more_samples()
    if (sample.account, sample.name) == (MICK, "Price List Export")
)
DELETED = f"{LIST}?status=deleted"

EXTENSIONS = "/integrations/extensions/"
ZAPIER = f"{EXTENSIONS}EXT-651-883/"

WEBHOOKS = "/integrations/webhooks/"
HOOK, DISABLED_HOOK = f"{WEBHOOKS}{ORDERS}/", f"{WEBHOOKS}{TIERS}/"
GIVEN_UP = f"{HOOK}deliveries/{SENT[ORDERS][-1][0]}/"

# A webhook that is paused while events wait, and one of which deliveries are sent again while it is
# disabled, so that none of them goes out.
MAKE_HOOKS = """
from django.utils import timezone
from accounts.models import Account
from tests.webhooks.factories import failing, given_up, make_delivery, make_webhook
from webhooks.models import Delivery
account = Account.objects.get(pk="PA-318-774")
paused = make_webhook(account, "Paused for the Move")
failing(paused)
make_delivery(paused)
paused.pause(by=None)
again = make_webhook(account, "Sent Again")
lost = [given_up(again, f"PR-{number}") for number in range(4)]
rows = Delivery.objects.filter(pk__in=[each.pk for each in lost[:2]])
again.send_anew(rows, seen=timezone.now(), by=None)
again.disable(by=None, reason="failing")
print(paused.pk, again.pk)
"""


def make_hooks(portal: Server) -> dict[str, str]:
    """Make two webhooks of Southpaw; return the addresses of their pages by state."""
    paused, again = portal.manage("shell", "--no-imports", "-c", MAKE_HOOKS).split()
    return {"paused": f"{WEBHOOKS}{paused}/", "sent again": f"{WEBHOOKS}{again}/"}


def row(page: Page, name: str) -> Locator:
    """Return the row of a table whose first cell is, or begins with, the name."""
    return page.get_by_role("row").filter(
        has=page.get_by_role("rowheader").filter(has_text=re.compile(rf"^\s*{re.escape(name)}"))
    )


def extension(page: Page, name: str) -> Locator:
    """Return the radio button of a card of step 2.

    Its accessible name is the whole text of the card, which begins with the extension's name.
    """
    return page.get_by_role("radio", name=re.compile(rf"^{name} "))


def module(page: Page, name: str) -> Locator:
    """Return the check box of a module.

    Its accessible name continues with what the module covers.
    """
    return page.get_by_role("checkbox", name=re.compile(rf"^{name} "))


def names(page: Page) -> Locator:
    """Return the names in the first column, top to bottom."""
    return page.locator("tbody th .one")


def open_menu(page: Page, name: str) -> Locator:
    """Open the ⋮ menu of a token, in the list or on its own page; return its entries."""
    button = page.locator("summary").and_(page.get_by_label(f"Actions for {name}", exact=True))
    button.click()
    return page.locator("details.menu[open] .popover")


def start_token(page: Page, name: str, kind: str = "Custom") -> None:
    """Go through steps 1 and 2 of the wizard."""
    page.goto("/integrations/tokens/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Next").click()
    extension(page, kind).check()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Permissions", level=2)).to_be_visible()


def create_token(page: Page, name: str, modules: Sequence[str] = ("Agreements",)) -> str:
    """Go through the whole wizard up to Summary; return the token's id."""
    start_token(page, name)
    for each in modules:
        module(page, each).check()
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/summary/")
    return page.url.split("/")[-3]


def key_in(page: Page) -> str:
    """Return the key that the page shows, as the value of the Authorization header."""
    field = page.locator("#key-text")
    expect(field).to_have_text(re.compile(r"^ApiKey SU-\d{3}-\d{3}-\d{3}:[0-9a-f]{40}$"))
    return field.inner_text().strip()

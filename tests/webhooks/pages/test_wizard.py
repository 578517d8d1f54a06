"""The wizard makes one webhook per run, whatever people do with tabs, Back, reload and clicks."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from activity.actions import Action
from activity.models import Event
from modules.models import Product
from tests.conftest import Person, person, stale
from tests.factories import ProductFactory
from tests.matching import matched
from webhooks.models import Webhook, WebhookDraft, WebhookSecret

LIST = "/integrations/webhooks/"
NEW = f"{LIST}new/"
GENERAL = {"label": "Orders to ERP", "description": "Puts orders\ninto the queue.", "active": "on"}
URL = "https://erp.example/hooks/orders"
KEPT = {"headers_name": "X-Kept", "headers_value": "yes"}
ENDPOINT = {"external_url": URL, "http_method": "POST", "own_secret": ""}
EVENTS = {"object_class": "fulfillment_request"}


def start(client: Client, **fields: str) -> str:
    """Complete step 1; return the URL of the run."""
    response = client.post(NEW, {**GENERAL, **fields})
    assert response.status_code == 302, response.context["form"].errors
    return str(response["Location"].removesuffix("endpoint/"))


def ready(client: Client, **fields: Any) -> str:
    """Complete steps 1 and 2."""
    run = start(client)
    response = client.post(f"{run}endpoint/", {**ENDPOINT, **fields})
    assert response["Location"] == f"{run}events/"
    return run


def create(client: Client, run: str, **fields: str) -> Any:
    return client.post(f"{run}events/", {**EVENTS, **fields})


def test_the_four_steps_make_a_webhook(michael: Person) -> None:
    run = ready(
        michael.client,
        http_method="GET",
        headers_name=["X-Source", "", "X-Key"],
        headers_value=["connect", "", "a:b "],
    )
    response = create(michael.client, run, data='{"queue": "orders"}')
    webhook = Webhook.objects.get()
    assert response["Location"] == f"{LIST}{webhook.pk}/summary/"
    assert webhook.account == michael.account
    assert webhook.created_by is not None
    assert webhook.created_by.id == michael.user.pk
    assert (webhook.label, webhook.http_method) == ("Orders to ERP", "GET")
    assert webhook.headers == {"X-Source": "connect", "X-Key": "a:b"}
    assert webhook.data == {"queue": "orders"}
    assert webhook.active
    assert {each.kind for each in WebhookSecret.objects.all()} == {"jwt", "sw"}
    assert Event.objects.filter(action=Action.WEBHOOK_CREATED).count() == 1
    assert not WebhookDraft.objects.exists()


def test_looking_at_a_step_leaves_no_trace(michael: Person) -> None:
    michael.client.get(NEW)
    assert not WebhookDraft.objects.exists()
    run = ready(michael.client)
    before = WebhookDraft.objects.values().get()
    for step in ("general", "endpoint", "events"):
        assert michael.client.get(f"{run}{step}/").status_code == 200
    assert WebhookDraft.objects.values().get() == before
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("step", "field", "value", "sentence"),
    [
        ("general", "label", "", "Enter a label for the webhook."),
        ("general", "product_id", "PRD-1", "Choose a product from the list."),
        ("endpoint", "external_url", "ftp://erp.example/", "Enter a complete address"),
        ("endpoint", "headers_name", "Host", "The portal sets the header Host itself."),
        ("endpoint", "own_secret", "with a blank" * 3, "without blanks"),
        ("endpoint", "own_secret", "x" * 31, "needs at least 32 characters"),
        ("endpoint", "own_secret", "x" * 101, "at most 100 characters"),
        ("endpoint", "rate_per_minute", "0", "Enter a number of calls from 1 to 6,000."),
        ("events", "object_class", "", "Choose what the webhook is about."),
        ("events", "data", "{", "Enter JSON such as"),
    ],
)
def test_a_step_says_what_is_wrong(
    michael: Person, step: str, field: str, value: str, sentence: str
) -> None:
    run = ready(michael.client)
    valid = {"general": GENERAL, "endpoint": ENDPOINT, "events": EVENTS}[step]
    response = michael.client.post(f"{run}{step}/", {**valid, field: value})
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not Webhook.objects.exists()


def test_a_step_too_far_ahead_leads_to_the_one_that_is_due(michael: Person) -> None:
    run = start(michael.client)
    assert michael.client.get(f"{run}events/")["Location"] == f"{run}endpoint/"
    assert create(michael.client, run)["Location"] == f"{run}endpoint/"
    assert not Webhook.objects.exists()


def test_back_keeps_what_was_typed_and_even_what_is_wrong(michael: Person) -> None:
    run = ready(michael.client)
    typed = {"object_class": "usage_file", "data": "{oops", "back": "1"}
    assert create(michael.client, run, **typed)["Location"] == f"{run}endpoint/"
    page = michael.client.get(f"{run}events/").content.decode()
    assert "{oops" in page
    assert WebhookDraft.objects.get().object_class == "usage_file"
    kept = {**ENDPOINT, **KEPT, "back": "1"}
    assert michael.client.post(f"{run}endpoint/", kept)["Location"] == f"{run}general/"
    assert 'value="X-Kept"' in michael.client.get(f"{run}endpoint/").content.decode()


def test_limit_and_order_are_kept_in_the_run_and_shown_afterwards(michael: Person) -> None:
    run = ready(michael.client, rate_per_minute="60", keep_order="on")
    page = michael.client.get(f"{run}endpoint/").content.decode()
    assert re.search(r'name="rate_per_minute" value="60"', page)
    assert re.search(r'name="keep_order"[^>]* checked', page)
    summary = create(michael.client, run)["Location"]
    webhook = Webhook.objects.get()
    assert (webhook.rate_per_minute, webhook.keep_order) == (60, True)
    for address in (summary, f"{LIST}{webhook.pk}/"):
        seen = michael.client.get(address).content.decode()
        assert "At most 60 calls a minute" in seen
        assert "Kept for each object" in seen


# --- Exactly one ----------------------------------------------------------------------------------


def test_pressing_create_twice_makes_one(michael: Person) -> None:
    run = ready(michael.client)
    first, second = (create(michael.client, run) for _ in range(2))
    assert Webhook.objects.count() == 1
    assert first["Location"] == second["Location"]
    # Back and bookmarks of the run lead there too.
    assert michael.client.get(f"{run}general/")["Location"] == first["Location"]


@pytest.mark.django_db(transaction=True)
def test_create_in_four_tabs_at_once_makes_one(michael: Person) -> None:
    run = ready(michael.client)
    barrier = Barrier(4)

    def press(_: int) -> str:
        client = Client()
        client.cookies = michael.client.cookies
        barrier.wait()
        try:
            return str(create(client, run)["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(press, range(4)))
    assert places == {f"{LIST}{Webhook.objects.get().pk}/summary/"}


def test_a_draft_that_was_loaded_before_makes_no_second(michael: Person) -> None:
    run = ready(michael.client)
    draft = WebhookDraft.objects.get()
    create(michael.client, run)
    assert draft.finish() == Webhook.objects.get()
    Webhook.objects.get().remove(by=None)
    assert draft.finish() is None
    assert not Webhook.objects.exists()
    assert create(michael.client, run).status_code == 404


def test_runs_of_two_tabs_do_not_interfere(michael: Person) -> None:
    runs = [ready(michael.client) for _ in range(2)]
    for run in runs:
        create(michael.client, run)
    assert Webhook.objects.count() == 2


def test_a_run_belongs_to_its_person(michael: Person, stranger: Person, adrian: Person) -> None:
    run = ready(michael.client)
    colleague = person(account=michael.account)
    for somebody, status in ((stranger, 404), (colleague, 404), (adrian, 403)):
        assert somebody.client.get(f"{run}general/").status_code == status
        assert create(somebody.client, run).status_code == status
    assert not Webhook.objects.exists()


# --- Secrets --------------------------------------------------------------------------------------


OWN = "JWT-of-my-own-program-since-long-ago"


def secret_in(page: str) -> str:
    return matched(r'name="own_secret" value="([^"]*)"', page)[1]


def test_the_portal_offers_a_secret_and_another_one_without_scripts(michael: Person) -> None:
    run = start(michael.client)
    offered = secret_in(michael.client.get(f"{run}endpoint/").text)
    assert re.fullmatch(r"JWT-[0-9a-f]{40}", offered)
    typed = {**ENDPOINT, "own_secret": offered, "headers_name": "X-A", "another": "1"}
    other = secret_in(michael.client.post(f"{run}endpoint/", typed).text)
    assert re.fullmatch(r"JWT-[0-9a-f]{40}", other)
    assert other != offered
    michael.client.post(f"{run}endpoint/", {**ENDPOINT, "own_secret": other})
    create(michael.client, run)
    assert Webhook.objects.get().reveal("jwt", by=None) == other


def test_an_own_secret_is_used_as_typed_and_sealed_meanwhile(michael: Person) -> None:
    run = ready(michael.client, own_secret=OWN)
    assert OWN not in str(WebhookDraft.objects.values().get())
    page = michael.client.get(f"{run}endpoint/").text
    assert OWN not in page
    assert "It is kept as it was." in page
    # It is kept when the step is passed again.
    michael.client.post(f"{run}endpoint/", {**ENDPOINT, "own_secret": ""})
    create(michael.client, run)
    assert Webhook.objects.get().reveal("jwt", by=None) == OWN


def test_a_secret_that_cannot_be_used_is_asked_for_again_in_a_browser(michael: Person) -> None:
    run = ready(michael.client, own_secret=OWN)
    sent = michael.client.post(
        f"{run}endpoint/",
        {**ENDPOINT, "own_secret": "too short"},
        headers={"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"},
    )
    page = michael.client.get(sent["Location"]).text
    assert "It is not kept while the form has errors." in page
    assert "too short" not in page
    assert WebhookDraft.objects.get().sealed is None


def test_without_a_secret_the_portal_makes_one_up(michael: Person) -> None:
    create(michael.client, ready(michael.client, own_secret=""))
    assert re.fullmatch(r"JWT-[0-9a-f]{40}", Webhook.objects.get().reveal("jwt", by=None))


def test_a_sealed_secret_that_cannot_be_opened_is_asked_for_again(michael: Person) -> None:
    run = ready(michael.client, own_secret=OWN)
    WebhookDraft.objects.update(sealed=b"broken")
    response = create(michael.client, run)
    assert response["Location"] == f"{run}endpoint/"
    page = michael.client.get(response["Location"]).content.decode()
    assert "Enter the secret again, or press New" in page
    michael.client.post(f"{run}endpoint/", {**ENDPOINT, "own_secret": OWN})
    create(michael.client, run)
    assert Webhook.objects.get().reveal("jwt", by=None) == OWN


def test_creating_asks_for_the_password(michael: Person) -> None:
    run = ready(michael.client)
    stale(michael.client)
    assert "Confirm That It Is You" in create(michael.client, run).content.decode()
    assert not Webhook.objects.exists()


def test_summary_hands_out_the_secrets_as_details_do(michael: Person) -> None:
    summary = create(michael.client, ready(michael.client))["Location"]
    webhook = Webhook.objects.get()
    page = michael.client.get(summary).content.decode()
    for words in ("was created and is active", "Send Test Event", "hmac.compare_digest", "Node"):
        assert words in page
    secret = WebhookSecret.newest(webhook, "jwt").open()
    assert secret not in page
    shown = {"page": "summary", "once": "a" * 12}
    response = michael.client.post(f"{LIST}{webhook.pk}/secrets/jwt/", shown)
    assert "Step 4 of 4" in response.content.decode()
    assert secret in re.sub(r"<wbr>|</?span[^>]*>", "", response.content.decode())


def test_only_the_session_that_made_it_sees_summary(michael: Person) -> None:
    summary = create(michael.client, ready(michael.client))["Location"]
    colleague = person(account=michael.account)
    assert colleague.client.get(summary)["Location"] == summary.removesuffix("summary/")


# --- Products, samples, the receiver of the demo --------------------------------------------------


@pytest.fixture
def product(michael: Person) -> Product:
    michael.account.side = "vendor"
    michael.account.save()
    return ProductFactory(vendor=michael.account, name="Cloud Backup")


def test_a_product_is_chosen_from_those_the_account_sees(
    michael: Person, product: Product, stranger: Person
) -> None:
    other = ProductFactory(vendor=stranger.account, name="Not Yours")
    page = michael.client.get(NEW).content.decode()
    assert f"Cloud Backup ({product.pk})" in page
    assert other.pk not in page
    run = start(michael.client, product_id=product.pk)
    michael.client.post(f"{run}endpoint/", ENDPOINT)
    refused = create(michael.client, run, object_class="token").content.decode()
    assert "A token belongs to no product." in refused
    create(michael.client, run)
    webhook = Webhook.objects.get()
    assert (webhook.product_id, webhook.product_name) == (product.pk, "Cloud Backup")


def test_a_product_that_went_away_meanwhile_is_asked_for_again(
    michael: Person, product: Product
) -> None:
    run = start(michael.client, product_id=product.pk)
    michael.client.post(f"{run}endpoint/", ENDPOINT)
    WebhookDraft.objects.update(product_id="PRD-999-999-999")
    response = create(michael.client, run)
    assert response["Location"] == f"{run}general/"
    page = michael.client.get(response["Location"]).content.decode()
    assert "The product is no longer offered to this account." in page
    assert not Webhook.objects.exists()


def test_what_will_be_sent_follows_the_form(michael: Person) -> None:
    run = ready(michael.client)
    create(michael.client, run, object_class="usage_file", data='{"queue": "usage"}', look="1")
    sent = json.loads(michael.client.get(f"{run}events/").context["sample"].body)
    assert (sent["object_class"], sent["data"]) == ("usage_file", {"queue": "usage"})
    assert not Webhook.objects.exists()


def test_outside_a_demo_no_receiver_is_offered(michael: Person, settings: Settings) -> None:
    settings.DEMO = False
    assert b"Demo Receiver" not in michael.client.get(LIST).content
    run = start(michael.client)
    assert b"Demo Receiver" not in michael.client.get(f"{run}endpoint/").content


def test_in_a_demo_its_receiver_is_offered(michael: Person, settings: Settings) -> None:
    settings.DEMO = True
    receiver = f"{settings.PORTAL_URL}/demo/receiver/"
    assert f"{NEW}?receiver=demo" in michael.client.get(LIST).content.decode()
    response = michael.client.post(f"{NEW}?receiver=demo", GENERAL)
    assert receiver in michael.client.get(response["Location"]).content.decode()
    run = start(michael.client)
    page = f"{run}endpoint/"
    assert b"Use the Demo Receiver" in michael.client.get(page).content
    filled = {**ENDPOINT, "external_url": "", **KEPT, "demo": "1"}
    assert michael.client.post(page, filled)["Location"] == page
    shown = michael.client.get(page).content.decode()
    assert receiver in shown
    assert 'value="X-Kept"' in shown


def test_headers_are_added_and_left_out_without_scripts(michael: Person) -> None:
    run = start(michael.client)
    page = f"{run}endpoint/"
    typed = {**ENDPOINT, "headers_name": ["X-A", "X-B"], "headers_value": ["1", "2"]}

    def names(**pressed: str) -> list[str]:
        response = michael.client.post(page, {**typed, **pressed})
        assert response.status_code == 200
        return re.findall(r'name="headers_name" value="([^"]+)"', response.text)

    assert names(headers_more="1") == ["X-A", "X-B"]
    assert "Name of another header" in michael.client.get(page).text
    assert names(headers_drop="0") == ["X-B"]
    # A number of no row leaves none out.
    assert names(headers_drop="7") == names(headers_drop="x") == ["X-A", "X-B"]
    assert michael.client.post(page, typed)["Location"] == f"{run}events/"
    assert WebhookDraft.objects.get().headers == {"X-A": "1", "X-B": "2"}
    # All rows emptied: no headers, not those from before.
    michael.client.post(page, {**ENDPOINT, "headers_name": ["", ""], "headers_value": ["", ""]})
    assert WebhookDraft.objects.get().headers == {}


def test_a_header_pasted_into_the_field_of_its_name_is_read(michael: Person) -> None:
    run = ready(michael.client, headers_name=["X-A: 1", "X-B"], headers_value=["", "x: y"])
    assert WebhookDraft.objects.get().headers == {"X-A": "1", "X-B": "x: y"}
    page = michael.client.post(
        f"{run}endpoint/", {**ENDPOINT, "headers_name": "X-A: 1", "headers_value": "2"}
    )
    assert "is not the name of a header" in page.text

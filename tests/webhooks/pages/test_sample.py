"""What will be sent, which follows Edit and the steps Endpoint and Events as they are filled in."""

import json
import re
from typing import Any

import pytest

from accounts.models import Account
from tests.conftest import Person, Response, person
from tests.factories import ProductFactory
from tests.webhooks.factories import make_webhook
from tests.webhooks.pages.test_edit_page import FORM, edit_url
from tests.webhooks.pages.test_wizard import ENDPOINT, create, ready
from webhooks.catalog import ObjectClass
from webhooks.models import Webhook, WebhookDraft, WebhookEvent
from webhooks.signing import Sample


@pytest.fixture
def run(michael: Person) -> str:
    """Return the address of a run that has an endpoint."""
    return ready(michael.client)


def follow(somebody: Person, run: str, step: str, **typed: Any) -> Response:
    return somebody.client.post(f"{run}{step}/typed/", typed)


def sent(response: Response) -> tuple[Sample, dict[str, Any]]:
    assert response.status_code == 200
    sample = response.context["sample"]
    return sample, json.loads(sample.body) if sample.body else {}


def test_events_follow_the_objects_and_the_data(michael: Person, run: str) -> None:
    page = follow(michael, run, "events", object_class="token", data='{"queue": "ops"}')
    _sample, body = sent(page)
    assert (body["object_class"], body["data"]) == ("token", {"queue": "ops"})
    assert body["event"]["object"] == {
        "id": "SU-…",
        "status": None,
        "href": "/public/v1/auth/tokens/SU-…",
    }
    assert "&quot;queue&quot;: &quot;ops&quot;" in page.text
    assert "POST https://erp.example/hooks/orders" in page.text


def test_endpoint_follows_address_method_and_headers(michael: Person, run: str) -> None:
    typed = {**ENDPOINT, "external_url": "https://new.example/in", "headers_name": "X-Source"}
    sample, _body = sent(follow(michael, run, "endpoint", **typed, headers_value="connect"))
    assert (sample.method, sample.url) == ("POST", "https://new.example/in")
    assert sample.headers["X-Source"] == "connect"
    assert sample.headers["Authorization"] == "Bearer …"
    assert sample.headers["webhook-signature"] == "v1,…"
    typed["http_method"] = "GET"
    sample, body = sent(follow(michael, run, "endpoint", **typed))
    assert sample.url.startswith("https://new.example/in?webhook_id=WH-…&object_class=")
    assert body == {}


def test_a_header_of_its_own_replaces_that_of_the_portal(michael: Person, run: str) -> None:
    typed = {**ENDPOINT, "headers_name": "Content-Type", "headers_value": "text/plain"}
    sample, _body = sent(follow(michael, run, "endpoint", **typed))
    assert sample.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    ("step", "typed", "words"),
    [
        ("events", {"object_class": "token", "data": '{"queue": '}, "Own data"),
        ("endpoint", {**ENDPOINT, "external_url": "https://10.1.2.3/"}, "URL"),
        (
            "endpoint",
            {**ENDPOINT, "external_url": "htt", "headers_name": "Host", "headers_value": "x"},
            "URL and Headers",
        ),
    ],
)
def test_what_is_not_finished_is_left_out_without_an_error(
    michael: Person, run: str, step: str, typed: dict[str, str], words: str
) -> None:
    page = follow(michael, run, step, **typed)
    assert f"Left out, because it cannot be used yet: {words}." in page.text
    assert "field-error" not in page.text
    assert "Enter" not in page.text


@pytest.mark.parametrize("typed", [{}, {"object_class": "nonsense"}, {"data": ""}])
def test_what_is_still_empty_is_not_worth_a_word(
    michael: Person, run: str, typed: dict[str, str]
) -> None:
    page = follow(michael, run, "events", **typed)
    assert "Left out" not in page.text
    _sample, body = sent(page)
    assert body["object_class"] == ObjectClass.FULFILLMENT_REQUEST


def test_objects_that_do_not_go_with_the_product_are_shown_all_the_same(michael: Person) -> None:
    michael.account.side = "vendor"
    michael.account.save()
    product = ProductFactory(vendor=michael.account)
    run = ready(michael.client)
    WebhookDraft.objects.update(product_id=product.pk)
    page = follow(michael, run, "events", object_class="token")
    assert sent(page)[1]["object_class"] == "token"
    assert "belongs to no product" not in page.text


def test_the_condition_is_tried_while_it_is_typed(michael: Person, run: str) -> None:
    WebhookEvent.objects.create(
        account_id=michael.account.pk, object_class="token", action="created", object_id="SU-1"
    )
    page = follow(michael, run, "events", object_class="token", condition="eq(action,created)")
    assert "It would have matched" in page.text
    unfinished = follow(michael, run, "events", object_class="token", condition="eq(action,")
    assert '<p id="preview-words"></p>' in unfinished.text


@pytest.mark.parametrize("step", ["endpoint", "events"])
def test_nothing_is_stored(michael: Person, run: str, step: str) -> None:
    before = WebhookDraft.objects.values().get()
    typed = {
        **ENDPOINT,
        "external_url": "https://new.example/",
        "object_class": "token",
        "data": '{"a": 1}',
    }
    follow(michael, run, step, **typed)
    assert WebhookDraft.objects.values().get() == before


@pytest.mark.parametrize("step", ["endpoint", "events"])
def test_a_page_with_errors_shows_the_sample_of_what_was_typed(
    michael: Person, run: str, step: str
) -> None:
    typed = {**ENDPOINT, "headers_name": "Host", "headers_value": "x", "data": "nonsense"}
    page = michael.client.post(f"{run}{step}/", typed)
    assert "Left out, because it cannot be used yet:" in page.text
    assert "field-error" in page.text


def test_the_secret_is_not_sent_while_one_types(michael: Person, run: str) -> None:
    page = michael.client.get(f"{run}endpoint/").text
    sent = re.findall(r'hx-params="([^"]*)"', page)
    assert any("headers_name" in fields for fields in sent)
    assert not any("own_secret" in fields for fields in sent)


def test_a_run_of_somebody_else_and_other_steps_are_not_found(
    michael: Person, stranger: Person, run: str
) -> None:
    assert follow(michael, run, "general").status_code == 404
    assert follow(michael, run, "summary").status_code == 404
    assert follow(stranger, run, "events").status_code in {403, 404}
    colleague = person(account=michael.account)
    assert follow(colleague, run, "events").status_code == 404


def test_a_run_that_was_finished_meanwhile_has_nothing_to_follow(michael: Person, run: str) -> None:
    create(michael.client, run)
    page = follow(michael, run, "events", object_class="token")
    assert (page.status_code, page.content) == (204, b"")


# --- Edit -----------------------------------------------------------------------------------------


def test_edit_shows_what_is_sent_now(michael: Person, account: Account) -> None:
    webhook = make_webhook(account, data={"queue": "orders"}, headers={"X-Source": "connect"})
    sample, body = sent(michael.client.get(edit_url(webhook)))
    assert (sample.method, sample.headers["X-Source"]) == ("POST", "connect")
    assert (body["webhook_name"], body["data"]) == ("Orders to ERP", {"queue": "orders"})


def test_edit_follows_every_part_of_the_form(michael: Person, webhook: Webhook) -> None:
    typed = {
        **FORM,
        "label": "Renamed",
        "object_class": "token",
        "external_url": "https://new.example/in",
        "headers_name": "X-Source",
        "headers_value": "connect",
        "data": '{"queue": "ops"}',
    }
    page = michael.client.post(f"{edit_url(webhook)}typed/", typed)
    sample, body = sent(page)
    assert (sample.url, sample.headers["X-Source"]) == ("https://new.example/in", "connect")
    assert (body["webhook_name"], body["object_class"]) == ("Renamed", "token")
    assert body["data"] == {"queue": "ops"}
    # Nothing is stored.
    webhook.refresh_from_db()
    assert (webhook.label, webhook.version) == ("Orders to ERP", 1)
    wrong = {**typed, "data": "{", "headers_name": "Host"}
    page = michael.client.post(f"{edit_url(webhook)}typed/", wrong)
    assert "Left out, because it cannot be used yet: Headers and Own data." in page.text


def test_without_scripts_edit_shows_the_sample_of_what_was_typed(
    michael: Person, webhook: Webhook
) -> None:
    typed = {**FORM, "version": "1", "data": '{"queue": "ops"}', "look": "1"}
    _sample, body = sent(michael.client.post(edit_url(webhook), typed))
    assert body["data"] == {"queue": "ops"}


def test_edit_follows_nobody_but_administrators_of_the_account(
    adrian: Person, stranger: Person, michael: Person, webhook: Webhook
) -> None:
    url = f"{edit_url(webhook)}typed/"
    assert [each.client.post(url, FORM).status_code for each in (adrian, stranger)] == [403, 404]
    assert michael.client.get(url)["Location"] == edit_url(webhook)

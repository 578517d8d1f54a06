"""What the API has of webhooks besides that of Connect."""

import pytest

from accounts.models import Account
from activity.actions import Action
from activity.models import Event
from tests.conftest import Call, Person, person
from tests.factories import TokenFactory
from tests.webhooks.conftest import SECRET, Hooks, make
from tests.webhooks.factories import delivered, failing, given_up, make_delivery
from tokens.catalog import Module
from webhooks.models import Delivery, Webhook, WebhookSecret


@pytest.fixture
def four(webhook: Webhook) -> dict[str, Delivery]:
    return {
        "delivered": delivered(webhook),
        "failing": failing(webhook),
        "given up": given_up(webhook),
        "waiting": make_delivery(webhook, "SU-1"),
    }


def test_deliveries_are_listed_newest_first_with_their_tries(
    hooks: Hooks, webhook: Webhook, four: dict[str, Delivery]
) -> None:
    other = make(webhook.account, label="Other")
    make_delivery(other, "SU-2")
    rows = hooks("get", f"/{webhook.pk}/deliveries").json()
    assert [row["id"] for row in rows] == [
        four[name].pk for name in ("waiting", "given up", "failing", "delivered")
    ]
    row = rows[2]
    assert (row["state"], row["outcome"], row["status_code"]) == ("pending", "server_5xx", 503)
    assert row["event"]["object_class"] == "token"
    assert (row["event"]["action"], row["event"]["object_id"]) == ("approved", "PR-3")
    [attempt] = row["attempts"]
    assert (attempt["number"], attempt["status_code"], attempt["duration"]) == (1, 503, 142)
    assert hooks("get", f"/{webhook.pk}/deliveries/{row['id']}").json() == row
    text = str(rows)
    assert "Bearer" not in text
    assert "webhook_id" not in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=failed", ["given up"]),
        ("event.object_id=SU-1", ["waiting"]),
        ("status_code=503", ["failing"]),
        ("limit=1&offset=1", ["given up"]),
        ("ordering(created_at)&limit=1", ["delivered"]),
    ],
)
def test_deliveries_are_filtered(
    hooks: Hooks, webhook: Webhook, four: dict[str, Delivery], query: str, expected: list[str]
) -> None:
    rows = hooks("get", f"/{webhook.pk}/deliveries?{query}").json()
    assert [row["id"] for row in rows] == [four[name].pk for name in expected]


def test_only_what_waits_says_when_it_is_due(
    hooks: Hooks, webhook: Webhook, four: dict[str, Delivery]
) -> None:
    sending = make_delivery(webhook, "SU-3", claimed_by="a worker")
    rows = hooks("get", f"/{webhook.pk}/deliveries").json()
    due = {row["id"] for row in rows if row.get("due_at")}
    assert due == {four[name].pk for name in ("failing", "waiting")}
    assert sending.pk in {row["id"] for row in rows}
    ordered = hooks("get", f"/{webhook.pk}/deliveries?ordering(-due_at)").json()
    assert {row["id"] for row in ordered} == {row["id"] for row in rows}


def test_redelivering_and_aborting(
    hooks: Hooks, webhook: Webhook, four: dict[str, Delivery]
) -> None:
    def act(name: str, action: str) -> tuple[int, str]:
        response = hooks("post", f"/{webhook.pk}/deliveries/{four[name].pk}/{action}")
        body = response.json()
        return response.status_code, body.get("state") or body["errors"][0]

    assert act("given up", "redeliver") == (200, "pending")
    assert act("given up", "redeliver") == (400, "It is about to be sent anyway.")
    assert act("failing", "abort") == (200, "failed")
    assert act("failing", "abort") == (400, "It is finished already.")
    assert act("failing", "redeliver") == (200, "pending")
    Delivery.objects.filter(pk=four["waiting"].pk).update(claimed_by="worker")
    assert act("waiting", "abort")[0] == 400


def test_deliveries_of_others_are_not_found(
    hooks: Hooks, webhook: Webhook, stranger: Person
) -> None:
    theirs = make_delivery(make(stranger.account), "SU-9")
    mine = make_delivery(make(webhook.account, label="Other"), "SU-3")
    assert hooks("get", f"/{theirs.webhook_id}/deliveries").status_code == 404
    for webhook_id in (theirs.webhook_id, webhook.pk):
        for delivery in (theirs, mine):
            path = f"/{webhook_id}/deliveries/{delivery.pk}"
            assert hooks("get", path).status_code == 404
            assert hooks("post", f"{path}/redeliver").status_code == 404
            assert hooks("post", f"{path}/abort").status_code == 404
    assert {row.state for row in Delivery.objects.all()} == {"pending"}


def test_switching_is_idempotent(hooks: Hooks, webhook: Webhook) -> None:
    for action, active in (("disable", False), ("disable", False), ("enable", True)):
        response = hooks("post", f"/{webhook.pk}/{action}")
        assert response.status_code == 200
        assert response.json()["active"] is active
    assert Event.objects.filter(action=Action.WEBHOOK_DISABLED).count() == 1


def test_rotating_answers_with_the_new_secret(hooks: Hooks, webhook: Webhook) -> None:
    body = hooks("post", f"/{webhook.pk}/rotate").json()
    assert body["secret"] == body["jwt_secret"] != SECRET
    assert webhook.reveal("jwt", by=None) == body["secret"]
    body = hooks("post", f"/{webhook.pk}/rotate", {"jwt_secret": "JWT-of-my-own"}).json()
    assert body["secret"] == "JWT-of-my-own" == webhook.reveal("jwt", by=None)
    body = hooks("post", f"/{webhook.pk}/rotate", {"kind": "sw"}).json()
    assert body["secret"] == webhook.reveal("sw", by=None)
    # For a day the old one signs too.
    assert len(WebhookSecret.live(webhook, "sw")) == 2
    assert len(WebhookSecret.live(webhook, "jwt")) == 1
    told = str(list(Event.objects.values_list("changes", flat=True)))
    assert body["secret"] not in told


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"kind": "rsa"}, "kind"),
        ({"kind": "sw", "jwt_secret": "x"}, "jwt_secret"),
        ({"jwt_secret": "with blanks in it"}, "jwt_secret"),
        ({"jwt_secret": "x" * 101}, "jwt_secret"),
        ({"kind": 7}, "kind"),
    ],
)
def test_a_rotation_that_cannot_be_made_changes_nothing(
    hooks: Hooks, webhook: Webhook, body: dict[str, object], word: str
) -> None:
    response = hooks("post", f"/{webhook.pk}/rotate", body)
    assert response.status_code == 400
    assert response.json()["errors"][0].startswith(f"{word}:")
    assert webhook.reveal("jwt", by=None) == SECRET


def test_a_condition_is_read_and_written(hooks: Hooks, webhook: Webhook) -> None:
    path = f"/{webhook.pk}"
    assert (
        "condition" not in hooks("get", path).json() or not hooks("get", path).json()["condition"]
    )
    body = hooks("put", path, {"condition": "eq(status,approved)"}).json()
    assert body["condition"] == "eq(status,approved)"
    # What the body lacks stays as it is.
    assert hooks("put", path, {"label": "New"}).json()["condition"] == "eq(status,approved)"
    response = hooks("put", path, {"condition": "eq(colour,red)"})
    assert response.status_code == 400
    assert response.json()["errors"] == [
        "condition: There is no “colour” in an event. Use names of the object as the API shows it, "
        "or id, status, action, product_id, actor_id, actor_name."
    ]
    for wrong in ("eq(status", "ordering(id)", "x" * 2000, "(" * 900, 7, ["a"]):
        assert hooks("put", path, {"condition": wrong}).status_code == 400
    hooks("put", path, {"condition": ""})
    webhook.refresh_from_db()
    assert webhook.condition == ""


def test_without_the_module_nothing_opens(call: Call, webhook: Webhook) -> None:
    reader = TokenFactory(account=webhook.account, name="Reader", modules=(Module.PRODUCTS,))
    delivery = make_delivery(webhook, "SU-1")
    for path, method in (
        ("deliveries", "get"),
        (f"deliveries/{delivery.pk}", "get"),
        (f"deliveries/{delivery.pk}/abort", "post"),
        ("rotate", "post"),
        ("disable", "post"),
    ):
        response = call(f"notifications/webhooks/{webhook.pk}/{path}", reader, method)
        assert response.status_code == 403


def test_a_stranger_switches_nothing(call: Call, webhook: Webhook, account: Account) -> None:
    theirs = TokenFactory(account=person().account, name="Theirs", modules=(Module.ALL,))
    for action in ("enable", "disable", "rotate"):
        path = f"notifications/webhooks/{webhook.pk}/{action}"
        assert call(path, theirs, "post", content_type="application/json").status_code == 404
    webhook.refresh_from_db()
    assert (webhook.active, webhook.version) == (True, 1)

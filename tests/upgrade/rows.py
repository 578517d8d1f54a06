"""The rows of `sqlite.sql` and `postgresql.sql`: a small portal as version 1.0 left it.

Run with the code of commit 0721d52, the variables of `environment.env` and an empty, migrated
database; then `sqlite3 FILE .dump` or `pg_dump --no-owner --no-privileges --inserts`. It prints the
keys and the session that the tests know.
"""

# ruff: noqa: E402 (the settings are read before the models)

import json
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Membership, User
from tests.factories import ContractFactory, ProductFactory
from tokens.catalog import Extension, Module
from tokens.models import Token, TokenDraft, TokenKey, TokenUsage

PASSWORD = "correct horse battery staple"
MICK, FRONT_STREET = (
    Account.objects.create(pk=id, name=name, role=role)
    for id, name, role in (
        ("PA-063-101", "Mighty Mick's LLC", "distributor"),
        ("VA-044-420", "Front Street Inc", "vendor"),
    )
)
MICHAEL, ADRIAN, ROBERT = (
    User.objects.create_user(email, PASSWORD, id=id, name=name)
    for id, email, name in (
        ("UR-101-000-001", "michael@mightymicks.example", "Michael Goldmill"),
        ("UR-101-000-002", "adrian@mightymicks.example", "Adrian Pennino"),
        ("UR-420-000-001", "robert@frontstreet.example", "Robert Balboa"),
    )
)
User.objects.create_superuser(
    "admin@portal.example", PASSWORD, id="UR-900-000-001", name="Portal Administrator"
)
Membership.objects.create(user=MICHAEL, account=MICK, role="administrator")
Membership.objects.create(user=ADRIAN, account=MICK, role="member")
Membership.objects.create(user=ROBERT, account=FRONT_STREET, role="administrator")
MICHAEL.time_zone = "Africa/Cairo"
MICHAEL.preferences = {
    "tokens": {"columns": ["id", "status"], "per_page": 25, "sort": "name"},
    "account": {"id": "PA-063-101"},
}
MICHAEL.save()


def issue(id, name, modules, by=MICHAEL, account=MICK, extension=Extension.CUSTOM, **fields):
    return Token.issue(
        account=account, id=id, name=name, modules=modules, by=by, extension=extension, **fields
    )


now = timezone.now()
ALL = issue("SU-100-000-001", "Everything", [Module.ALL], description="Of the first version")
NARROW = issue("SU-100-000-002", "Agreements only", [Module.AGREEMENTS], external_id="erp-1")
DISABLED = issue("SU-100-000-003", "Disabled", [Module.ALL])
DELETED = issue("SU-100-000-004", "Deleted", [Module.ALL])
issue("SU-100-000-005", "Expired", [Module.ALL], expires_at=now - timedelta(days=1))
issue(
    "SU-100-000-006",
    "Far away",
    [Module.ALL],
    expires_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
)
issue("SU-100-000-007", "Made by a token", [Module.AGREEMENTS], by=ALL)
issue("SU-100-000-008", "Cafe\u0301", [Module.ALL])
issue("SU-100-000-009", "Two  blanks", [Module.ALL])
issue("SU-100-000-013", "Two blanks", [Module.ALL])
issue("SU-100-000-010", "\u200b", [Module.ALL])
issue("SU-100-000-011", "Of Front Street", [Module.ALL], by=ROBERT, account=FRONT_STREET)
issue("SU-100-000-012", "Chat", Extension.ZAPIER.fixed_modules, extension=Extension.ZAPIER)
DISABLED.disable(by=MICHAEL)
DELETED.remove(by=ADRIAN)
NARROW.edit(
    by=ROBERT, version=None, modules=[Module.AGREEMENTS, Module.HELPDESK], description="Widened"
)
TokenUsage.objects.filter(token=NARROW).update(last_used_at=now + timedelta(days=400))
TokenDraft.objects.create(
    account=MICK, owner=MICHAEL, name="Half done", extension=Extension.CUSTOM, modules=["MD-0001"]
)
TokenDraft.objects.create(
    account=MICK,
    owner=MICHAEL,
    name="Too late",
    extension=Extension.CUSTOM,
    expires_at=now - timedelta(days=1),
)

CONTRACT = ContractFactory(vendor=FRONT_STREET, provider=MICK)
PRODUCT = ProductFactory(vendor=FRONT_STREET)

# --- What only calls and pages leave behind -------------------------------------------------------

KEYS = {token.pk: TokenKey.objects.get(token=token).open() for token in (ALL, NARROW, DISABLED)}
program = Client(headers={"authorization": KEYS[ALL.pk]})


def call(path, body):
    answer = program.post(f"/public/v1/{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


case = {
    "subject": "Help",
    "description": "It is broken",
    "priority": 2,
    "type": "technical",
    "product": {"id": PRODUCT.pk},
}
call("helpdesk/cases", {**case, "receiver": {"account": {"id": FRONT_STREET.pk}}})
person = Client()
address = {"username": MICHAEL.email, "password": "a wrong password"}
assert person.post("/sign-in/", address).status_code == 200
assert person.post("/sign-in/", {**address, "password": PASSWORD}).status_code == 302
assert person.post(
    f"/integrations/tokens/{ALL.pk}/reveal/", {"password": PASSWORD}
).status_code in {200, 302}
person.post(
    "/account/password/",
    {
        "old_password": "mistyped",
        "new_password1": "new in clear 1",
        "new_password2": "new in clear 1",
    },
)
person.get("/integrations/tokens/?columns=name&columns=id&sort=name&per_page=25")
Session.objects.update(expire_date=datetime(2099, 1, 1, tzinfo=UTC))
print("keys", KEYS)  # noqa: T201
print("session", person.cookies["session"].value)  # noqa: T201

"""What the database itself refuses, and the words for access."""

import pytest
from django.db import IntegrityError, transaction

from tests.factories import TokenFactory
from tokens.catalog import Access, Extension, Module
from tokens.models import NameTaken, Permission, Token, TokenEvent, TokenUsage


@pytest.mark.parametrize(
    "fields",
    [{"name": "erp agreements SYNC"}, {"status": "expired"}, {"extension": "EXT-999"}, {"draft": True}],
    ids=["name", "status", "extension", "draft"],
)
def test_the_database_refuses(token, account, fields):
    import uuid

    run = uuid.uuid4()
    Token.objects.filter(pk=token.pk).update(draft_id=run)
    fields = {"name": "Another", **fields}
    if fields.pop("draft", False):
        fields["draft_id"] = run
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.create(account=account, **{"extension": Extension.CUSTOM, **fields})


def test_the_database_refuses_a_second_grant_of_a_module_and_a_second_key_of_a_version(token):
    with pytest.raises(IntegrityError), transaction.atomic():
        Permission.objects.create(token=token, module=Module.AGREEMENTS)
    with pytest.raises(IntegrityError), transaction.atomic():
        token.keys.create(version=1, digest=b"", pepper=1)


def test_a_token_that_cannot_be_made_whole_is_not_made_at_all(account, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(TokenEvent.objects, "create", fail)
    with pytest.raises(RuntimeError):
        TokenFactory(account=account)
    assert not Token.objects.exists()
    assert not TokenUsage.objects.exists()


def test_an_edit_that_cannot_be_made_whole_changes_nothing(token, account):
    TokenFactory(account=account, name="Taken")
    with pytest.raises(NameTaken):
        token.edit(by=None, version=1, modules={Module.USAGE}, name="taken")
    assert Token.objects.get(pk=token.pk).grants == {Module.AGREEMENTS}


def test_ids_have_the_shape_of_the_real_product(token, account, michael):
    import re

    assert re.fullmatch(r"SU-\d{3}-\d{3}-\d{3}", token.pk)
    assert re.fullmatch(r"PA-\d{3}-\d{3}", account.pk)
    assert re.fullmatch(r"UR-\d{3}-\d{3}-\d{3}", michael.user.pk)


def test_the_catalog_has_the_known_ids_and_the_order_of_the_article():
    labels = [str(module.label) for module in Module]
    assert labels[:9] == ["All", "Account", "Agreements", "Contracts", "Customers", "DevOps", "Integrations", "Helpdesk", "Listings"]
    assert labels[9:] == ["Marketplaces", "Partners", "Pricing", "Products", "Reports", "Subscriptions", "Tier Config", "Usage"]
    known = {"All": "MD-0000", "Account": "MD-0001", "Integrations": "MD-0007", "Helpdesk": "MD-0023", "DevOps": "MD-0024"}
    assert {str(module.label): module.value for module in Module if str(module.label) in known} == known
    assert len(set(Module.values)) == len(Module)
    assert Extension.CUSTOM.id == "EXT-000"
    assert [extension.asks_permissions for extension in Extension] == [False, False, False, True]


@pytest.mark.parametrize(
    ("grants", "everything", "reach"),
    [
        ((), False, []),
        ((Module.ALL,), True, [str(module.label) for module in Module.single()]),
        ((Module.ALL, Module.USAGE), True, [str(module.label) for module in Module.single()]),
        ((Module.USAGE, Module.AGREEMENTS), False, ["Agreements", "Usage"]),
    ],
)
def test_access_is_what_may_be_reached_and_the_rest(grants, everything, reach):
    access = Access.of(grants)
    assert (access.all, access.reach) == (everything, reach)
    assert sorted([*access.reach, *access.rest]) == sorted(str(module.label) for module in Module.single())


def test_access_counts():
    access = Access.of({Module.USAGE})
    assert (access.reach_count, access.total, access.badge, access.summary) == (1, 16, "1", "1 of 16 modules")
    assert Access.of({Module.ALL}).badge == "All"

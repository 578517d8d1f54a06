"""Values that are JSON themselves: what a program may write into them."""

from typing import Any

from django.core.management import call_command

from accounts.models import Account
from modules.models import BillingRequest
from tests.factories import TokenFactory
from tests.modules.conftest import Send
from tests.modules.test_writes import refused
from tokens.catalog import Module


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_what_not_every_database_keeps_is_refused(db: None, send: Send) -> None:
    call_command("demo", verbosity=0)
    request = BillingRequest.objects.first()
    assert request is not None
    owner = Account.objects.get(pk=request.vendor_id)
    token = TokenFactory(account=owner, name="ERP", modules=(Module.ALL,))
    path = f"subscriptions/requests/{request.pk}/attributes"
    for value in ("a\x00b", {"\x00": 1}, ["\\\x00"]):
        response = send("put", path, {"vendor": {"note": value}}, token)
        refused(response, "vendor: Null characters are not allowed.")
    for levels in (300, 900):
        response = send("put", path, {"vendor": {"note": deep(levels)}}, token)
        refused(response, "vendor: Is nested too deeply.")
    for kept in ("\\u0000", "\\\\u0000", deep(100), "\x01", None):
        response = send("put", path, {"vendor": {"note": kept}}, token)
        assert response.status_code == 200, response.content

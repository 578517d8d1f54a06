"""Pages and lists are compressed; what may contain a key never is."""

import gzip

import pytest
from django.test import Client

from accounts.models import Account
from tests.conftest import Person, confirmed
from tests.factories import TokenFactory, header, secret
from tokens.catalog import Module
from tokens.models import Token

GZIP = {"accept-encoding": "gzip, br"}


def test_a_page_is_compressed_for_who_can_read_it(michael: Person, token: Token) -> None:
    page = michael.client.get("/integrations/tokens/", headers=GZIP)
    assert page["Content-Encoding"] == "gzip"
    assert b"ERP Agreements Sync" in gzip.decompress(page.content)
    assert "Content-Encoding" not in michael.client.get("/integrations/tokens/")


def test_a_list_of_the_api_is_compressed(client: Client, account: Account) -> None:
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    answer = client.get("/public/v1/modules", headers={"authorization": key, **GZIP})
    assert answer["Content-Encoding"] == "gzip"
    assert int(answer["Content-Length"]) == len(answer.content)
    assert {"Authorization", "Accept-Encoding"} <= set(answer["Vary"].split(", "))


def test_an_answer_with_a_key_is_not_compressed(michael: Person, token: Token) -> None:
    page = confirmed(michael.client).post(
        f"/integrations/tokens/{token.pk}/reveal/", {"page": "detail"}, headers=GZIP
    )
    assert secret(token).encode() in page.content
    assert "Content-Encoding" not in page


def test_a_new_token_of_the_api_is_not_compressed(client: Client, account: Account) -> None:
    key = header(TokenFactory(account=account, modules=(Module.ALL,)))
    body = {"name": "Another", "extension": {"id": "EXT-000"}, "description": "x" * 250}
    answer = client.post(
        "/public/v1/auth/tokens", body, "application/json", headers={"authorization": key, **GZIP}
    )
    assert answer.status_code == 201
    assert len(answer.json()["token"]) == 40
    assert "Content-Encoding" not in answer


@pytest.mark.parametrize("path", ["/", "/account/reset/sent/", "/nope/"])
def test_a_small_or_public_page_survives_either_way(client: Client, db: None, path: str) -> None:
    plain = client.get(path, follow=True)
    packed = client.get(path, follow=True, headers=GZIP)
    assert packed.status_code == plain.status_code

"""The API Reference shows everything that is declared, to every member."""

import html
import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from api import conventions, openapi
from api.resource import Resource
from modules.urls import RESOURCES
from tests.conftest import Person
from tests.factories import TokenFactory, header
from tests.matching import matched
from tokens.catalog import Module

URL = "/integrations/api/"


@pytest.fixture
def page(adrian: Person) -> str:
    """Return the text of the page as a member sees it, without the break marks in names."""
    response = adrian.client.get(URL)
    assert response.status_code == 200
    return html.unescape(response.content.decode()).replace("<wbr>", "")


def entry(page: str, resource: Resource) -> str:
    """Return the part of the page about a resource."""
    start = page.index(f'id="{"-".join(openapi.words(resource))}"')
    return page[start : page.index("</details>", start)]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_a_collection_is_there_with_all_that_is_declared(page: str, resource: Resource) -> None:
    part = entry(page, resource)
    for method, path, _ in openapi.operations(resource):
        assert re.search(rf">{method}</b> <code>{re.escape(path)}</code>", part)
    assert resource.about in page
    for name in resource.filter_names:
        row = part[part.index(f'<th scope="row"><code>{name}</code>') :].partition("</tr>")[0]
        assert ", ".join(openapi.lookups(resource, name)) in row
        assert ("<b>ordering</b>" in row) == (name in resource.ordering)
        assert ("<b>search</b>" in row) == (name in resource.search)
    for name in resource.columns:
        assert f"<code>{name}" in part
    for write in (*resource.writes.values(), *resource.actions.values()):
        assert write.about.rstrip(".") in part
        for name in write.fields:
            assert f"<code>{name}</code>" in part
    assert part.count("required</strong>") == sum(
        len(write.required) for write in (*resource.writes.values(), *resource.actions.values())
    )


def test_every_module_has_a_chapter_that_the_contents_lead_to(page: str) -> None:
    labels = [str(module.label) for module in Module.single()]
    for label in ["Any Token", *labels]:
        link = re.search(rf'<a href="#(module-[a-z-]+)">{label}</a>', page)
        assert link, label
        assert f'<h2 id="{link[1]}-title">{label}</h2>' in page


def test_every_link_within_the_page_leads_somewhere_and_no_id_is_there_twice(page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    for target in re.findall(r'(?:href|data-copy)="#([^"]+)"', page):
        assert target in ids


def test_the_operators_and_the_limits_are_told(page: str) -> None:
    for operator in conventions.OPERATORS:
        assert f"<code>{operator.example}</code>" in page
    page = " ".join(page.split())
    for words in (
        "at most 8000 characters",
        "80 levels",
        "cost at most 300",
        "at most 1000",
        "at most 64 KB",
        "http://testserver/public/v1",
    ):
        assert words in page
    assert 'href="/public/v1/openapi.json"' in page


def test_the_lines_for_shell_and_client_name_what_there_is(page: str) -> None:
    assert (
        '"http://testserver/public/v1/agreements?type=program&ordering(-created)&limit=10"' in page
    )
    assert (
        'records = client.agreements.filter(type="program")\nfor record in '
        'records.order_by("-created"):' in page
    )
    assert 'client("tier").accounts.filter(type="customer")' in page
    assert 'client("auth").tokens["SU-431-800-699"].collection("permissions")' in page


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_the_line_for_the_shell_is_answered(
    page: str, client: Client, michael: Person, resource: Resource
) -> None:
    address = matched(r'"http://testserver(/public/v1/[^"]+)"', entry(page, resource))[1]
    token = TokenFactory(account=michael.account, modules=(Module.ALL,))
    response = client.get(address, headers={"authorization": header(token)})
    # The record above it is an example.
    assert response.status_code == (404 if resource.parent else 200)


def test_it_costs_no_query_of_its_own(
    adrian: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    adrian.client.get(URL)
    # The person and the memberships.
    with django_assert_num_queries(2):
        adrian.client.get(URL)


def test_it_belongs_to_the_section_general_and_each_tab_leads_to_the_other(adrian: Person) -> None:
    for path, current, other in (
        (URL, "API Reference", "/integrations/"),
        ("/integrations/", "Start", URL),
    ):
        text = adrian.client.get(path).content.decode()
        assert f'<a href="{path}" aria-current="page">{current}</a>' in text
        assert f'<a href="{other}">' in text
        assert re.search(r'<a href="/integrations/" aria-current="page"><svg', text)


def test_it_is_for_members_and_can_only_be_read(adrian: Person) -> None:
    response = Client().get(URL)
    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={URL}"
    for method in ("post", "put", "delete"):
        assert getattr(adrian.client, method)(URL).status_code == 405

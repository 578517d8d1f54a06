"""The wizard makes one token per run, whatever people do with tabs, Back, reload and clicks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from activity.actions import Action
from portal.fields import Actor
from tests.conftest import Person, Response, person
from tests.factories import (
    CUSTOM,
    FLOWGEAR,
    REPORTS,
    ZAPIER,
    TokenFactory,
    UserFactory,
    deleted,
    modules_of,
)
from tokens.catalog import Module
from tokens.models import Token, TokenDraft

NEW = "/integrations/tokens/new/"
GENERAL = {
    "name": "Nightly sync",
    "external_id": "erp-7",
    "description": "Copies agreements.",
    "expires_on": "",
}


def start(client: Client, **fields: str) -> str:
    """Complete step 1; return the URL of the run."""
    response = client.post(NEW, {**GENERAL, **fields})
    assert response.status_code == 302, response.context["form"].errors
    return response["Location"].removesuffix("extension/")


def ready(client: Client, **fields: str) -> str:
    """Complete steps 1 and 2 for a Custom token."""
    run = start(client, **fields)
    assert (
        client.post(f"{run}extension/", {"extension": CUSTOM})["Location"] == f"{run}permissions/"
    )
    return run


def create(client: Client, run: str, *modules: str) -> Response:
    return client.post(f"{run}permissions/", {"modules": modules or [Module.AGREEMENTS]})


def test_the_four_steps_make_a_token(michael: Person) -> None:
    run = ready(michael.client)
    response = create(michael.client, run, Module.AGREEMENTS, Module.CUSTOMERS)
    token = Token.objects.get()
    assert response["Location"] == f"/integrations/tokens/{token.pk}/summary/"
    assert (token.account, token.created_by, token.name, token.external_id) == (
        michael.account,
        Actor.of(michael.user),
        "Nightly sync",
        "erp-7",
    )
    assert (token.description, token.extension_id, token.status, token.expires_at) == (
        "Copies agreements.",
        CUSTOM,
        "active",
        None,
    )
    assert token.grants == {Module.AGREEMENTS, Module.CUSTOMERS}
    assert token.keys.count() == 1
    assert [event.action for event in token.events.all()] == [Action.TOKEN_CREATED]
    assert michael.client.get(response["Location"]).status_code == 200


def test_looking_at_a_step_leaves_no_trace(michael: Person) -> None:
    michael.client.get(NEW)
    run = ready(michael.client)
    before = TokenDraft.objects.values().get()
    for step in ("general", "extension", "permissions"):
        assert michael.client.get(f"{run}{step}/").status_code == 200
    assert TokenDraft.objects.values().get() == before
    assert not Token.objects.exists()


def test_nothing_is_made_before_create(michael: Person) -> None:
    ready(michael.client)
    assert not Token.objects.exists()


def test_a_first_step_that_is_not_valid_makes_no_draft(michael: Person) -> None:
    response = michael.client.post(NEW, {**GENERAL, "name": ""})
    assert response.status_code == 200
    assert "Enter a name for the token." in response.text
    assert "Copies agreements." in response.text
    assert not TokenDraft.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Enter a name for the token."),
        ("name", "n" * 132, "Shorten the name by 4 characters."),
        ("external_id", "e" * 129, "Shorten the external ID by 1 character."),
        ("description", "d" * 260, "Shorten the description by 5 characters."),
        ("expires_on", "2020-01-01", "Choose a day in the future."),
        ("expires_on", "soon", "Enter a day as dd/mm/yyyy."),
        ("expires_on", "2100-01-01", "Choose a day before the year 2100."),
        ("name", "a\x00b", "Null characters are not allowed."),
        ("name", "abc\u202edcba", "Remove the hidden characters"),
        ("description", "\u2066x\u2069", "Remove the hidden characters"),
    ],
)
def test_the_first_step_says_what_is_wrong_and_keeps_the_rest(
    michael: Person, field: str, value: str, words: str
) -> None:
    response = michael.client.post(NEW, {**GENERAL, field: value})
    assert words in response.text
    assert "1 field needs your attention" in response.text
    if field != "external_id":
        assert "erp-7" in response.text


def test_today_is_not_in_the_future_where_the_person_lives(michael: Person) -> None:
    today = timezone.localdate().isoformat()
    assert (
        "Choose a day in the future."
        in michael.client.post(NEW, {**GENERAL, "expires_on": today}).text
    )


def test_a_name_of_the_full_length_is_taken_and_an_emoji_counts_as_one(michael: Person) -> None:
    run = ready(michael.client, name="🔑" * 128)
    create(michael.client, run)
    assert Token.objects.get().name == "🔑" * 128


def test_a_line_end_counts_once(michael: Person) -> None:
    run = ready(michael.client, description="a\r\n" * 85 + "b")
    create(michael.client, run)
    assert len(Token.objects.get().description) == 171


@pytest.mark.parametrize(
    "name", ["Nightly sync", "NIGHTLY SYNC", "  nightly   sync ", "Ｎightly sync"]
)
def test_a_name_is_unique_in_the_account_without_regard_to_case(michael: Person, name: str) -> None:
    TokenFactory(account=michael.account, name="Nightly Sync")
    assert "A token with the name" in michael.client.post(NEW, {**GENERAL, "name": name}).text


def test_case_is_folded_beyond_ascii(michael: Person) -> None:
    TokenFactory(account=michael.account, name="Größe")
    assert "A token with the name" in michael.client.post(NEW, {**GENERAL, "name": "GRÖSSE"}).text


def test_the_name_of_a_purged_token_or_of_another_account_is_free(michael: Person) -> None:
    deleted(TokenFactory(account=michael.account, name="Nightly sync"), days=7).purge()
    TokenFactory(name="Nightly sync")
    run = ready(michael.client)
    assert create(michael.client, run).status_code == 302
    assert Token.objects.live().filter(account=michael.account).count() == 1


def test_a_name_taken_while_the_wizard_ran_leads_back_to_general(michael: Person) -> None:
    run = ready(michael.client)
    TokenFactory(account=michael.account, name="NIGHTLY sync")
    response = michael.client.post(
        f"{run}permissions/", {"modules": [Module.AGREEMENTS]}, follow=True
    )
    assert response.redirect_chain[-1][0] == f"{run}general/"
    assert "The token was not created." in response.text
    assert "A token with the name" in response.text
    assert "Copies agreements." in response.text


def test_the_expiration_date_is_the_end_of_the_day_where_the_person_lives(michael: Person) -> None:
    michael.user.time_zone = "Asia/Tokyo"
    michael.user.save()
    run = ready(michael.client, expires_on="2050-03-01")
    create(michael.client, run)
    expires_at = Token.objects.get().expires_at
    assert expires_at
    assert expires_at.isoformat() == "2050-03-01T14:59:59+00:00"


@pytest.mark.parametrize("data", [{}, {"extension": ""}, {"extension": "EXT-999"}])
def test_an_extension_must_be_chosen(michael: Person, data: dict[str, str]) -> None:
    run = start(michael.client)
    response = michael.client.post(f"{run}extension/", data)
    assert response.status_code == 200
    assert "Choose an extension." in response.text


def test_permissions_wait_for_the_extension(michael: Person) -> None:
    run = start(michael.client)
    assert michael.client.get(f"{run}permissions/")["Location"] == f"{run}extension/"
    assert create(michael.client, run)["Location"] == f"{run}extension/"
    assert not Token.objects.exists()


def test_custom_needs_at_least_one_module(michael: Person) -> None:
    run = ready(michael.client)
    response = michael.client.post(f"{run}permissions/", {})
    assert "Choose at least one module." in response.text
    assert not Token.objects.exists()


def test_an_unknown_module_is_refused(michael: Person) -> None:
    run = ready(michael.client)
    response = create(michael.client, run, Module.AGREEMENTS, "MD-6666")
    assert "is not a module" in response.text
    assert not Token.objects.exists()


def test_all_is_a_grant_of_its_own(michael: Person) -> None:
    run = ready(michael.client)
    create(michael.client, run, Module.ALL, Module.AGREEMENTS)
    assert Token.objects.get().grants == {Module.ALL}


@pytest.mark.parametrize("extension", [FLOWGEAR, REPORTS, ZAPIER])
def test_a_fixed_extension_brings_its_own_modules_whatever_is_posted(
    michael: Person, extension: str
) -> None:
    run = start(michael.client)
    michael.client.post(f"{run}extension/", {"extension": extension})
    assert (
        "There is nothing to choose in this step." in michael.client.get(f"{run}permissions/").text
    )
    create(michael.client, run, Module.ALL)
    assert Token.objects.get().grants == set(modules_of(extension))


def test_back_keeps_what_was_typed(michael: Person) -> None:
    run = ready(michael.client)
    response = michael.client.post(
        f"{run}permissions/", {"back": "1", "modules": [Module.HELPDESK]}
    )
    assert response["Location"] == f"{run}extension/"
    response = michael.client.post(f"{run}extension/", {"back": "1", "extension": CUSTOM})
    assert response["Location"] == f"{run}general/"
    assert 'value="Nightly sync"' in michael.client.get(f"{run}general/").text
    michael.client.post(f"{run}general/", {**GENERAL, "name": "Daily sync"})
    michael.client.post(f"{run}extension/", {"extension": CUSTOM})
    page = michael.client.get(f"{run}permissions/")
    assert page.context["form"].chosen == {Module.HELPDESK}
    create(michael.client, run, Module.HELPDESK)
    assert Token.objects.get().name == "Daily sync"


def test_back_without_a_choice_loses_nothing(michael: Person) -> None:
    run = start(michael.client)
    assert michael.client.post(f"{run}extension/", {"back": "1"})["Location"] == f"{run}general/"


def test_select_all_and_clear_work_without_scripts_and_create_nothing(michael: Person) -> None:
    run = ready(michael.client)
    michael.client.post(f"{run}permissions/", {"select": "all"})
    assert len(michael.client.get(f"{run}permissions/").context["form"].chosen) == len(
        Module.single()
    )
    michael.client.post(f"{run}permissions/", {"select": "none", "modules": [Module.HELPDESK]})
    assert michael.client.get(f"{run}permissions/").context["form"].chosen == set()
    assert not Token.objects.exists()


def test_two_tabs_make_two_tokens_that_do_not_mix(michael: Person) -> None:
    one, two = ready(michael.client, name="Tab one"), ready(michael.client, name="Tab two")
    create(michael.client, two, Module.CUSTOMERS)
    create(michael.client, one, Module.AGREEMENTS)
    assert {token.name: token.grants for token in Token.objects.all()} == {
        "Tab one": {Module.AGREEMENTS},
        "Tab two": {Module.CUSTOMERS},
    }


def test_a_replayed_create_leads_to_the_same_token(michael: Person) -> None:
    run = ready(michael.client)
    first, second = create(michael.client, run), create(michael.client, run)
    assert first["Location"] == second["Location"]
    assert Token.objects.count() == 1


@pytest.mark.parametrize("step", ["general", "extension", "permissions"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_step_of_a_finished_run_leads_to_its_summary(
    michael: Person, step: str, method: str
) -> None:
    run = ready(michael.client)
    summary = create(michael.client, run)["Location"]
    assert (
        getattr(michael.client, method)(f"{run}{step}/", {"name": "Another"})["Location"] == summary
    )
    assert Token.objects.count() == 1


def test_the_run_of_another_person_of_the_account_is_404(michael: Person) -> None:
    colleague = person(account=michael.account)
    run = ready(michael.client)
    assert colleague.client.get(f"{run}general/").status_code == 404
    assert create(colleague.client, run).status_code == 404


def test_a_run_begun_for_one_account_is_404_after_switching(
    michael: Person, stranger: Person
) -> None:
    from tests.factories import MembershipFactory

    MembershipFactory(user=michael.user, account=stranger.account)
    michael.client.post("/account/switch/", {"account": michael.account.pk})
    run = ready(michael.client)
    michael.client.post("/account/switch/", {"account": stranger.account.pk})
    assert create(michael.client, run).status_code == 404
    assert not Token.objects.exists()


def test_a_finished_run_leads_to_its_token_for_ever(michael: Person) -> None:
    run = ready(michael.client)
    summary = create(michael.client, run)["Location"]
    TokenDraft.objects.update(created_at=timezone.now() - timedelta(days=2))
    start(michael.client, name="Another")
    assert TokenDraft.objects.count() == 1
    assert michael.client.get(f"{run}permissions/")["Location"] == summary
    assert create(michael.client, run)["Location"] == summary


def test_runs_of_yesterday_are_forgotten(michael: Person) -> None:
    start(michael.client)
    TokenDraft.objects.update(created_at=timezone.now() - timedelta(days=2))
    someone_elses = TokenDraft.objects.create(
        account=michael.account,
        owner=UserFactory(),
        name="Old",
        created_at=timezone.now() - timedelta(days=2),
    )
    start(michael.client)
    assert TokenDraft.objects.filter(owner=michael.user).count() == 1
    assert TokenDraft.objects.filter(pk=someone_elses.pk).exists()


def test_the_cap_of_an_extension_is_explained_when_it_is_met(
    michael: Person, settings: Settings
) -> None:
    settings.TOKENS_PER_EXTENSION = 1
    run = ready(michael.client)
    other = start(michael.client, name="Another")
    TokenFactory(account=michael.account)
    response = michael.client.post(f"{other}extension/", {"extension": CUSTOM})
    assert "The account has 1 tokens for Custom, and may not have more." in response.text
    assert michael.client.post(f"{other}extension/", {"extension": ZAPIER}).status_code == 302
    response = michael.client.post(
        f"{run}permissions/", {"modules": [Module.AGREEMENTS]}, follow=True
    )
    assert "may not have more" in response.text
    assert Token.objects.count() == 1


def test_deleted_tokens_and_other_accounts_do_not_count_for_the_cap(
    michael: Person, settings: Settings
) -> None:
    settings.TOKENS_PER_EXTENSION = 1
    TokenFactory(account=michael.account).remove(by=None)
    TokenFactory()
    assert create(michael.client, ready(michael.client)).status_code == 302


def test_the_form_writes_nothing_it_does_not_show(michael: Person, stranger: Person) -> None:
    run = ready(
        michael.client,
        account_id=stranger.account.pk,
        id="SU-111-111-111",
        status="inactive",
        created_by=stranger.user.pk,
        version="9",
    )
    create(michael.client, run)
    token = Token.objects.get()
    assert (token.account, token.status, token.created_by, token.version) == (
        michael.account,
        "active",
        Actor.of(michael.user),
        1,
    )
    assert token.pk != "SU-111-111-111"


def press_create_at_once(client: Client, runs: list[str]) -> list[str]:
    """Press Create in every run at the same moment; return where each leads.

    Each runs in a thread with its own connection.
    """
    barrier = Barrier(len(runs))

    def press(run: str) -> str:
        own = Client()
        own.cookies = client.cookies
        try:
            barrier.wait()
            return create(own, run)["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(press, runs))


@pytest.mark.django_db(transaction=True)
def test_eight_simultaneous_creates_make_one_token(michael: Person) -> None:
    places = press_create_at_once(michael.client, [ready(michael.client)] * 8)
    token = Token.objects.get()
    assert set(places) == {f"/integrations/tokens/{token.pk}/summary/"}
    assert (token.keys.count(), token.permissions.count(), token.events.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_simultaneous_runs_with_one_name_make_one_token(michael: Person) -> None:
    places = press_create_at_once(michael.client, [ready(michael.client) for _ in range(8)])
    token = Token.objects.get()
    assert sorted(place.endswith("/general/") for place in places) == [False] + [True] * 7
    assert f"/integrations/tokens/{token.pk}/summary/" in places


def test_going_back_keeps_the_later_steps_answered(michael: Person) -> None:
    draft = TokenDraft.objects.create(
        account=michael.account,
        owner=michael.user,
        name="ERP Sync",
        extension_id=CUSTOM,
        modules=[Module.AGREEMENTS.value],
    )
    page = michael.client.get(f"/integrations/tokens/new/{draft.pk}/general/")
    steps = {str(step["label"]): step for step in page.context["steps"]}
    assert steps["General"]["progress"] == "current"
    assert steps["Extension"]["answer"] == "Custom"
    assert steps["Extension"]["url"].endswith("/extension/")
    assert steps["Permissions"]["answer"] == f"1 of {len(Module.single())} modules"
    assert steps["Summary"]["progress"] == "todo"


def test_a_step_without_an_answer_is_to_do(michael: Person) -> None:
    draft = TokenDraft.objects.create(account=michael.account, owner=michael.user, name="ERP Sync")
    page = michael.client.get(f"/integrations/tokens/new/{draft.pk}/general/")
    progress = [step["progress"] for step in page.context["steps"]]
    assert progress == ["current", "todo", "todo", "todo"]


def test_what_is_changed_on_going_back_to_general_is_kept(michael: Person) -> None:
    run = ready(michael.client)
    changed = {
        "name": "Renamed",
        "external_id": "crm-1",
        "description": "Changed on the way back.",
        "expires_on": "2050-01-31",
    }
    assert michael.client.post(f"{run}general/", changed)["Location"] == f"{run}extension/"
    create(michael.client, run)
    token = Token.objects.get()
    assert (token.name, token.external_id, token.description) == (
        "Renamed",
        "crm-1",
        "Changed on the way back.",
    )
    assert token.expires_at
    assert token.expires_at.year == 2050


def test_a_finished_run_leads_no_other_administrator_to_its_summary(michael: Person) -> None:
    colleague = person(account=michael.account)
    run = ready(michael.client)
    summary = create(michael.client, run)["Location"]
    assert colleague.client.get(f"{run}general/").status_code == 404
    assert colleague.client.get(summary)["Location"] == summary.removesuffix("summary/")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2098-12-06", "Ends Saturday 6 December 2098, 23:59 UTC."),
        ("06/12/2098", "Ends Saturday 6 December 2098, 23:59 UTC."),
        ("2020-01-01", ""),
        ("2100-01-01", ""),
        ("tomorrow", ""),
        ("", ""),
    ],
)
def test_a_typed_day_is_read_back(michael: Person, typed: str, said: str) -> None:
    page = michael.client.post("/integrations/tokens/new/", {"name": "", "expires_on": typed})
    assert page.context["form"].end == said
    assert said in page.content.decode()

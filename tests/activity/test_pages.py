"""The pages of the trail."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from activity import views
from activity.actions import Action
from activity.models import Chain, Event, Subject
from activity.recording import record
from portal.http import current_request
from tests.activity.conftest import ERP, Trail, intruder
from tests.conftest import Person, confirmed
from tests.factories import MembershipFactory
from tests.matching import matched
from tokens.models import Token

URL = "/integrations/activity/"

pytestmark = pytest.mark.django_db


def numbers(client: Client, query: str = "") -> list[int]:
    """Return the numbers of the entries on the page, top to bottom."""
    response = client.get(f"{URL}?{query}")
    assert response.status_code == 200
    return [row.record.number for row in response.context["table"].page.object_list]


# --- The list -------------------------------------------------------------------------------------


def test_the_newest_entry_comes_first(michael: Person, trail: Trail) -> None:
    assert numbers(michael.client) == [5, 4, 3, 2, 1]
    assert numbers(michael.client, "sort=when") == [1, 2, 3, 4, 5]


def test_who_may_only_look_sees_the_trail_without_the_button(adrian: Person, trail: Trail) -> None:
    response = adrian.client.get(URL)
    assert "ERP Agreements Sync" in response.text
    assert "Check Now" not in response.text


def test_another_account_sees_nothing_of_it(stranger: Person, trail: Trail) -> None:
    response = stranger.client.get(URL)
    assert "ERP Agreements Sync" not in response.text
    assert "Nothing happened yet" in response.text


def test_an_entry_says_what_who_and_what_to(michael: Person, trail: Trail) -> None:
    text = michael.client.get(URL).text
    assert "Token disabled" in text
    assert "The portal" in text
    assert (
        '<a class="one" href="/integrations/tokens/SU-160-984-311/">ERP Agreements Sync</a>' in text
    )
    assert '<span class="one">Michael Goldmill</span><span class="sub">Administrator</span>' in text


def test_who_left_is_a_former_member(michael: Person, trail: Trail) -> None:
    other = MembershipFactory(account=michael.account, user__name="Spider Rico")
    record(other.user, Action.KEY_VIEWED, ERP, account=trail.account)
    other.delete()
    assert (
        '<span class="one">Spider Rico</span><span class="sub">Former member</span>'
        in michael.client.get(URL).text
    )


def test_names_are_text_and_no_markup(michael: Person, trail: Trail) -> None:
    record(
        michael.user,
        Action.TOKEN_CHANGED,
        Subject("token", ERP.id, "<b>bold</b>"),
        {"name": ["<i>old</i>", "<b>bold</b>"]},
        account=trail.account,
    )
    text = michael.client.get(f"{URL}?open=6").text
    assert "<b>bold" not in text
    assert "<i>old" not in text


def test_an_action_of_another_version_is_shown_as_it_is_stored(
    michael: Person, trail: Trail
) -> None:
    about = dict.fromkeys(
        ("actor_id", "actor_name", "subject_id", "subject_name", "address", "agent", "request_id"),
        "",
    )
    ends = Chain.objects.get(pk=trail.account)
    ends.append(
        at=timezone.now(),
        action="comets.seen",
        subject_kind="token",
        changes={"tail": "long", "n": [1, [2.5]]},
        **about,
    )
    text = michael.client.get(f"{URL}?open=6").text
    assert "comets.seen" in text


def test_long_trails_are_pages(michael: Person, trail: Trail) -> None:
    for _ in range(20):
        record(michael.user, Action.SIGNED_IN, account=trail.account)
    assert numbers(michael.client) == [*range(25, 15, -1)]
    assert numbers(michael.client, "page=3") == [*range(5, 0, -1)]
    michael.client.post(f"{URL}layout/", {"per_page": "20", "next": URL})
    assert len(numbers(michael.client)) == 20


def test_the_list_costs_as_many_queries_however_long_it_is(
    michael: Person, trail: Trail, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    michael.client.get(URL)
    for number in range(30):
        other = MembershipFactory(account=michael.account)
        record(
            other.user,
            Action.SIGNED_IN,
            Subject("token", f"SU-{number}", "Other"),
            account=trail.account,
        )
    with django_assert_num_queries(8):
        michael.client.get(f"{URL}?per_page=100")


# --- Filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=agreements", [3, 2, 1]),
        ("q=HELPDESK", [4]),
        ("q=su-160", [3, 2, 1]),
        ("q=goldmill", [5, 3, 2, 1]),
        ("what=keys", [3]),
        ("what=keys&what=sign-ins", [5, 3]),
        ("actor=portal", [4]),
        ("subject=SU-222-337-557", [4]),
        ("entry=2", [2]),
        ("entry=abc", []),
        ("q=nobody", []),
    ],
)
def test_a_filter_shows_what_fits(
    michael: Person, trail: Trail, query: str, found: list[int]
) -> None:
    assert numbers(michael.client, query) == found


def test_entries_of_one_person(michael: Person, trail: Trail) -> None:
    assert numbers(michael.client, f"actor={michael.user.pk}") == [5, 3, 2, 1]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("192.0.2.44", [6]),
        ("::ffff:192.0.2.44", [6]),
        ("192.0.2.0/24", [7, 6]),
        ("192.0.2.0-192.0.2.200", [6]),
        ("2001:db8::/32", [8]),
        ("2001:DB8:0:0::7", [8]),
        ("0.0.0.0/0", [7, 6]),
        ("::/0", [8, 7, 6]),
        ("198.51.100.7", []),
    ],
)
def test_entries_of_an_address_or_a_range(
    michael: Person, trail: Trail, address: str, found: list[int]
) -> None:
    for origin in ("192.0.2.44", "192.0.2.201", "2001:db8::7"):
        sign_in_from(michael, origin)
    assert numbers(michael.client, f"address={address}") == found


def sign_in_from(person: Person, address: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    before = current_request.set(request)
    record(person.user, Action.SIGNED_IN, account=person.account.pk)
    current_request.reset(before)


def test_days_are_those_of_the_person(
    michael: Person, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = timezone.now().replace(year=2026, month=3, day=1, hour=23, minute=30)
    monkeypatch.setattr(timezone, "now", lambda: late)
    record(None, Action.TOKEN_DISABLED, ERP, account=trail.account)
    monkeypatch.undo()
    michael.user.time_zone = "Europe/Madrid"
    michael.user.save()
    assert numbers(michael.client, "until=2026-03-01") == []
    assert numbers(michael.client, "until=02/03/2026") == [6]
    assert 6 not in numbers(michael.client, "since=2026-03-03")


def test_chips_say_what_is_applied_and_each_can_go(michael: Person, trail: Trail) -> None:
    response = michael.client.get(
        f"{URL}?what=keys&what=people&actor={michael.user.pk}&since=2026-01-31&address=192.0.2.0/24"
    )
    assert [(chip.name, chip.value) for chip in response.context["chips"]] == [
        ("Who", "Michael Goldmill"),
        ("Address", "192.0.2.0/24"),
        ("What", "Keys seen or People and accounts"),
        ("From day", "31/01/2026"),
    ]
    assert "since=" not in response.context["chips"][3].url


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=2026-02-30", "Enter a day as dd/mm/yyyy."),
        ("since=2026-02-02&until=2026-02-01", "Choose a day that is not before “From day”."),
        ("what=stars", "“stars” is not a choice."),
        ("actor=UR-000-000-000", "Nobody with that ID did anything here."),
        ("address=300.1.2.3", "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ("address=192.0.2.0/33", "Enter an address such as 203.0.113.24 or 2001:db8::1."),
        ("address=192.0.2.9-192.0.2.1", "The last address comes before the first."),
        (f"address={'1' * 101}", "at most 100 characters"),
        ("address=a%00b", "Null characters are not allowed."),
        (f"q={'x' * 129}", "at most 128 characters"),
    ],
)
def test_a_filter_that_is_not_valid_shows_nothing_and_says_why(
    michael: Person, trail: Trail, query: str, said: str
) -> None:
    response = michael.client.get(f"{URL}?{query}")
    assert said in response.text
    assert "The filter is not valid" in response.text
    assert not response.context["table"].page.object_list


def test_nobody_of_another_account_is_a_choice(
    michael: Person, stranger: Person, trail: Trail
) -> None:
    record(stranger.user, Action.SIGNED_IN, account=stranger.account.pk)
    choices = (
        michael.client.get(f"{URL}?filter=open").context["filter_form"].fields["actor"].choices
    )
    assert [*choices] == [
        ("", "Anyone"),
        (michael.user.pk, "Michael Goldmill"),
        ("portal", "The portal"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "open=abc",
        "open=99",
        "page=999",
        "sort=what",
        "columns=nope",
        "entry=9999999999999999",
        "entry=²",
    ],
)
def test_nonsense_in_the_address_breaks_nothing(michael: Person, trail: Trail, query: str) -> None:
    assert michael.client.get(f"{URL}?{query}").status_code == 200


# --- An opened entry ------------------------------------------------------------------------------


def test_an_opened_entry_shows_before_and_after(michael: Person, trail: Trail) -> None:
    response = michael.client.get(f"{URL}?open=2")
    assert "<del>ERP</del>" in response.text
    assert "<ins>ERP Agreements Sync</ins>" in response.text
    modules = matched(r"(?s)Modules</th>(.*?)</tr>", response.text)[1]
    assert "MD-0001, <ins>MD-0002</ins>" in modules
    assert "<del>" not in modules


def test_an_opened_entry_says_yes_and_no_and_keeps_a_moment_it_cannot_read(
    michael: Person, trail: Trail
) -> None:
    changes = {"is_active": [True, False], "expires_at": ["soon", "2026-11-25T09:14:00+00:00"]}
    entry = record(michael.user, Action.PERSON_CHANGED, changes=changes, account=trail.account)
    text = michael.client.get(f"{URL}?open={entry.number}").text
    assert "<del>Yes</del>" in text
    assert "<ins>No</ins>" in text
    assert "<del>soon</del>" in text
    assert "<ins>25/11/2026 09:14</ins>" in text


def test_an_opened_entry_shows_its_link_of_the_chain(michael: Person, trail: Trail) -> None:
    first, second = trail.events[:2]
    text = michael.client.get(f"{URL}?open=2").text
    for hash in (first.hash, second.hash):
        assert " ".join((hash[:4], hash[4:8], hash[8:12])) in text
    assert "Does not fit" not in text


def test_an_opened_entry_says_which_of_how_many_and_how_it_was_confirmed(
    michael: Person, trail: Trail, token: Token
) -> None:
    confirmed(michael.client)
    michael.client.post(f"/integrations/tokens/{token.pk}/disable/")
    last = Chain.objects.get(pk=trail.account).number
    text = michael.client.get(f"{URL}?open={last}").text
    assert f'<span>{last}</span><span class="sub">of {last}</span>' in text
    assert re.search(r"Confirmed by</dt>\s*<dd>Password, \d\d/\d\d/\d{4} \d\d:\d\d</dd>", text)
    assert re.search(r"Confirmed by</dt>\s*<dd>–", michael.client.get(f"{URL}?open=3").text)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"entries": [1234, 0]}, "1,234 entries"),
        ({"entries": [None, 1]}, "1 entry"),
        ({"entries": ["many", [2]]}, "entries"),
        (
            {"expires_at": [None, "2026-12-02T00:00:00+00:00"], "name": ["a", "b"]},
            "name, expires on",
        ),
    ],
)
def test_the_line_below_the_action_says_what_changed(
    michael: Person, trail: Trail, changes: dict[str, Any], note: str
) -> None:
    record(michael.user, Action.TOKEN_CHANGED, ERP, changes, account=trail.account)
    assert f'<span class="sub">{note}</span>' in michael.client.get(URL).text


def test_the_button_of_the_export_repeats_the_filter(michael: Person, trail: Trail) -> None:
    text = michael.client.get(f"{URL}?what=keys&q=a%22b").text
    assert 'action="/integrations/activity/export/?what=keys&amp;q=a%22b"' in text
    assert 'type="submit" form="export-form"' in text


def test_the_first_entry_follows_none(michael: Person, trail: Trail) -> None:
    text = michael.client.get(f"{URL}?open=1").text
    assert "the first one" in text
    assert "Does not fit" not in text


def test_its_link_closes_it_again_and_keeps_the_filter(michael: Person, trail: Trail) -> None:
    text = michael.client.get(f"{URL}?what=tokens&open=2").text
    assert 'href="?what=tokens#open-2"' in text
    assert 'href="?what=tokens&amp;open=1#open-1"' in text


def test_an_entry_that_does_not_fit_is_marked(michael: Person, trail: Trail) -> None:
    with intruder():
        trail.events.filter(number=2).update(actor_name="Nobody")
    assert "Does not fit" in michael.client.get(f"{URL}?open=2").text


# --- The check ------------------------------------------------------------------------------------


def test_a_check_tells_when_it_was(michael: Person, trail: Trail) -> None:
    assert "Not checked yet." in michael.client.get(URL).text
    text = michael.client.post(f"{URL}check/", follow=True).text
    assert "Every entry is as it was written." in text
    assert "The trail is whole." in text


def test_a_broken_trail_is_told_until_it_is_mended(
    michael: Person, adrian: Person, trail: Trail
) -> None:
    with intruder():
        trail.events.filter(number=3).update(actor_name="Nobody")
    michael.client.post(f"{URL}check/")
    for somebody in (michael, adrian):
        text = somebody.client.get(URL).text
        assert "Entry 3 does not fit the chain." in text
        assert "Entries 1 to 2 are whole." in text
        assert "The trail is whole." not in text
        assert f"{URL}?entry=3&amp;open=3" in text


def test_a_check_is_not_repeated_within_a_minute(
    michael: Person, trail: Trail, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    michael.client.post(f"{URL}check/")
    before = Chain.objects.get(pk=trail.account).checked_at
    michael.client.post(f"{URL}check/")
    assert Chain.objects.get(pk=trail.account).checked_at == before
    Chain.objects.update(checked_at=before - timedelta(minutes=2))
    michael.client.post(f"{URL}check/")
    assert Chain.objects.get(pk=trail.account).checked_at > before


@pytest.mark.django_db(transaction=True)
def test_a_long_trail_is_checked_after_the_answer(
    michael: Person, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(views, "AT_ONCE", 2)
    assert "Refresh the page in a moment." in michael.client.post(f"{URL}check/", follow=True).text
    for _ in range(50):
        if Chain.objects.get(pk=trail.account).checked_at:
            break
        time.sleep(0.1)
    assert "The trail is whole." in michael.client.get(URL).text


def test_after_forgetting_the_page_counts_what_is_kept(michael: Person, trail: Trail) -> None:
    Chain.objects.filter(pk=trail.account).update(forgotten=2, anchor=trail.events[1].hash)
    Event.objects.filter(number__lte=2).delete()
    text = michael.client.get(f"{URL}?open=3").text
    assert "3 entries since" in text
    assert "Does not fit" not in text

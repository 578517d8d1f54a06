"""The limits themselves: what each allows, when a counter is over, and what a try costs."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts import devices, limits
from accounts.limits import Limit, LimitReached
from accounts.models import Counter, User, digest
from tests.conftest import Clock, Person
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

MINUTE, TICK = timedelta(minutes=1), timedelta(microseconds=1)
EMAIL = "michael@mightymicks.example"
HERE = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
NOWHERE = RequestFactory().get("/", REMOTE_ADDR="")


def limit(key: str, tries: int = 2, minutes: float = 10) -> Limit:
    return Limit(key, tries, minutes * MINUTE, f"Too many of {key}.")


def used() -> dict[str, int]:
    return dict(Counter.objects.values_list("key", "used"))


def shape(found: Sequence[Limit]) -> list[tuple[str, int, float]]:
    """Return the keys of limits, with how many tries each has, and its wait in minutes."""
    return [(each.key, each.tries, each.wait / MINUTE) for each in found]


# --- Counters -------------------------------------------------------------------------------------


def test_the_wait_begins_with_the_last_try_and_ends_to_the_moment(clock: Clock) -> None:
    def take() -> datetime | None:
        return Counter.objects.take("some", 3, 10 * MINUTE)

    began = clock.now
    assert take() is None
    clock.move(minutes=5)
    assert take() is None
    assert Counter.objects.get().until == began + 10 * MINUTE
    assert take() is None
    assert take() == take() == began + 15 * MINUTE
    assert used() == {"some": 3}
    assert str(Counter.objects.get()) == "some"
    clock.now = began + 15 * MINUTE - TICK
    assert take() == began + 15 * MINUTE
    clock.move(microseconds=1)
    assert take() is None
    assert used() == {"some": 1}
    assert Counter.objects.get().until == clock.now + 10 * MINUTE


@pytest.mark.parametrize(("ahead", "counts"), [(timedelta(0), True), (TICK, False)])
def test_a_counter_counts_for_at_most_two_waits_ahead(
    clock: Clock, ahead: timedelta, counts: bool
) -> None:
    """One that is further ahead comes from a wrong clock."""
    one = limit("some")
    limits.take([one])
    limits.take([one])
    Counter.objects.update(until=clock.now + 20 * MINUTE + ahead)
    assert limits.left([one]) == (0 if counts else 2)
    assert (Counter.objects.take(one.key, one.tries, one.wait) is not None) is counts


def test_a_counter_that_ends_this_very_moment_counts_no_more(clock: Clock) -> None:
    one = limit("some")
    limits.take([one])
    clock.move(minutes=10, microseconds=-1)
    assert limits.left([one]) == 1
    clock.move(microseconds=1)
    assert limits.left([one]) == 2


def test_the_locks_of_a_name_are_lifted_wherever_they_came_from_and_no_others() -> None:
    mine, other = digest(EMAIL), digest("adrian@mightymicks.example")
    kept = {f"name:{other}", f"name:{other}:x", f"name:{mine}0", f"code:{mine}", "all"}
    for key in (f"name:{mine}", f"name:{mine}:x", f"name:{mine}:y", *kept):
        Counter.objects.take(key, 5, MINUTE)
    Counter.objects.forgive_name(EMAIL)
    assert set(used()) == kept


def test_an_upgrade_lifts_no_lock_since_names_keep_their_digest(settings: Settings) -> None:
    settings.SECRET_KEY = "the same as ever"
    assert digest(EMAIL) == "9d9692c40fec13d45865feb60550aabc"


# --- Taking and giving back -----------------------------------------------------------------------


def test_what_one_limit_refuses_is_not_counted_by_the_others() -> None:
    narrow, wide = limit("narrow", 9), limit("wide", 1)
    limits.take([narrow, wide])
    with pytest.raises(LimitReached, match=r"Too many of wide\.") as reached:
        limits.take([narrow, wide])
    assert reached.value.limit == wide
    assert used() == {"narrow": 1, "wide": 1}


def test_a_try_is_given_back_to_every_limit() -> None:
    both = [limit("narrow"), limit("wide")]
    limits.take(both)
    limits.take(both[:1])
    limits.give_back(both)
    assert used() == {"narrow": 1, "wide": 0}


def test_a_right_password_resets_the_narrowest_limit_and_gives_one_try_back_to_the_others() -> None:
    every = [limit("narrow", 9), limit("wide", 9), limit("widest", 9)]
    for _ in range(3):
        limits.take(every)
    limits.forgive(every)
    assert used() == {"wide": 2, "widest": 2}


def test_the_fewest_tries_of_all_limits_are_left_and_never_less_than_none() -> None:
    narrow, wide = limit("narrow", 5), limit("wide", 4)
    assert limits.left([narrow, wide]) == 4
    limits.take([narrow])
    limits.take([narrow])
    assert limits.left([narrow, wide]) == 3
    assert limits.left([limit("narrow", 1)]) == 0


def test_the_limit_with_the_longest_wait_is_told(clock: Clock) -> None:
    short, long, free = limit("short", 1, 5), limit("long", 1, 7), limit("free", 2, 60)
    limits.check([short, long, free])
    limits.take([short, long, free])
    for order in ([short, long, free], [long, short, free]):
        with pytest.raises(LimitReached) as reached:
            limits.check(order)
        assert reached.value.limit == long
        assert reached.value.until == clock.now + 7 * MINUTE


@pytest.mark.parametrize(
    ("wait", "seconds"), [(-5, 1), (0, 1), (0.2, 1), (1, 1), (1.2, 2), (90, 90)]
)
def test_the_wait_is_told_in_whole_seconds_and_at_least_one(
    clock: Clock, wait: float, seconds: int
) -> None:
    reached = LimitReached(limit("some"), clock.now + timedelta(seconds=wait))
    assert reached.seconds == seconds


# --- Which limits there are -----------------------------------------------------------------------


def test_wrong_passwords_are_counted_for_name_and_network(
    settings: Settings, michael: Person
) -> None:
    name, here = digest(EMAIL), digest("192.0.2.7")
    settings.SIGN_IN_TRIES, settings.SIGN_IN_WAIT_MINUTES = 5, 15
    settings.SIGN_IN_TRIES_PER_NAME, settings.SIGN_IN_WAIT_MINUTES_PER_NAME = 20, 60
    settings.SIGN_IN_TRIES_PER_ADDRESS, settings.SIGN_IN_TRIES_IN_ALL = 30, 1000
    known = [(f"name:{name}:{here}", 5, 15), (f"name:{name}", 20, 60), ("all", 1000, 15)]
    narrow, *wide = known
    for user in (michael.user, None):
        assert shape(limits.passwords(HERE, EMAIL, user)) == [
            narrow,
            (f"address:{here}", 30, 15),
            *wide,
        ]
    assert shape(limits.passwords(NOWHERE, EMAIL, None)) == [
        (f"name:{name}:{digest('')}", 5, 15),
        *wide,
    ]


def test_on_a_device_that_is_known_only_its_own_tries_count(michael: Person) -> None:
    browser = Client()
    browser.post("/sign-in/", {"username": EMAIL, "password": PASSWORD})
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    request.COOKIES["device"] = browser.cookies["device"].value
    user = User.objects.get(pk=michael.user.pk)
    device = digest(devices.known(request, user) or "")
    assert shape(limits.passwords(request, EMAIL, user)) == [
        (f"device:{device}:{digest(EMAIL)}", settings.SIGN_IN_TRIES, 15)
    ]
    assert shape(limits.second_steps(request, user)) == [
        (f"code:{user.pk}:{device}", 5, 5),
        (f"codes:{user.pk}:{device}", 20, 60),
    ]


def test_the_tries_that_are_left_are_those_of_the_name_however_it_is_typed(
    settings: Settings,
) -> None:
    settings.SIGN_IN_TRIES = 5
    limits.take(limits.passwords(HERE, EMAIL, None))
    assert limits.tries_left(HERE, " Michael@MightyMicks.example") == 4
    assert limits.tries_left(HERE, "adrian@mightymicks.example") == 5


@pytest.mark.parametrize(
    ("find", "expected"),
    [
        (
            lambda: limits.second_steps(HERE, User(pk="UR-000-000-001")),
            [("code:UR-000-000-001", 5, 5), ("codes:UR-000-000-001", 20, 60)],
        ),
        (
            lambda: limits.passkey_challenges(HERE),
            [(f"challenges:{digest('192.0.2.7')}", 300, 15)],
        ),
        (lambda: limits.invitations("PA-000-001"), [("invitations:PA-000-001", 50, 60)]),
        (lambda: limits.resets(HERE), [(f"reset:{digest('192.0.2.7')}", 7, 15)]),
        (lambda: limits.resets(NOWHERE), []),
        (lambda: limits.writes_of_person("UR-000-000-001"), [("writes:UR-000-000-001", 11, 1)]),
        (
            lambda: limits.writes_of_token("SU-000-000-001", "PA-000-001"),
            [("writes:SU-000-000-001", 12, 1), ("writes:PA-000-001", 13, 1)],
        ),
    ],
)
def test_each_limit_has_a_counter_a_number_and_a_wait_of_its_own(
    settings: Settings,
    find: Callable[[], list[Limit]],
    expected: list[tuple[str, int, float]],
) -> None:
    settings.SIGN_IN_WAIT_MINUTES, settings.RESETS_PER_ADDRESS = 15, 7
    settings.WRITES_PER_PERSON, settings.WRITES_PER_TOKEN = 11, 12
    settings.WRITES_PER_ACCOUNT = 13
    assert shape(find()) == expected


def test_a_hundred_forms_are_kept_for_one_network(settings: Settings, clock: Clock) -> None:
    settings.SIGN_IN_WAIT_MINUTES = 15
    assert [limits.may_keep_form(HERE) for _ in range(101)] == [True] * 100 + [False]
    assert limits.may_keep_form(NOWHERE)
    counter = Counter.objects.get(key=f"kept:{digest('192.0.2.7')}")
    assert (counter.used, counter.until) == (100, clock.now + 15 * MINUTE)

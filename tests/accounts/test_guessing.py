"""Guessing passwords: which attempts are counted, where, and who can still sign in."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Counter, User
from portal.http import client_network
from tests.conftest import Person, Response
from tests.factories import PASSWORD, MembershipFactory

SIGN_IN = "/sign-in/"
LIST = "/integrations/tokens/"
NEW = "a quite different sentence"


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: Any) -> Response:
    return client.post(SIGN_IN, {"username": email, "password": password}, **extra)


def address(number: int) -> str:
    """Return one of many addresses in unrelated networks."""
    return f"198.51.{number}.7"


def let_pass(minutes: int) -> None:
    """Move every counter into the past, as if that many minutes had passed."""
    for counter in Counter.objects.all():
        counter.until -= timedelta(minutes=minutes)
        counter.save()


def lock_the_name(email: str, settings: Settings) -> Response:
    """Try wrong passwords for a name, from as many addresses as it takes to lock it."""
    settings.SIGN_IN_TRIES_PER_NAME = 7
    for number in range(settings.SIGN_IN_TRIES_PER_NAME):
        response = sign_in(Client(), email, "wrong", REMOTE_ADDR=address(number))
    return response


# --- One name from one address --------------------------------------------------------------------


def test_five_wrong_passwords_lock_the_name_for_that_address(
    client: Client, michael: Person
) -> None:
    for left in (4, 3, 2, 1):
        assert (
            f"{left} {'try is' if left == 1 else 'tries are'} left"
            in sign_in(client, michael.user.email, "wrong").text
        )
    response = sign_in(client, michael.user.email, "wrong")
    assert response.status_code == 429
    assert "Too many tries." in response.text
    assert 14 * 60 < int(response["Retry-After"]) <= 15 * 60
    assert sign_in(client, michael.user.email).status_code == 429


def test_an_unknown_name_is_locked_just_the_same(client: Client, db: None) -> None:
    for _ in range(5):
        response = sign_in(client, "nobody@mightymicks.example", "wrong")
    assert response.status_code == 429


@pytest.mark.parametrize(
    ("typed", "reaches_her"),
    [
        (" michael@mightymicks.example ", True),
        ("Michael@MightyMicks.Example", True),
        ("ｍｉｃｈａｅｌ@mightymicks.example", True),
        ("michael@mightymicks.ｅｘａｍｐｌｅ", True),
        ("\u200bmichael@mightymicks.example\ufeff", True),
        ("mi chael@mightymicks.example", True),
        ("michael@mightymicks.example\u3000", True),
        ("mıchael@mightymicks.example", False),
        ("MİCHAEL@mightymicks.example", False),
        ("ſichael@mightymicks.example", False),
    ],
)
def test_sign_in_tries_are_counted_under_one_name_however_it_is_typed(
    client: Client, michael: Person, typed: str, reaches_her: bool
) -> None:
    """Every spelling that lets the person in counts for the person; others are other names."""
    assert (sign_in(Client(), typed).status_code == 302) is reaches_her
    Counter.objects.all().delete()
    for _ in range(4):
        sign_in(client, typed, "wrong")
    response = sign_in(client, michael.user.email, "wrong")
    assert (response.status_code == 429) is reaches_her


def test_the_lock_is_for_that_address_only(client: Client, michael: Person) -> None:
    for _ in range(6):
        sign_in(client, michael.user.email, "wrong")
    assert sign_in(client, michael.user.email, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_other_names_go_on_working_from_that_address(
    client: Client, michael: Person, adrian: Person
) -> None:
    for _ in range(6):
        sign_in(client, michael.user.email, "wrong")
    assert sign_in(client, adrian.user.email).status_code == 302


def test_the_lock_ends(client: Client, michael: Person) -> None:
    for _ in range(5):
        sign_in(client, michael.user.email, "wrong")
    let_pass(minutes=14)
    assert sign_in(client, michael.user.email).status_code == 429
    let_pass(minutes=1)
    assert sign_in(client, michael.user.email).status_code == 302


def test_a_lock_is_not_prolonged_by_more_tries(client: Client, michael: Person) -> None:
    for _ in range(5):
        sign_in(client, michael.user.email, "wrong")
    let_pass(minutes=14)
    assert int(sign_in(client, michael.user.email, "wrong")["Retry-After"]) <= 60


def test_the_lock_page_tells_when_it_ends_whatever_others_do_meanwhile(
    client: Client, michael: Person
) -> None:
    for _ in range(5):
        sign_in(client, michael.user.email, "wrong")
    let_pass(minutes=14)
    sign_in(client, "other@mightymicks.example", "wrong")
    response = sign_in(client, michael.user.email)
    assert int(response["Retry-After"]) <= 60
    assert "in 1 minute." in response.text


def test_wrong_tries_are_forgotten_with_the_wait(client: Client, michael: Person) -> None:
    for _ in range(4):
        sign_in(client, michael.user.email, "wrong")
    let_pass(minutes=15)
    assert "4 tries are left" in sign_in(client, michael.user.email, "wrong").text


def test_a_counter_of_a_clock_that_was_ahead_holds_nobody_up(
    client: Client, michael: Person
) -> None:
    for _ in range(5):
        sign_in(client, michael.user.email, "wrong")
    let_pass(minutes=-60 * 24 * 365)
    assert sign_in(client, michael.user.email).status_code == 302


def test_a_right_password_forgives_the_wrong_ones_before(client: Client, michael: Person) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in(Client(), michael.user.email, "wrong")
        assert sign_in(Client(), michael.user.email).status_code == 302


def test_wrong_passwords_at_sign_in_and_in_the_password_form_count_together(
    client: Client, michael: Person
) -> None:
    fields = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    for _ in range(3):
        michael.client.post("/account/password/", fields)
    assert "1 try is left" in sign_in(client, michael.user.email, "wrong").text
    assert michael.client.post("/account/password/", fields).status_code == 429
    assert sign_in(client, michael.user.email).status_code == 429
    # The right password is not checked either, and as the fifth attempt it ends the session.
    ended = michael.client.post("/account/password/", {**fields, "old_password": PASSWORD})
    assert ended["Location"].startswith("/sign-in/")
    michael.user.refresh_from_db()
    assert michael.user.check_password(PASSWORD)


def test_a_try_that_was_forgiven_meanwhile_is_not_given_back_twice(db: None) -> None:
    counters = Counter.objects
    counters.take("name:somebody", 5, timedelta(minutes=1))
    counters.take("name:other", 5, timedelta(minutes=1))
    for _ in range(2):
        counters.give_back("name:somebody")
    assert dict(counters.values_list("key", "used")) == {"name:somebody": 0, "name:other": 1}


# --- One address ----------------------------------------------------------------------------------


def test_an_address_that_tries_many_names_is_locked_for_all_of_them(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_PER_ADDRESS = 8
    for number in range(8):
        sign_in(client, f"nobody{number}@mightymicks.example", "wrong")
    assert sign_in(client, michael.user.email).status_code == 429
    assert sign_in(client, michael.user.email, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_right_password_forgives_the_name_but_not_the_address(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_PER_ADDRESS = 8
    for number in range(6):
        sign_in(client, f"nobody{number}@mightymicks.example", "wrong")
    assert sign_in(client, michael.user.email).status_code == 302
    for number in range(2):
        sign_in(Client(), f"somebody{number}@mightymicks.example", "wrong")
    assert sign_in(Client(), michael.user.email).status_code == 429


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_an_address_of_ipv6_stands_for_its_64(one: str, other: str, same: bool) -> None:
    networks = {client_network({"REMOTE_ADDR": address}) for address in (one, other)}
    assert (len(networks) == 1) is same


def test_addresses_of_one_64_share_its_tries(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_PER_ADDRESS = 8
    for number in range(8):
        sign_in(
            client,
            f"nobody{number}@mightymicks.example",
            "wrong",
            REMOTE_ADDR=f"2001:db8:1:2::{number}",
        )
    assert sign_in(client, michael.user.email, REMOTE_ADDR="2001:db8:1:2::99").status_code == 429
    assert sign_in(client, michael.user.email, REMOTE_ADDR="2001:db8:1:3::99").status_code == 302


def test_people_whose_address_cannot_be_told_share_no_counter(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_PER_ADDRESS = 8
    for number in range(8):
        sign_in(client, f"nobody{number}@mightymicks.example", "wrong", REMOTE_ADDR="")
    assert sign_in(client, michael.user.email, REMOTE_ADDR="").status_code == 302


# --- One name from everywhere, and all names ------------------------------------------------------


def test_a_name_is_locked_after_wrong_passwords_from_many_addresses(
    client: Client, michael: Person, settings: Settings
) -> None:
    assert lock_the_name(michael.user.email, settings).status_code == 429
    response = sign_in(client, michael.user.email)
    assert response.status_code == 429
    assert 59 * 60 < int(response["Retry-After"]) <= 60 * 60
    assert "came from several places" in response.text
    let_pass(minutes=60)
    assert sign_in(client, michael.user.email).status_code == 302


def test_an_unknown_name_is_locked_from_everywhere_just_the_same(
    client: Client, db: None, settings: Settings
) -> None:
    assert lock_the_name("nobody@mightymicks.example", settings).status_code == 429
    assert "came from several places" in sign_in(client, "nobody@mightymicks.example").text


def test_a_right_password_gives_no_guesser_more_tries_for_the_name(
    michael: Person, settings: Settings
) -> None:
    for number in range(settings.SIGN_IN_TRIES_PER_NAME - 1):
        sign_in(Client(), michael.user.email, "wrong", REMOTE_ADDR=address(number))
    assert sign_in(Client(), michael.user.email, REMOTE_ADDR="192.0.2.7").status_code == 302
    assert (
        sign_in(Client(), michael.user.email, "wrong", REMOTE_ADDR="192.0.2.8").status_code == 429
    )


def test_a_brake_for_all_names_and_addresses(
    client: Client, michael: Person, settings: Settings
) -> None:
    settings.SIGN_IN_TRIES_IN_ALL = 8
    for number in range(8):
        sign_in(
            Client(), f"nobody{number}@mightymicks.example", "wrong", REMOTE_ADDR=address(number)
        )
    response = sign_in(client, michael.user.email)
    assert response.status_code == 429
    assert "The portal is receiving very many wrong passwords" in response.text


def test_the_longest_wait_is_told(client: Client, michael: Person, settings: Settings) -> None:
    settings.SIGN_IN_TRIES_PER_NAME = 5
    for _ in range(5):
        response = sign_in(client, michael.user.email, "wrong")
    assert int(response["Retry-After"]) > 59 * 60


# --- Nobody is locked out for good ----------------------------------------------------------------


def lock_everything(michael: Person, settings: Settings, client: Client) -> None:
    """Lock a name from everywhere, an address, and sign-in for the whole portal."""
    settings.SIGN_IN_TRIES_PER_ADDRESS, settings.SIGN_IN_TRIES_IN_ALL = 8, 8 + 7
    lock_the_name(michael.user.email, settings)
    for number in range(8):
        sign_in(client, f"nobody{number}@mightymicks.example", "wrong")
    assert sign_in(Client(), michael.user.email).status_code == 429


def test_a_person_gets_through_on_a_device_they_have_signed_in_on(
    client: Client, michael: Person, settings: Settings
) -> None:
    sign_in(client, michael.user.email)
    client.post("/sign-out/")
    lock_everything(michael, settings, Client())
    assert sign_in(client, michael.user.email).status_code == 302


def test_that_device_has_five_tries_of_its_own(client: Client, michael: Person) -> None:
    sign_in(client, michael.user.email)
    client.post("/sign-out/")
    for left in (4, 3, 2, 1):
        assert (
            f"{left} {'try is' if left == 1 else 'tries are'} left"
            in sign_in(client, michael.user.email, "wrong").text
        )
    assert (
        "This browser sent too many wrong passwords"
        in sign_in(client, michael.user.email, "wrong").text
    )
    assert sign_in(client, michael.user.email).status_code == 429
    assert sign_in(Client(), michael.user.email).status_code == 302


def test_a_device_is_known_for_its_own_people_only(
    client: Client, michael: Person, adrian: Person, settings: Settings
) -> None:
    sign_in(client, adrian.user.email)
    client.post("/sign-out/")
    lock_everything(michael, settings, Client())
    assert sign_in(client, michael.user.email).status_code == 429
    assert sign_in(client, adrian.user.email).status_code == 302


def test_two_people_of_one_device_are_both_known(
    client: Client, michael: Person, adrian: Person, settings: Settings
) -> None:
    for person in (michael, adrian):
        sign_in(client, person.user.email)
        client.post("/sign-out/")
    lock_everything(michael, settings, Client())
    assert sign_in(client, michael.user.email).status_code == 302
    client.post("/sign-out/")
    assert sign_in(client, adrian.user.email).status_code == 302


def test_a_device_is_not_known_any_more_after_a_new_password(
    client: Client, michael: Person, settings: Settings
) -> None:
    """So a stolen device cookie is worth nothing after that."""
    sign_in(client, michael.user.email)
    stolen = client.cookies["device"].value
    fields = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    client.post("/account/password/", fields)
    lock_everything(michael, settings, Client())
    thief = Client()
    thief.cookies["device"] = stolen
    assert sign_in(thief, michael.user.email, NEW).status_code == 429
    client.post("/sign-out/")
    assert sign_in(client, michael.user.email, NEW).status_code == 302


@pytest.mark.parametrize("cookie", ["", "x", "WyIiLFtdXQ:1abc:forged", "é", "a" * 4000])
def test_a_cookie_that_is_not_ours_is_no_device(
    client: Client, michael: Person, cookie: str
) -> None:
    client.cookies["device"] = cookie
    for _ in range(5):
        response = sign_in(client, michael.user.email, "wrong")
    assert "from your network" in response.text


def test_the_cookie_of_a_device_names_nobody_and_no_script_reads_it(
    client: Client, michael: Person
) -> None:
    cookie = sign_in(client, michael.user.email).cookies["device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 180 * 24 * 3600
    for secret in (michael.user.pk, michael.user.email, michael.user.password):
        assert secret not in cookie.value


def test_a_new_password_by_mail_lifts_the_lock_and_makes_the_device_known(
    client: Client, michael: Person, settings: Settings
) -> None:
    from django.contrib.auth.tokens import default_token_generator
    from django.utils.http import urlsafe_base64_encode

    lock_the_name(michael.user.email, settings)
    michael.user.refresh_from_db()
    user = urlsafe_base64_encode(michael.user.pk.encode())
    link = f"/account/reset/{user}/{default_token_generator.make_token(michael.user)}/"
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert sign_in(Client(), michael.user.email, NEW, REMOTE_ADDR="192.0.2.9").status_code == 302
    # The attacker goes on guessing at once, but by then the device is known.
    lock_the_name(michael.user.email, settings)
    assert sign_in(client, michael.user.email, NEW).status_code == 302


def test_a_password_set_by_an_administrator_lifts_the_lock_too(
    client: Client, michael: Person, settings: Settings
) -> None:
    lock_the_name(michael.user.email, settings)
    user = User.objects.get(pk=michael.user.pk)
    user.set_password(NEW)
    user.save()
    assert sign_in(client, michael.user.email, NEW).status_code == 302


def test_a_new_password_lifts_the_lock_of_its_own_name_only(
    client: Client, michael: Person, adrian: Person, settings: Settings
) -> None:
    for person in (michael, adrian):
        lock_the_name(person.user.email, settings)
    user = User.objects.get(pk=michael.user.pk)
    user.set_password(NEW)
    user.save()
    assert sign_in(client, michael.user.email, NEW).status_code == 302
    assert sign_in(Client(), adrian.user.email).status_code == 429


# --- What is kept ---------------------------------------------------------------------------------


def test_counters_hold_no_name_and_no_address(client: Client, michael: Person) -> None:
    sign_in(client, michael.user.email, "wrong", REMOTE_ADDR="192.0.2.77")
    kept = str(list(Counter.objects.values()))
    assert "michael" not in kept
    assert "192.0.2.77" not in kept
    assert timezone.now() < Counter.objects.earliest("until").until


def test_somebody_who_is_switched_off_is_counted_like_everybody(
    client: Client, michael: Person
) -> None:
    User.objects.update(is_active=False)
    for left in (4, 3):
        assert f"{left} tries are left" in sign_in(client, michael.user.email).text


def test_a_person_without_a_password_is_counted_like_everybody(
    client: Client, michael: Person
) -> None:
    michael.user.set_unusable_password()
    michael.user.save()
    assert "4 tries are left" in sign_in(client, michael.user.email).text


def test_members_of_several_accounts_have_one_count(
    client: Client, michael: Person, stranger: Person
) -> None:
    MembershipFactory(user=michael.user, account=stranger.account)
    assert "4 tries are left" in sign_in(client, michael.user.email, "wrong").text

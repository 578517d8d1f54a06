"""Hashing a password does not block the other threads of the process."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore

import pytest
from django.test import Client
from django.utils.module_loading import import_string

from accounts import hashing
from accounts.models import Counter
from portal import settings as product
from tests.accounts.test_guessing_at_once import at_once
from tests.conftest import Person, Response, stale
from tests.factories import PASSWORD
from tokens.models import Token


@contextmanager
def taken(semaphore: threading.Semaphore) -> Iterator[None]:
    """Occupy every place for hashing."""
    with ExitStack() as held:
        while semaphore.acquire(blocking=False):
            held.callback(semaphore.release)
        yield


def sign_in(person: Person) -> Response:
    return Client().post("/sign-in/", {"username": person.user.email, "password": PASSWORD})


def test_every_hasher_of_the_product_waits_for_its_turn() -> None:
    assert all(issubclass(import_string(name), hashing.InTurn) for name in product.PASSWORD_HASHERS)


@pytest.mark.parametrize("name", product.PASSWORD_HASHERS)
def test_hashes_of_earlier_versions_are_still_read(name: str) -> None:
    """Waiting for a turn changes when a password is hashed, not how."""
    ours, django_s = import_string(name)(), import_string(name).__mro__[2]()
    assert ours.algorithm == django_s.algorithm
    assert ours.verify(PASSWORD, django_s.encode(PASSWORD, "saltsaltsalt"))
    assert not ours.verify("wrong", django_s.encode(PASSWORD, "saltsaltsalt"))


def test_no_more_hash_at_once_than_are_allowed() -> None:
    most = running = 0
    lock = threading.Lock()

    def hash_one(number: int) -> bool:
        nonlocal most, running
        try:
            with hashing.turn():
                with lock:
                    running += 1
                    most = max(most, running)
                # Return the server's CPU time so far in seconds, kernel time included.
                threading.Event().wait(0.01)
                with lock:
                    running -= 1
        except hashing.Busy:
            return False
        return True

    answers = at_once(12, hash_one)
    assert most == product.PASSWORD_CHECKS
    assert any(answers)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
@pytest.mark.parametrize("name", product.PASSWORD_HASHERS)
def test_a_hash_steps_back_behind_the_other_threads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    hasher = import_string(name)()

    def encode(*_args: object) -> str:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return ""

    monkeypatch.setattr(import_string(name).__mro__[2], "encode", encode)
    hasher.encode(PASSWORD, "saltsaltsalt")
    assert seen == [hashing.NICENESS]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < hashing.NICENESS


def test_a_thread_that_has_its_turn_does_not_wait_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hashing, "WAIT", 0)
    with hashing.turn(), hashing.turn():
        assert not hashing.running.acquire(blocking=False) or product.PASSWORD_CHECKS > 1


@pytest.mark.parametrize(
    "semaphore", [hashing.running, hashing.admitted], ids=["nobody's turn ends", "too many wait"]
)
def test_who_does_not_get_a_turn_is_asked_to_come_back(
    michael: Person, monkeypatch: pytest.MonkeyPatch, semaphore: BoundedSemaphore
) -> None:
    monkeypatch.setattr(hashing, "WAIT", 0)
    with taken(semaphore):
        response = sign_in(michael)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "The Portal Is Busy" in response.text
    # It was not counted as an attempt, and nothing is left behind.
    assert not Counter.objects.filter(used__gt=0).exists()
    assert sign_in(michael).status_code == 302


def test_who_confirms_while_nobody_gets_a_turn_has_made_no_guess(
    michael: Person, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "WAIT", 0)
    path = f"/integrations/tokens/{token.pk}/reveal/"
    with taken(hashing.admitted):
        response = stale(michael.client).post(path, {"sudo_password": PASSWORD})
    assert response.status_code == 503
    assert not Counter.objects.filter(key__startswith="sudo:", used__gt=0).exists()
    assert michael.client.post(path, {"sudo_password": PASSWORD}).status_code == 200


def test_a_locked_name_is_refused_without_a_turn(michael: Person) -> None:
    for _ in range(5):
        Client().post("/sign-in/", {"username": michael.user.email, "password": "wrong"})
    with taken(hashing.admitted):
        assert sign_in(michael).status_code == 429


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_worker_process_hashes_although_its_parent_did_before() -> None:
    hasher = import_string(product.PASSWORD_HASHERS[0])()
    hasher.encode(PASSWORD, "saltsaltsalt")
    child = os.fork()
    if child == 0:
        # Ends a child that would wait forever.
        signal.alarm(20)
        hasher.encode(PASSWORD, "saltsaltsalt")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

"""The program that delivers: one loop around libcurl, which runs many calls at once.

The rows of deliveries are its only memory. Whatever happens to it, a delivery is due again at the
latest when its lease ends, and several workers can run at the same time, on any machine.
"""

import logging
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pycurl
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.utils import timezone

from tokens.vault import SealBroken
from webhooks import claims, results, retention
from webhooks.claims import Claimed, Room
from webhooks.models import DeliveryWorker
from webhooks.outcomes import Outcome
from webhooks.results import Try
from webhooks.send import TOTAL_SECONDS, Result, Transfer
from webhooks.signing import Call, Secrets, make_call

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# Calls at once.
MOST_CALLS = 160
# Results are written down as soon as there are so many, or the oldest has waited so long.
RESULTS, RESULTS_SECONDS = 64, 0.02
# How often it looks for work, at most; and the part of the time that looking may take.
LOOK_SECONDS, LOOK_SHARE = 0.05, 0.1
BEAT_SECONDS, TIDY_SECONDS = 5.0, 1.0
# How often it looks for what can be forgotten, unless it has just found something.
FORGET_SECONDS = 60.0
# How long it waits after the database has failed.
AWAY_SECONDS = 1.0
# PostgreSQL that only lets read says so with an InternalError.
REFUSALS = (OperationalError, InterfaceError, InternalError)
# By how much the clock must jump to be noticed. Leases bear less than that.
JUMP = timedelta(seconds=5)
# How long it finishes calls after it was asked to end.
GRACE_SECONDS = TOTAL_SECONDS + 5.0


class Worker:
    """Claims, calls, and writes down what came of it, until `stop`."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_MAXCONNECTS, 2 * MOST_CALLS)
        self.idle: list[Transfer] = []
        self.running: dict[pycurl.Curl, tuple[Transfer, Claimed, Call, datetime]] = {}
        self.ended: list[Try] = []
        self.accounts: Counter[str] = Counter()
        self.is_ending = self.is_cut_off = self.has_strays = False
        self.last_second = float("inf")
        self.epoch, self.jump = epoch(), timedelta(0)
        # When it does each of these the next time, on the monotonic clock.
        self.next_look = self.next_flush = self.next_beat = self.next_tidy = 0.0
        self.next_forget = 0.0

    def stop(self) -> None:
        """Ask it to take nothing more, and to end when its calls have; for signals too."""
        self.last_second = min(self.last_second, time.monotonic() + GRACE_SECONDS)
        self.is_ending = True

    def run(self) -> None:
        """Deliver until it is asked to stop."""
        log.info("Delivering webhooks as %s.", self.name)
        while not self.is_ending or (self.is_busy and time.monotonic() < self.last_second):
            self.step()
        self.leave()

    def run_until_idle(self) -> None:
        """Deliver what is due now, and end."""
        while self.look() or self.is_busy:
            self.step()
        self.leave()

    def drain(self, seconds: float) -> bool:
        """Deliver what is due, and take nothing more after some seconds; return if more may be."""
        end = time.monotonic() + seconds
        self.is_ending = False
        self.step()
        while self.is_busy or (not self.is_ending and self.look()):
            self.is_ending = time.monotonic() >= end
            self.step()
        return self.is_ending

    @property
    def is_busy(self) -> bool:
        return bool(self.running or self.ended)

    def step(self) -> None:
        self.mind_the_clock()
        now = time.monotonic()
        if now >= self.next_beat:
            self.next_beat = now + BEAT_SECONDS
            self.guarded(lambda: DeliveryWorker.beat(self.name))
        if self.ended and now >= self.next_flush:
            self.flush()
        if now >= self.next_tidy and not self.ended:
            self.next_tidy = now + TIDY_SECONDS
            if self.has_strays:
                self.guarded(self.release_strays)
            self.guarded(claims.recover)
            if now >= self.next_forget:
                found = self.guarded(retention.forget)
                self.next_forget = now + (TIDY_SECONDS if found else FORGET_SECONDS)
        if now >= self.next_look and not self.is_ending:
            self.look()
        self.transfer()

    def mind_the_clock(self) -> None:
        """Bear that the clock was set: keep what is being sent, and let nothing wait longer."""
        before, self.epoch = self.epoch, epoch()
        jump = self.epoch - before
        if abs(jump) >= JUMP:
            self.follow(jump)
        # Later, while the database is away.
        if self.jump and time.monotonic() >= self.next_look:
            self.guarded(self.store_jump)

    def store_jump(self) -> None:
        claims.follow_clock(self.name, self.jump)
        self.jump = timedelta(0)

    def follow(self, jump: timedelta) -> None:
        """Let what this process knows follow the clock; the database is next."""
        way = "ahead" if jump > timedelta(0) else "back"
        log.warning("The clock was set %s by %.0f seconds.", way, abs(jump).total_seconds())
        self.running = {
            curl: (transfer, claimed, call, at + jump)
            for curl, (transfer, claimed, call, at) in self.running.items()
        }
        for each in self.ended:
            each.at += jump
        self.jump += jump

    # --- Claiming ---------------------------------------------------------------------------------

    def look(self) -> int:
        """Claim what is due and begin to send it; return how much that was."""
        began = time.monotonic()
        room = Room(MOST_CALLS, self.accounts)
        found = self.guarded(lambda: claims.claim(self.name, room)) if room.free > 0 else None
        took = time.monotonic() - began
        self.next_look = max(self.next_look, began + max(LOOK_SECONDS, took / LOOK_SHARE))
        for each in found or ():
            self.begin(each)
        return len(found or ())

    def begin(self, claimed: Claimed) -> None:
        now = timezone.now()
        self.accounts[claimed.webhook.account_id] += 1
        try:
            call = call_of(claimed, now)
            transfer = self.idle.pop() if self.idle else Transfer()
            transfer.prepare(call)
        except Exception as problem:
            self.end(not_sent(claimed, problem, now))
            return
        self.running[transfer.curl] = (transfer, claimed, call, now)
        self.multi.add_handle(transfer.curl)

    def release_strays(self) -> None:
        """Give back what was claimed just before the database went away: nobody sends it."""
        known = [claimed.delivery.pk for _transfer, claimed, *_rest in self.running.values()]
        claims.release_strays(self.name, known)
        self.has_strays = False

    # --- Calling ----------------------------------------------------------------------------------

    def transfer(self) -> None:
        """Let libcurl go on, and wait until something happens or is due."""
        while self.multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        self.collect()
        due = min(self.next_look, self.next_flush if self.ended else self.next_look)
        wait = min(max(due - time.monotonic(), 0.001), LOOK_SECONDS)
        if not self.running:
            # Without a call, libcurl's own wait returns at once.
            time.sleep(wait)
        elif self.multi.select(self.limit(wait)) < 0:
            # It has no sockets to wait for yet.
            time.sleep(0.002)

    def limit(self, wait: float) -> float:
        """Return how long libcurl may wait before it has to look at its own clock."""
        own = self.multi.timeout()
        return min(wait, own / 1000) if own >= 0 else wait

    def collect(self) -> None:
        left = 1
        while left:
            left, good, bad = self.multi.info_read()
            for curl in good:
                self.take(curl, 0, "")
            for curl, error, message in bad:
                self.take(curl, error, message)

    def take(self, curl: pycurl.Curl, error: int, message: str) -> None:
        transfer, claimed, call, at = self.running.pop(curl)
        result = transfer.result(error, message)
        self.multi.remove_handle(curl)
        self.idle.append(transfer)
        self.end(Try(claimed, call, result, at))

    # --- Writing down -----------------------------------------------------------------------------

    def end(self, done: Try) -> None:
        self.ended.append(done)
        if len(self.ended) == 1:
            self.next_flush = time.monotonic() + RESULTS_SECONDS
        elif len(self.ended) == RESULTS:
            self.next_flush = time.monotonic()

    def flush(self) -> None:
        """Write results down. While the database is away they are kept, and tried again."""
        batch = self.ended[:RESULTS]
        if self.guarded(lambda: results.settle(self.name, batch)) is None:
            if self.is_cut_off:
                self.next_flush = time.monotonic() + AWAY_SECONDS
                return
            # One of them cannot be written down, which must not hold up the others.
            for each in batch:
                self.guarded(partial(results.settle_one, self.name, each))
        del self.ended[: len(batch)]
        self.next_flush = time.monotonic()
        for each in batch:
            self.accounts[each.claimed.webhook.account_id] -= 1
        # There is room now.
        self.next_look = 0.0

    def guarded(self, work: Callable[[], Answer]) -> Answer | None:
        """Do something with the database; return None if that fails."""
        try:
            answer = work()
        except REFUSALS as problem:
            self.is_cut_off = self.has_strays = True
            log.warning("The database refused the worker: %s", reason(problem))
            # Once the database is mended, this connection may still be to what it was.
            connection.close()
        except Exception:
            log.exception("The worker could not do something.")
        else:
            self.is_cut_off = False
            return answer
        connection.close_if_unusable_or_obsolete()
        self.next_look = time.monotonic() + AWAY_SECONDS
        return None

    def leave(self) -> None:
        """Write down what has ended, and give back what has not."""
        if self.ended:
            self.guarded(lambda: results.settle(self.name, self.ended))
        unsent = [claimed.delivery for _transfer, claimed, *_rest in self.running.values()]
        self.guarded(lambda: claims.release(self.name, unsent))
        self.guarded(DeliveryWorker.objects.filter(name=self.name).delete)
        for transfer, *_rest in self.running.values():
            self.multi.remove_handle(transfer.curl)
            transfer.close()
        for transfer in self.idle:
            transfer.close()
        self.multi.close()


def epoch() -> datetime:
    """Return the moment when the monotonic clock was zero, which changes when the clock is set."""
    return timezone.now() - timedelta(seconds=time.monotonic())


def call_of(claimed: Claimed, now: datetime) -> Call:
    """Return the call of a try. Raise SealBroken, ValueError."""
    webhook = claimed.webhook
    signing = Secrets.of(claimed.secrets, webhook.account_id)
    return make_call(claimed.delivery, webhook, claimed.health, signing, now)


def not_sent(claimed: Claimed, problem: Exception, now: datetime) -> Try:
    """Return the try of a delivery that no call can be made of.

    Whatever that is, it must not end the worker, which would only meet the delivery again.
    """
    note = ""
    if isinstance(problem, SealBroken | ValueError | TypeError | pycurl.error):
        note = reason(problem)
    else:
        # What nobody foresaw is for the log alone.
        log.error("Delivery %s could not be sent.", claimed.delivery.pk, exc_info=problem)
    return Try(claimed, None, Result(Outcome.NOT_SENT, note=note), now)


def reason(problem: Exception) -> str:
    """Return what went wrong in one line."""
    if isinstance(problem, SealBroken):
        return "The secret of the webhook cannot be opened with the sealing keys of the portal."
    return " ".join(str(problem).split()) or type(problem).__name__

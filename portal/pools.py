"""The threads that run Django, and who comes next: one caller cannot keep the others waiting.

Requests that wait are not served in the order in which they came. Networks take turns, and within a
network its callers do. So a flood makes others wait for a few of its requests, never for all of it,
and an id that nobody has checked yet wins nothing: it is one more turn in its own network, and
whoever does not know the whole key or session joins nobody else's queue.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple

from django.db import connections

# Requests that may wait for a thread of a pool, and which part of the free places one network may have.
PLACES = 2048
SHARE = 4


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Refused(Exception):
    """Raised for a request that Django is not to see."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class HungUp(Exception):
    """Raised when nobody waits for the answer any more."""


class Caller(NamedTuple):
    """Where requests come from, and the key or the session that they bring, if any."""

    network: str
    credential: str


class Job:
    """A request that waits for a thread, and the answer that is waited for."""

    def __init__(self, caller: Caller, environ: dict[str, Any], answer: "asyncio.Future[Answer]") -> None:
        self.caller, self.environ, self.answer = caller, environ, answer


class Line:
    """The requests that wait for a pool. Not safe for threads: hold a lock."""

    def __init__(self, threads: int) -> None:
        # Whoever is served goes to the end of both.
        self.networks: dict[str, dict[Caller, deque[Job]]] = {}
        self.length = 0
        self.running: Counter[Caller] = Counter()
        # Of one caller, so that slow requests of one leave a thread to the others.
        self.at_once = max(threads - 1, 1)

    def add(self, job: Job) -> bool:
        """Let a request wait, or return False because its caller has enough that do.

        A network may have a quarter of the places that are free, and a caller as many as its
        network may still have. So a few leave room for others, and a burst of one is not refused.
        """
        network, caller = job.caller.network, job.caller
        callers = self.networks.get(network, {})
        left = (PLACES - self.length) // SHARE - sum(map(len, callers.values()))
        if len(callers.get(caller, ())) >= left:
            return False
        self.networks.setdefault(network, callers).setdefault(caller, deque()).append(job)
        self.length += 1
        return True

    def start(self) -> Job | None:
        """Return the request whose turn it is, or None."""
        for network, callers in self.networks.items():
            for caller, jobs in callers.items():
                if self.running[caller] < self.at_once:
                    job = jobs.popleft()
                    self.running[caller] += 1
                    self.length -= 1
                    # Behind the others.
                    del callers[caller]
                    if jobs:
                        callers[caller] = jobs
                    del self.networks[network]
                    if callers:
                        self.networks[network] = callers
                    return job
        return None

    def finish(self, job: Job) -> None:
        """Count a request that was started as done."""
        self.running[job.caller] -= 1
        if not self.running[job.caller]:
            del self.running[job.caller]

    def remove(self, job: Job) -> bool:
        """Let a request wait no longer. Return False if it has been started or removed before."""
        callers = self.networks.get(job.caller.network, {})
        jobs = callers.get(job.caller, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        self.length -= 1
        if not jobs:
            del callers[job.caller]
        if not callers:
            del self.networks[job.caller.network]
        return True


class Pool:
    """Threads that run Django, and the line before them."""

    def __init__(self, name: str, threads: int, run: Callable[[dict[str, Any]], Answer], patience: int | None = None) -> None:
        """`run` makes the answer. `patience` is how many seconds a request may wait for a thread."""
        self.make_answer, self.patience = run, patience
        self.loop = asyncio.get_running_loop()
        self.lock = Lock()
        self.line = Line(threads)
        # Wakes a thread for each request that has come; None ends one.
        self.calls: SimpleQueue[Job | None] = SimpleQueue()
        self.threads = [Thread(target=self.work, name=name, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    async def run(self, caller: Caller, environ: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]]) -> Answer:
        """Return Django's answer. Raise Refused if it cannot be had now, HungUp if the client left."""
        job = Job(caller, environ, self.loop.create_future())
        with self.lock:
            if not self.line.add(job):
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE)
            # To watch the client costs time. Where requests wait, it may save the work for it.
            crowded = self.line.length > len(self.threads)
        self.calls.put(job)
        timer = self.loop.call_later(self.patience, self.give_up, job) if self.patience else None
        watch = self.loop.create_task(self.watch(receive, job)) if crowded else None
        try:
            return await job.answer
        except asyncio.CancelledError:
            self.drop(job)
            raise HungUp from None
        finally:
            if timer:
                timer.cancel()
            if watch:
                watch.cancel()

    def drop(self, job: Job) -> bool:
        """Return whether the request was not started, and never will be."""
        with self.lock:
            return self.line.remove(job)

    def give_up(self, job: Job) -> None:
        if self.drop(job) and not job.answer.done():
            job.answer.set_exception(Refused(HTTPStatus.SERVICE_UNAVAILABLE))

    async def watch(self, receive: Callable[[], Awaitable[dict[str, Any]]], job: Job) -> None:
        """Drop the request when its client leaves."""
        while (await receive())["type"] != "http.disconnect":
            pass
        job.answer.cancel()

    def work(self) -> None:
        while self.calls.get():
            # One call may be for a request that its caller's others held up, so look again after each.
            while job := self.start():
                answer = self.make_answer(job.environ)
                with self.lock:
                    self.line.finish(job)
                self.loop.call_soon_threadsafe(settle, job.answer, answer)
        connections.close_all()

    def start(self) -> Job | None:
        with self.lock:
            return self.line.start()

    def end(self) -> None:
        """Let the threads finish what they do."""
        for _ in self.threads:
            self.calls.put(None)


def settle(waiting: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)

"""The threads that run Django, with fair scheduling: one client cannot keep the others waiting.

Waiting requests are not served in order of arrival. Networks take turns, and so do the clients
within a network. A flood therefore makes others wait for a few of its requests, never for all of
them. Forging credentials, which nobody has checked at this point, gains nothing: it only adds turns
within the attacker's own network, and joining the queue of another client takes its whole key or
session.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple

from django.db import connections

# How many requests may wait for a thread of a pool; one network may use 1/SHARE of the free places.
PLACES = 2048
SHARE = 4
# Seconds after which it pays off to notice that the client of a request has left. Most requests
# have their response before.
WATCH_AFTER = 0.1

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class HttpError(Exception):
    """Raised for a request that must not reach Django. `status` is that of the response."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class HungUp(Exception):
    """Raised when the client no longer waits for the response."""


class Client(NamedTuple):
    """Where requests come from: a network, and the key or session that they send, if any."""

    network: str
    credential: str


class Job:
    """A request that waits for a thread, and the future of its response."""

    def __init__(
        self, client: Client, environ: dict[str, Any], answer: "asyncio.Future[Answer]"
    ) -> None:
        self.client, self.environ, self.answer = client, environ, answer
        self.watching: asyncio.Task[None] | None = None


class Line:
    """The requests that wait for a pool. Not thread-safe: the caller must hold a lock."""

    def __init__(self, threads: int) -> None:
        # When a client is served, it and its network move to the end.
        self.networks: dict[str, dict[Client, deque[Job]]] = {}
        self.length = 0
        self.running: Counter[Client] = Counter()
        # Limit for one client, so that its slow requests leave a thread to the others.
        self.at_once = max(threads - 1, 1)

    def add(self, job: Job) -> bool:
        """Queue a request, or return False if its client already has too many waiting.

        A network may use a quarter of the free places, and a client as many as its network has
        left. So a few clients leave room for others, and a burst of a single one is not refused.
        """
        network, client = job.client.network, job.client
        clients = self.networks.get(network, {})
        left = (PLACES - self.length) // SHARE - sum(map(len, clients.values()))
        if len(clients.get(client, ())) >= left:
            return False
        self.networks.setdefault(network, clients).setdefault(client, deque()).append(job)
        self.length += 1
        return True

    def start(self) -> Job | None:
        """Remove and return the request whose turn it is, or None."""
        for network, clients in self.networks.items():
            for client, jobs in clients.items():
                if self.running[client] < self.at_once:
                    job = jobs.popleft()
                    self.running[client] += 1
                    self.length -= 1
                    # Move both to the end.
                    del clients[client]
                    if jobs:
                        clients[client] = jobs
                    del self.networks[network]
                    if clients:
                        self.networks[network] = clients
                    return job
        return None

    def finish(self, job: Job) -> None:
        """Count a started request as done."""
        self.running[job.client] -= 1
        if not self.running[job.client]:
            del self.running[job.client]

    def remove(self, job: Job) -> bool:
        """Remove a waiting request. Return False if it has already been started or removed."""
        clients = self.networks.get(job.client.network, {})
        jobs = clients.get(job.client, deque())
        if job not in jobs:
            return False
        jobs.remove(job)
        self.length -= 1
        if not jobs:
            del clients[job.client]
        if not clients:
            del self.networks[job.client.network]
        return True


class Pool:
    """Threads that run Django, and the line of requests that wait for them."""

    def __init__(
        self,
        name: str,
        threads: int,
        run: Callable[[dict[str, Any]], Answer],
        patience: float | None = None,
    ) -> None:
        """Start the threads.

        `run` makes the response. `patience` is how many seconds a request may wait for a thread.
        """
        self.make_answer, self.patience = run, patience
        self.loop = asyncio.get_running_loop()
        self.lock = Lock()
        self.line = Line(threads)
        # Each queued job wakes a thread; None ends one.
        self.calls: SimpleQueue[Job | None] = SimpleQueue()
        self.threads = [Thread(target=self.work, name=name, daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    async def run(
        self,
        client: Client,
        environ: dict[str, Any],
        receive: Receive,
        stop: Callable[[], None] | None = None,
    ) -> Answer:
        """Return Django's response.

        If the client leaves while a thread works for it, `stop` is called, in another thread.
        Raise HttpError if the request cannot be served now, HungUp if the client has left.
        """
        job = Job(client, environ, self.loop.create_future())
        with self.lock:
            if not self.line.add(job):
                raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE)
        self.calls.put(job)
        timers = [self.loop.call_later(WATCH_AFTER, self.start_watching, receive, job)]
        if self.patience:
            timers.append(self.loop.call_later(self.patience, self.give_up, job))
        try:
            return await job.answer
        except asyncio.CancelledError:
            if not self.drop(job) and stop:
                self.loop.run_in_executor(None, stop)
            raise HungUp from None
        finally:
            for timer in timers:
                timer.cancel()
            if job.watching:
                job.watching.cancel()

    def drop(self, job: Job) -> bool:
        """Remove a request that still waits. Return False if it has already been started."""
        with self.lock:
            return self.line.remove(job)

    def give_up(self, job: Job) -> None:
        if self.drop(job) and not job.answer.done():
            job.answer.set_exception(HttpError(HTTPStatus.SERVICE_UNAVAILABLE))

    def start_watching(self, receive: Receive, job: Job) -> None:
        job.watching = self.loop.create_task(self.watch(receive, job))

    async def watch(self, receive: Receive, job: Job) -> None:
        """Cancel the request when its client leaves."""
        while (await receive())["type"] != "http.disconnect":
            pass
        job.answer.cancel()

    def work(self) -> None:
        while self.calls.get():
            # A client at its limit holds up its own requests, so look again after finishing one.
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
        """End the threads once they have finished their current requests."""
        for _ in self.threads:
            self.calls.put(None)


def settle(waiting: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not waiting.done():
        waiting.set_result(answer)

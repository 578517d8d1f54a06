"""Clients that ask for much wait, and the others are served in turn."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import pytest

from portal import pools
from portal.pools import Answer, Client, HttpError, HungUp, Pool

GREEDY, OTHER = Client("192.0.2.1", "greedy"), Client("198.51.100.7", "other")
NEIGHBOUR = Client(GREEDY.network, "neighbour")


async def stays() -> Any:
    """Stay connected, as a client that waits for its answer."""
    return await asyncio.Future()


class Work:
    """The work of the threads: each request waits until it is released."""

    def __init__(self) -> None:
        self.started: list[Client] = []
        self.go = threading.Semaphore(0)

    def run(self, environ: dict[str, Any]) -> Answer:
        self.started.append(environ["client"])
        self.go.acquire()
        return Answer(200, [], b"")


class Ask(Protocol):
    """Gives the pool a request of a client, who stays connected unless told otherwise."""

    def __call__(
        self,
        client: Client,
        receive: Callable[[], Awaitable[Any]] = stays,
        stop: Callable[[], None] | None = None,
    ) -> asyncio.Task[Answer]: ...


@asynccontextmanager
async def open_pool(
    threads: int, patience: float | None = None
) -> AsyncIterator[tuple[Pool, Work, Ask]]:
    work = Work()
    pool = Pool("test", threads, work.run, patience)

    def ask(
        client: Client,
        receive: Callable[[], Awaitable[Any]] = stays,
        stop: Callable[[], None] | None = None,
    ) -> asyncio.Task[Answer]:
        return asyncio.create_task(pool.run(client, {"client": client}, receive, stop))

    try:
        yield pool, work, ask
    finally:
        for _ in range(3 * pools.PLACES):
            work.go.release()
        pool.end()
        for thread in pool.threads:
            await asyncio.to_thread(thread.join, 10)
        assert not any(thread.is_alive() for thread in pool.threads)
        assert (pool.line.length, pool.line.networks, pool.line.running) == (0, {}, {})


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def forged(number: int) -> Client:
    return Client(GREEDY.network, f"forged {number}")


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_flood_of_one_leaves_a_turn_to_each_other(threads: int) -> None:
    async def check() -> None:
        async with open_pool(threads) as (pool, work, ask):
            flood = [ask(GREEDY) for _ in range(100)]
            await until(lambda: work.started.count(GREEDY) == max(threads - 1, 1))
            late = [ask(client) for client in (NEIGHBOUR, OTHER)]
            await until(lambda: pool.line.length + len(work.started) == 102)
            work.go.release(5)
            await until(lambda: {OTHER, NEIGHBOUR} <= set(work.started))
            assert work.started.count(GREEDY) <= 8
            work.go.release(200)
            assert {answer.status for answer in await asyncio.gather(*late, *flood)} == {200}

    asyncio.run(check())


def test_ids_that_nobody_checked_win_no_turn_of_another_network() -> None:
    async def check() -> None:
        async with open_pool(1) as (pool, work, ask):
            flood = [ask(forged(number)) for number in range(100)]
            await until(lambda: work.started)
            others = [ask(OTHER) for _ in range(10)]
            await until(lambda: pool.line.length == 109)
            work.go.release(21)
            await asyncio.wait_for(asyncio.gather(*others), 10)
            # They were served in turns.
            assert sum(task.done() for task in flood) <= 12
            work.go.release(200)
            await asyncio.gather(*flood)

    asyncio.run(check())


def test_slow_requests_of_one_leave_a_thread_to_the_others() -> None:
    async def check() -> None:
        async with open_pool(3) as (_pool, work, ask):
            flood = [ask(GREEDY) for _ in range(10)]
            await until(lambda: len(work.started) == 2)
            other = ask(OTHER)
            # None of the others has ended.
            await until(lambda: OTHER in work.started)
            assert work.started.count(GREEDY) == 2
            work.go.release(11)
            await asyncio.gather(other, *flood)

    asyncio.run(check())


@pytest.mark.parametrize(
    "flood",
    [[GREEDY] * 2000, [forged(number) for number in range(2000)]],
    ids=["one key", "forged ids"],
)
def test_whoever_fills_the_line_leaves_places_to_others(flood: list[Client]) -> None:
    async def check() -> None:
        async with open_pool(1) as (pool, work, ask):
            asked = [ask(client) for client in flood]
            await until(lambda: sum(task.done() for task in asked) > 1000)
            assert all(isinstance(task.exception(), HttpError) for task in asked if task.done())
            # A burst from a single client is not refused.
            assert pool.line.length >= 200
            others = [ask(Client(f"198.51.100.{number}", "")) for number in range(100)]
            work.go.release(2 * pools.PLACES)
            assert {answer.status for answer in await asyncio.gather(*others)} == {200}
            await asyncio.gather(*asked, return_exceptions=True)

    asyncio.run(check())


def test_the_key_of_a_neighbour_finds_a_place_in_a_flood_of_one_key() -> None:
    async def check() -> None:
        async with open_pool(1) as (pool, work, ask):
            flood = [ask(GREEDY) for _ in range(2000)]
            await until(lambda: sum(task.done() for task in flood) > 1000)
            # The first has left the line.
            await until(lambda: work.started)
            before = pool.line.length
            neighbour = ask(NEIGHBOUR)
            await until(lambda: pool.line.length > before)
            work.go.release(3)
            assert (await asyncio.wait_for(neighbour, 10)).status == 200
            work.go.release(2 * pools.PLACES)
            await asyncio.gather(*flood, return_exceptions=True)

    asyncio.run(check())


def test_the_requests_of_one_client_are_served_as_they_came() -> None:
    async def check() -> None:
        async with open_pool(1) as (_pool, work, ask):
            ended: list[int] = []

            def note(number: int, _task: asyncio.Task[Answer]) -> None:
                ended.append(number)

            tasks = [ask(GREEDY) for _ in range(20)]
            for number, task in enumerate(tasks):
                task.add_done_callback(partial(note, number))
            work.go.release(20)
            await asyncio.gather(*tasks)
            await asyncio.sleep(0)
            assert ended == list(range(20))

    asyncio.run(check())


def test_who_waits_too_long_is_refused_and_nothing_is_done() -> None:
    async def check() -> None:
        async with open_pool(1, patience=0.05) as (_pool, work, ask):
            first = ask(GREEDY)
            await until(lambda: work.started)
            second = ask(OTHER)
            with pytest.raises(HttpError):
                await second
            work.go.release()
            assert (await first).status == 200
        assert work.started == [GREEDY]

    asyncio.run(check())


def test_a_client_that_leaves_frees_its_place() -> None:
    async def check() -> None:
        async with open_pool(1) as (pool, work, ask):
            left = asyncio.Event()

            async def leaves() -> Any:
                await left.wait()
                return {"type": "http.disconnect"}

            waiting = [ask(GREEDY) for _ in range(5)]
            await until(lambda: pool.line.length == 4)
            stopped = threading.Event()
            leaver = ask(OTHER, leaves, stopped.set)
            await until(lambda: pool.line.length == 5)
            left.set()
            with pytest.raises(HungUp):
                await leaver
            assert pool.line.length == 4
            work.go.release(5)
            await asyncio.gather(*waiting)
        assert OTHER not in work.started
        # It had not been started.
        assert not stopped.is_set()

    asyncio.run(check())


def test_the_work_for_a_client_that_leaves_is_stopped() -> None:
    async def check() -> None:
        async with open_pool(1) as (_pool, work, ask):

            async def leaves() -> Any:
                return {"type": "http.disconnect"}

            leaver = ask(GREEDY, leaves, work.go.release)
            with pytest.raises(HungUp):
                await leaver
            # Whoever comes next finds the only thread free.
            follower = ask(OTHER)
            await until(lambda: OTHER in work.started)
            work.go.release()
            assert (await follower).status == 200

    asyncio.run(check())

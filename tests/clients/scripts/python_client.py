"""Evaluate the tests' expressions for connect-openapi-client.

`client` is the synchronous or the asynchronous client.
"""

import asyncio
import inspect
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from answers import serve
from connect.client import AsyncConnectClient, ConnectClient, R
from connect.client.models import AsyncResourceSet, ResourceSet

KINDS = {"ConnectClient": ConnectClient, "AsyncConnectClient": AsyncConnectClient}

# The asynchronous client keeps its connections, which belong to one loop.
loop = asyncio.new_event_loop()
clients: dict[tuple[str, str, str, str | None], Any] = {}


class Log:
    """The logger to which the client writes its requests."""

    def __init__(self) -> None:
        self.requests = 0

    def log_request(self, method: str, url: str, kwargs: dict[str, Any]) -> None:
        self.requests += 1

    def log_response(self, response: Any) -> None:
        pass


log = Log()


def answer(
    code: str, kind: str, key: str, endpoint: str, specs: str | None, names: dict[str, Any]
) -> Any:
    known = (kind, key, endpoint, specs)
    if known not in clients:
        clients[known] = KINDS[kind](
            key, endpoint=endpoint, use_specs=bool(specs), specs_location=specs, logger=log
        )
    with redirect_stdout(StringIO()) as screen:
        value = loop.run_until_complete(
            evaluate(code, {**names, "client": clients[known], "R": R, "log": log})
        )
    # help() prints.
    return screen.getvalue() or value


async def evaluate(code: str, names: dict[str, Any]) -> Any:
    value = eval(code, names)  # noqa: S307 (the tests wrote it)
    if inspect.isawaitable(value):
        value = await value
    if isinstance(value, AsyncResourceSet):
        return [row async for row in value]
    return list(value) if isinstance(value, ResourceSet) else value


serve(answer)

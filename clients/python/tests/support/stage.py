"""A service in memory, with time and chance of its own; and the two kinds of clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Callable, Union

import httpx

from countersign import AsyncCountersign, Countersign

KEY = "csk_0123456789abcdefghijklmnopqrstuv"

Handler = Callable[[httpx.Request], httpx.Response]


class Hands:
    """A clock that moves when somebody waits."""

    def __init__(self, epoch: float = 1_764_000_000, random: float = 0.5) -> None:
        self._epoch = epoch
        self._random = random
        self._now = 0.0
        #: How long the last attempt was given, if that was told to the clock.
        self.allowed: float | None = None
        #: How long was waited since it was last set back, in seconds.
        self.waited = 0.0

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._epoch + self._now

    def random(self) -> float:
        return self._random

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    async def wait_async(self, task: asyncio.Task[Any], seconds: float) -> bool:
        self.allowed = seconds
        return bool((await asyncio.wait({task}, timeout=10))[0])

    def pass_time(self, seconds: float) -> None:
        """Lets time pass without anybody waiting."""
        self._now += seconds

    def move_to(self, epoch: float) -> None:
        """Moves to a time of day."""
        self._now = epoch - self._epoch


def allowed(request: httpx.Request, clock: Hands) -> float:
    """How long an attempt may take, in seconds."""
    found: float | None = request.extensions["timeout"]["read"]
    if found is None:
        found = clock.allowed
    assert found is not None, "there is no limit"
    return found


def play(outcome: Mapping[str, Any], request: httpx.Request, clock: Hands) -> httpx.Response:
    """Answers a request as a case plays it."""
    if outcome.get("refused"):
        raise httpx.ConnectError("refused", request=request) from ConnectionRefusedError(111, "no")
    if outcome.get("broken"):
        raise httpx.RemoteProtocolError("the connection ended", request=request)
    if outcome.get("silent"):
        clock.pass_time(allowed(request, clock))
        raise httpx.ReadTimeout("silence", request=request)
    return answer(outcome)


def answer(outcome: Mapping[str, Any]) -> httpx.Response:
    """An answer as a case describes it."""
    unknown = set(outcome) - {"status", "headers", "body"}
    assert not unknown, f"the suite does not know {unknown}"
    body, headers = outcome.get("body"), dict(outcome.get("headers", {}))
    content = b""
    if isinstance(body, str):
        content = body.encode()
    elif body is not None:
        content = json.dumps(body).encode()
        headers.setdefault("content-type", "application/json")
    return httpx.Response(outcome.get("status", 200), headers=headers, content=content)


class SyncFace:
    """The synchronous client."""

    name = "sync"

    def client(self, handler: Handler | None, clock: Hands, **options: Any) -> Any:
        """A client with a clock and a service of its own."""
        kind = type("Countersign", (Countersign,), {"_clock": clock})
        transport = httpx.MockTransport(handler or _nobody)
        http = httpx.Client(transport=transport)
        return kind(**{"api_key": KEY, "http_client": http, **options})

    def run(self, result: Any) -> Any:
        """What a call gives."""
        return result

    def rows(self, result: Any) -> list[Any]:
        """All rows of a list."""
        return list(result)


class AsyncFace:
    """The asynchronous client."""

    name = "async"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def client(self, handler: Handler | None, clock: Hands, **options: Any) -> Any:
        """A client with a clock and a service of its own."""
        kind = type("AsyncCountersign", (AsyncCountersign,), {"_clock": clock})
        transport = httpx.MockTransport(handler or _nobody)
        http = httpx.AsyncClient(transport=transport)
        return kind(**{"api_key": KEY, "http_client": http, **options})

    def run(self, result: Any) -> Any:
        """What a call gives."""

        async def wait() -> Any:
            return await result

        return self._loop.run_until_complete(wait()) if hasattr(result, "__await__") else result

    def rows(self, result: Any) -> list[Any]:
        """All rows of a list."""

        async def collect() -> list[Any]:
            return [row async for row in result]

        return self._loop.run_until_complete(collect())

    def close(self) -> None:
        """Ends its loop, as `asyncio.run` does."""
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


Face = Union[SyncFace, AsyncFace]


def _nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"nobody answers {request.url}")

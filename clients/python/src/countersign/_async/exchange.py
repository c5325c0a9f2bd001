"""One attempt of a call."""

from __future__ import annotations

import asyncio

import httpx

from .._clock import Clock
from .._flight import Attempt, Overdue
from .._http import FAILURES, STEPS, Body, failure, prepared
from .._request import Request

#: For how long an exchange that was given up may tidy up.
_TIDY_SECONDS = 1.0


async def exchange(
    client: httpx.AsyncClient, request: Request, address: str, timeout: float, clock: Clock
) -> Attempt:
    """Sends a request, and reads the answer to its end, within so many seconds."""
    # httpx's own timeouts are each step's, of which a server may take ever so many; and one that
    # came at the moment of a cancellation would keep the connection from being tidied up.
    built = prepared(client, request, address, dict.fromkeys(STEPS))
    task = asyncio.ensure_future(_exchange(client, built))
    try:
        return task.result() if await clock.wait_async(task, timeout) else Overdue()
    except FAILURES as error:
        return failure(error)
    finally:
        # Also when the caller is cancelled: the connection does not stay behind.
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_TIDY_SECONDS)
        if task.done() and not task.cancelled():
            task.exception()


async def _exchange(client: httpx.AsyncClient, built: httpx.Request) -> Attempt:
    response = await client.send(built, stream=True, auth=None, follow_redirects=False)
    try:
        body = Body(response)
        async for part in response.aiter_bytes():
            if not body.add(part):
                break
        return body.answer()
    finally:
        await response.aclose()

"""One attempt of a call."""

from __future__ import annotations

import httpx

from .._clock import Clock
from .._flight import Attempt, Overdue
from .._http import FAILURES, Body, Remaining, failure, prepared
from .._request import Request


def exchange(
    client: httpx.Client, request: Request, address: str, timeout: float, clock: Clock
) -> Attempt:
    """Sends a request, and reads the answer to its end, within so many seconds.

    Each step of httpx has what is left then. What nobody can interrupt may outlast it: headers that
    come byte by byte, each of which httpx waits for anew; a look-up of a name.
    """
    remaining = Remaining(timeout, clock)
    built = prepared(client, request, address, remaining)
    try:
        response = client.send(built, stream=True, auth=None, follow_redirects=False)
        try:
            body = Body(response)
            for part in response.iter_bytes():
                # Each part came in time; all together may not.
                if remaining.is_over:
                    return Overdue()
                if not body.add(part):
                    break
            return body.answer()
        finally:
            response.close()
    except FAILURES as error:
        return failure(error)

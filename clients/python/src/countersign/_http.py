"""What both kinds of httpx's clients are asked with."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Union

import httpx

from ._answer import Answer
from ._clock import Clock
from ._flight import LONGEST_BODY, Endless, Overdue, Unreachable
from ._request import Request

#: What httpx raises when there is no answer, and what a transport of one's own may.
FAILURES = (httpx.HTTPError, httpx.StreamError, OSError)

#: The steps that httpx asks a timeout for.
STEPS = ("connect", "read", "write", "pool")

#: A timeout of nothing would mean not to wait at all.
_SHORTEST = 0.001


class Remaining(dict[str, float]):
    """Timeouts of an attempt: whatever is begun may take what is left then.

    httpx knows no deadline, but asks for the timeout of each of its steps when it begins it. To
    connect is not one step: each of a name's addresses may take the timeout in turn. It is half of
    what is left, so that two that are silent, a name's IPv4 and IPv6, take the attempt's time and
    no more.
    """

    def __init__(self, timeout: float, clock: Clock) -> None:
        super().__init__(dict.fromkeys(STEPS, timeout))
        self._clock = clock
        self.deadline = clock.now() + timeout

    @property
    def is_over(self) -> bool:
        """Whether the attempt has taken too long."""
        return self._clock.now() >= self.deadline

    def __getitem__(self, key: str) -> float:
        left = self.deadline - self._clock.now()
        return max(left / 2 if key == "connect" else left, _SHORTEST)

    def get(self, key: str, default: Any = None) -> Any:
        """What is left."""
        # As `dict.get`, which would not ask `__getitem__`.
        return self[key] if key in self else default  # noqa: SIM401


def owned_by_another(client: object, kind: type) -> None:
    """Fails unless what was given, if anything, is a client of this kind."""
    if client is not None and not isinstance(client, kind):
        raise TypeError(f"http_client is an httpx.{kind.__name__}")


def no_cookies() -> CookieJar:
    """A jar that takes none: the service sets none, and one of something else is not sent to it."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def closed() -> RuntimeError:
    """The error of a call after its client was closed."""
    return RuntimeError("the client is closed")


def prepared(
    client: Union[httpx.Client, httpx.AsyncClient],
    request: Request,
    address: str,
    timeouts: Mapping[str, float | None],
) -> httpx.Request:
    """A request as httpx takes it."""
    built = client.build_request(
        request.method,
        address + request.target,
        headers=dict(request.headers),
        content=request.content,
    )
    built.extensions["timeout"] = timeouts
    return built


class Body:
    """A body as it comes, part by part."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._content = bytearray()

    def add(self, part: bytes) -> bool:
        """Takes a part; whether there may be more."""
        self._content += part
        return len(self._content) <= LONGEST_BODY

    def answer(self) -> Union[Answer, Endless]:
        """The answer, once it was read to its end or is too long."""
        response = self._response
        if len(self._content) > LONGEST_BODY:
            return Endless(response.status_code)
        headers = {name.lower(): each for name, each in response.headers.items()}
        return Answer(response.status_code, headers, bytes(self._content))


def failure(error: Exception) -> Union[Overdue, Unreachable]:
    """What it means that there is no answer."""
    return Overdue(error) if isinstance(error, httpx.TimeoutException) else Unreachable(error)

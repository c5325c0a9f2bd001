# Made from _async/transport.py by scripts/generate.py: not to be edited.
"""Sends calls, as often as it takes and for as long as it may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import httpx

from .._call import Call
from .._clock import Clock
from .._config import Config
from .._flight import Done, Flight
from .._http import closed
from .._request import request_of
from .._retry import Addresses
from .exchange import exchange
from .sleep import sleep

T = TypeVar("T")


class Transport:
    """What the resources send calls with."""

    def __init__(self, config: Config, client: httpx.Client, clock: Clock) -> None:
        self._config = config
        self._client = client
        self._addresses = Addresses(config.addresses)
        self.clock = clock
        self.is_closed = False

    def send(
        self,
        call: Call[T],
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> T:
        """Does a call.

        Raises:
            CountersignError: If it fails.
            RuntimeError: If the client is closed.

        """
        return (self._settle(call, idempotency_key, timeout)).value

    def read(self, call: Call[T]) -> tuple[T, Mapping[str, str]]:
        """Does a call, and gives the headers of its answer as well."""
        done = self._settle(call, None, None)
        return done.value, done.headers

    def _settle(self, call: Call[T], idempotency_key: str | None, timeout: float | None) -> Done[T]:
        flight = Flight(call, self._config, self._addresses, self.clock, timeout)
        request = request_of(call, self._config.api_key, idempotency_key)
        while True:
            step = flight.next()
            if self.is_closed:
                raise closed()
            try:
                attempt = exchange(self._client, request, step.address, step.timeout, self.clock)
            except RuntimeError as error:
                # Closed by its owner, or a moment ago.
                if self._client.is_closed:
                    raise closed() from error
                raise
            after = flight.after(attempt)
            if isinstance(after, Done):
                return after
            if after:
                sleep(self.clock, after)

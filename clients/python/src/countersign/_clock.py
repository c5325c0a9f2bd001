"""Time and chance, so that tests can have their own."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Protocol


class Clock(Protocol):
    """What a client knows of time and chance."""

    def now(self) -> float:
        """Seconds that only go forward."""
        ...

    def wall(self) -> float:
        """The time of day, in seconds since 1970."""
        ...

    def random(self) -> float:
        """A number from 0 up to 1."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Waits, while others go on."""
        ...

    async def wait_async(self, task: asyncio.Task[Any], seconds: float) -> bool:
        """Waits for a task, but no longer than this; whether it is done."""
        ...


class Platform:
    """The platform's."""

    def now(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def wall(self) -> float:
        """The time of day, in seconds since 1970."""
        return time.time()

    def random(self) -> float:
        """A number from 0 up to 1."""
        return random.random()  # noqa: S311 - it spreads retries, nothing more

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Waits, while others go on."""
        await asyncio.sleep(seconds)

    async def wait_async(self, task: asyncio.Task[Any], seconds: float) -> bool:
        """Waits for a task, but no longer than this; whether it is done."""
        done, _ = await asyncio.wait({task}, timeout=seconds)
        return bool(done)

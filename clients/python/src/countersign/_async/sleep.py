"""Waits between attempts."""

from __future__ import annotations

from .._clock import Clock


async def sleep(clock: Clock, seconds: float) -> None:
    """Waits, while others go on."""
    await clock.sleep_async(seconds)

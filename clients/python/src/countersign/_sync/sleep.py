"""Waits between attempts."""

from __future__ import annotations

from .._clock import Clock


def sleep(clock: Clock, seconds: float) -> None:
    """Waits."""
    clock.sleep(seconds)

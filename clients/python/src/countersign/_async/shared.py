"""What is done once for all who wait for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable, Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Something that is done once for all who wait for it at the same time."""

    def __init__(self, do: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._do = do
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Its result. Who is cancelled stops waiting; the others go on."""
        task = self._task
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._task = asyncio.ensure_future(self._do())
            task.add_done_callback(_seen)
        return await asyncio.shield(task)


def _seen(task: asyncio.Task[Any]) -> None:
    """Nobody may be left to hear of a failure."""
    if not task.cancelled():
        task.exception()

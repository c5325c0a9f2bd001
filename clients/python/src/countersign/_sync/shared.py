"""What is done once for all threads that wait for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Callable, Generic, TypeVar

from ..errors import CountersignError

T = TypeVar("T")


class Shared(Generic[T]):
    """Something that is done once for all who wait for it at the same time."""

    def __init__(self, do: Callable[[], T]) -> None:
        self._do = do
        self._lock = threading.Lock()
        self._under_way: Future[T] | None = None

    def get(self) -> T:
        """Its result."""
        with self._lock:
            found = self._under_way
            future = self._under_way = found or Future[T]()
        if found is None:
            self._fulfil(future)
        return future.result()

    def _fulfil(self, future: Future[T]) -> None:
        try:
            future.set_result(self._do())
        except Exception as error:
            future.set_exception(error)
        except BaseException:
            # An interrupt is this thread's own.
            future.set_exception(CountersignError("another thread was interrupted"))
            raise
        finally:
            with self._lock:
                self._under_way = None

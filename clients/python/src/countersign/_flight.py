"""A call under way: what to do next, and what came of it. Nothing here sends or waits."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Any, Union

from ._answer import Answer, outcome_of, problem_from, stranger
from ._call import Call
from ._clock import Clock
from ._config import Config, seconds
from ._retry import Addresses, Failed, Journey, Send
from .errors import ConnectionError, TimeoutError

#: No answer of this service comes near.
LONGEST_BODY = 16 * 2**20


@dataclass(frozen=True)
class Overdue:
    """An attempt took too long."""

    error: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Unreachable:
    """An attempt found no node, or lost it."""

    error: Exception = field(repr=False)


@dataclass(frozen=True)
class Endless:
    """An answer's body does not end where this service's would."""

    status: int


Attempt = Union[Answer, Overdue, Unreachable, Endless]


class Flight:
    """One call: its attempts, its waits, and its end."""

    def __init__(
        self,
        call: Call[Any],
        config: Config,
        addresses: Addresses,
        clock: Clock,
        timeout: float | None,
    ) -> None:
        self._call = call
        self._clock = clock
        self._timeout = config.timeout if timeout is None else seconds(timeout)
        deadline = clock.now() + self._timeout
        self._journey = Journey(addresses, deadline, config.max_retries, clock.random)
        self.address = ""

    def next(self) -> Send:
        """The next attempt.

        Raises:
            TimeoutError: If time is up.

        """
        step = self._journey.next(self._clock.now())
        if step is None:
            raise self._late()
        self.address = step.address
        return step

    def after(self, attempt: Attempt) -> float | None:
        """For how many seconds to wait before the next attempt; None if this was the last.

        Raises:
            CountersignError: If the call has failed for good.

        """
        if isinstance(attempt, Endless):
            why = f"its body is longer than {LONGEST_BODY} bytes"
            raise stranger(self._call, attempt.status, why)
        now, wall = self._clock.now(), self._clock.wall()
        if isinstance(attempt, Answer):
            wait = self._journey.after(outcome_of(attempt, wall), now)
            if not attempt.is_failure:
                return None
            if wait is None:
                raise problem_from(self._call, attempt, wall)
            return wait
        wait = self._journey.after(Failed(), now)
        if wait is None and isinstance(attempt, Overdue):
            raise self._late() from attempt.error
        if wait is None:
            raise self._unreachable(attempt.error) from attempt.error
        return wait

    def _late(self) -> TimeoutError:
        said = f"{self._call.operation}: no answer within {self._timeout:g} s"
        return TimeoutError(said)

    def _unreachable(self, error: Exception | None) -> ConnectionError:
        said = f"{self._call.operation}: {self.address} cannot be reached ({_why(error)})"
        return ConnectionError(said)


def _why(error: BaseException | None) -> str:
    """The reason without what a platform may put in it: that is in `__cause__`."""
    found, depth = error, 0
    while found is not None and depth < 16:
        if isinstance(found, OSError) and found.errno is not None:
            return errno.errorcode.get(found.errno, type(found).__name__)
        found, depth = found.__cause__ or found.__context__, depth + 1
    return type(error).__name__

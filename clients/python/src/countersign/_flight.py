"""A call under way: what to do next, and what came of it. Nothing here sends or waits."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, Union

from ._answer import Answer, outcome_of, problem_from, stranger, value_of
from ._call import Call
from ._clock import Clock
from ._config import Config, seconds
from ._retry import Addresses, Answered, Failed, Journey, Send, Strange
from .errors import ConnectionError, CountersignError, TimeoutError

T = TypeVar("T")

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


@dataclass(frozen=True)
class Done(Generic[T]):
    """A call has succeeded."""

    value: T = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Names are in lower case."""


class Flight(Generic[T]):
    """One call: its attempts, its waits, and its end."""

    def __init__(
        self,
        call: Call[T],
        config: Config,
        addresses: Addresses,
        clock: Clock,
        timeout: float | None,
    ) -> None:
        self._call = call
        self._clock = clock
        self._timeout = config.timeout if timeout is None else seconds(timeout)
        self._deadline = clock.now() + self._timeout
        self._journey = Journey(addresses, self._deadline, config.max_retries, clock.random)
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

    def after(self, attempt: Attempt) -> float | Done[T]:
        """For how many seconds to wait before the next attempt, or what the call gives.

        Raises:
            CountersignError: If the call has failed for good.

        """
        if isinstance(attempt, Answer):
            return self._after_failure(attempt) if attempt.is_failure else self._after_good(attempt)
        if isinstance(attempt, Endless):
            why = f"its body is longer than {LONGEST_BODY} bytes"
            return self._after_stranger(stranger(self._call, attempt.status, why))
        now = self._clock.now()
        wait = self._journey.after(Failed(), now)
        if wait is not None:
            return wait
        if isinstance(attempt, Overdue) or now >= self._deadline:
            raise self._late() from attempt.error
        raise self._unreachable(attempt.error) from attempt.error

    def _after_good(self, answer: Answer) -> float | Done[T]:
        try:
            done = Done(value_of(self._call, answer), answer.headers)
        except ConnectionError as error:
            return self._after_stranger(error)
        self._journey.after(Answered(answer.status, None, None), self._clock.now())
        return done

    def _after_failure(self, answer: Answer) -> float:
        wall = self._clock.wall()
        return self._wait(outcome_of(answer, wall), problem_from(self._call, answer, wall))

    def _after_stranger(self, error: ConnectionError) -> float:
        return self._wait(Strange(), error)

    def _wait(self, outcome: Answered | Strange, error: CountersignError) -> float:
        wait = self._journey.after(outcome, self._clock.now())
        if wait is None:
            raise error
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

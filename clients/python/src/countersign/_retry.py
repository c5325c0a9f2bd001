"""Which address a call goes to, how often, for how long, and when it gives up.

Nothing here sends or waits: a transport does what this says, and tells what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence, Union

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 2.0

#: Answers that tell of a node, or a way to it, that is not there now.
_AWAY = frozenset({502, 503, 504})

#: Answers after which the same request may do better a moment later.
PASSING = _AWAY | {408, 429}

#: Codes among them that waiting a moment does not change.
_LASTING = frozenset({"too_many_attempts", "too_many_sends", "delivery_not_configured"})


@dataclass(frozen=True)
class Failed:
    """No answer came: the node could not be reached, or the connection ended before it."""


@dataclass(frozen=True)
class Answered:
    """An answer came."""

    status: int
    code: str | None
    """The problem's code, if it is a problem of this service."""
    retry_after: float | None
    """For how many seconds `Retry-After` asks to wait."""


@dataclass(frozen=True)
class Strange:
    """An answer came that this service would not give: something else is at this address."""


Outcome = Union[Failed, Answered, Strange]


@dataclass(frozen=True)
class Send:
    """What to do next: send the request."""

    address: str
    timeout: float
    """For how many seconds the attempt may take."""


class Addresses:
    """The addresses of a service. All calls of a client begin with the one that answered last."""

    def __init__(self, every: Sequence[str]) -> None:
        self.every = tuple(every)
        self.current = 0


class Journey:
    """One call on its way over addresses and attempts."""

    def __init__(
        self, addresses: Addresses, deadline: float, retries: int, random: Callable[[], float]
    ) -> None:
        """Begins at the address that answered last.

        Args:
            addresses: Where the service is.
            deadline: When the call has to end, in seconds of the clock that is asked with.
            retries: How many attempts may follow at addresses that were tried already.
            random: Gives numbers from 0 up to 1.

        """
        self._addresses = addresses
        self._deadline = deadline
        self._random = random
        self._tried: set[int] = set()
        self._index = addresses.current
        self._retries_left = retries
        self._retries = 0

    def next(self, now: float) -> Send | None:
        """Where the next attempt goes, and for how long it may take; None when time is up."""
        left = self._deadline - now
        if left <= 0:
            return None
        self._tried.add(self._index)
        # A silent node leaves as much time to the others as it took.
        is_last = self._retries_left == 0 and len(self._tried) == len(self._addresses.every)
        return Send(self._addresses.every[self._index], left if is_last else left / 2)

    def after(self, outcome: Outcome, now: float) -> float | None:
        """For how many seconds to wait before the next attempt; None when there is none."""
        asked: float | None = None
        # Too many requests are too many for every node.
        elsewhere = True
        if isinstance(outcome, Answered):
            elsewhere = outcome.status in _AWAY
            if not elsewhere:
                self._addresses.current = self._index
            if outcome.code in _LASTING or outcome.status not in PASSING:
                return None
            asked = outcome.retry_after
        following = (self._index + 1) % len(self._addresses.every)
        if elsewhere and following not in self._tried:
            self._index = following
            return 0.0 if self._deadline > now else None
        # Waiting makes no other service of what answered.
        if self._retries_left == 0 or isinstance(outcome, Strange):
            return None
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2**self._retries)
        wait = self._random() * longest if asked is None else asked
        if now + wait >= self._deadline:
            return None
        if elsewhere:
            self._index = following
        self._retries_left -= 1
        self._retries += 1
        return wait

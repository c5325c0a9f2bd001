"""What an HTTP answer says: the value that was asked for, or a problem."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from ._call import Call
from ._json import is_list, is_object
from ._model import Unreadable
from ._retry import PASSING, Answered, Strange
from .errors import ConnectionError, FieldError, ProblemError, problem_class

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def is_failure(self) -> bool:
        """Whether it says that the operation was not done."""
        return self.status >= 400


def _members(answer: Answer) -> dict[str, Any] | None:
    """The JSON object in an answer; None if there is none."""
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return value if is_object(value) else None


def _problem(answer: Answer) -> dict[str, Any]:
    """The problem's members; none if it is no problem of this service."""
    found = _members(answer) or {}
    return found if isinstance(found.get("code"), str) else {}


def outcome_of(answer: Answer, wall: float) -> Answered | Strange:
    """What a failed answer means for another attempt."""
    code = _problem(answer).get("code")
    if code is None and answer.status not in PASSING:
        return Strange()
    return Answered(answer.status, code, _retry_after(answer.headers, wall))


def _retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """`Retry-After` (RFC 9110 section 10.2.3), seconds or a date, in seconds from `wall`."""
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        return float(told)
    try:
        at = parsedate_to_datetime(told)
        # An HTTP date is in GMT, also where it does not say so.
        at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
        return max(0.0, at.timestamp() - wall)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def problem_from(call: Call[Any], answer: Answer, wall: float) -> ProblemError:
    """The error that a failed answer is."""
    found = _problem(answer)

    def text(name: str) -> str | None:
        value = found.get(name)
        return value if isinstance(value, str) else None

    def number(name: str) -> int | None:
        return whole_number(found.get(name))

    wait = _retry_after(answer.headers, wall)
    told = number("retryAfterSeconds")
    code = text("code") or f"http_{answer.status}"
    return problem_class(answer.status, code)(
        call.operation,
        status=answer.status,
        code=code,
        detail=text("detail") or "what answered was not this service",
        request_id=text("requestId") or answer.headers.get("x-request-id"),
        retry_after=math.ceil(wait) if told is None and wait is not None else told,
        attempts_remaining=number("attemptsRemaining"),
        clock_offset_seconds=number("clockOffsetSeconds"),
        reason=text("reason"),
        errors=_field_errors(found.get("errors")),
    )


def whole_number(value: Any) -> int | None:
    """A number, rounded up; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return math.ceil(value) if math.isfinite(value) else None


def _field_errors(value: Any) -> list[FieldError]:
    found: list[FieldError] = []
    for each in value if is_list(value) else []:
        if is_object(each):
            pointer, detail = each.get("pointer"), each.get("detail")
            if isinstance(pointer, str) and isinstance(detail, str):
                found.append(FieldError(pointer, detail))
    return found


def value_of(call: Call[T], answer: Answer) -> T:
    """What a successful answer holds.

    Raises:
        ConnectionError: If this service would not answer so.

    """
    if not 200 <= answer.status < 300:
        why = "it redirects; the key goes to configured addresses alone"
        raise stranger(call, answer.status, why)
    value: Any = None
    if call.answer == "text":
        value = answer.content.decode("utf-8", "replace")
    # Where nothing is told there is no body, or JSON that a newer service may tell.
    elif call.answer == "json" or answer.content.strip():
        value = _members(answer)
        if value is None:
            raise stranger(call, answer.status, "its body is no JSON object")
    try:
        return call.read(value)
    except Unreadable as error:
        raise stranger(call, answer.status, str(error)) from None


def stranger(call: Call[Any], status: int, why: str) -> ConnectionError:
    """The error of an answer that this service would not give."""
    said = f"{call.operation}: {status}: what answered was not this service: {why}"
    return ConnectionError(said)

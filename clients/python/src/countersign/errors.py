"""Everything that a call can fail with. No message holds a key, a code, a secret or a token."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Literal, Optional

__all__ = [
    "CountersignError",
    "ConnectionError",
    "TimeoutError",
    "FieldError",
    "ProblemError",
    "InvalidRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ConflictError",
    "ExpiredError",
    "InvalidCodeError",
    "RateLimitError",
    "ServerError",
    "UnavailableError",
    "TokenErrorReason",
    "TokenError",
    "WebhookErrorReason",
    "WebhookSignatureError",
]


class CountersignError(Exception):
    """What every error of this package is."""

    message: str
    """What went wrong, for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class ConnectionError(CountersignError, builtins.ConnectionError):
    """No node could be reached, or what answered was not this service.

    It is also Python's own `ConnectionError`.
    """


class TimeoutError(CountersignError, builtins.TimeoutError):
    """The deadline of a call passed. What was asked may still have taken effect.

    It is also Python's own `TimeoutError`.
    """


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one value of a request."""

    pointer: str
    """A JSON pointer into the body, or the name of a parameter, as the contract calls it."""
    detail: str
    """What is wrong, for people."""


class ProblemError(CountersignError):
    """The service refused, and said why (RFC 9457). Branch on `code`, or on the class."""

    status: int
    """The HTTP status."""
    code: str
    """What went wrong, as in the service's `/problems`; `http_502` and the like where a proxy
    answered in its place."""
    detail: str
    """What went wrong, for people."""
    request_id: Optional[str]
    """The request's id, to find it in the service's log."""
    retry_after: Optional[int]
    """For how many seconds to wait before another try, if that helps."""
    attempts_remaining: Optional[int]
    """How many wrong codes are left before all are refused, where a code was wrong."""
    clock_offset_seconds: Optional[int]
    """How far the clock of the person's device is ahead, behind if negative, on
    `authenticator_clock_off`."""
    reason: Optional[str]
    """What was wrong with an authenticator's answer, by a stable name, on `invalid_assertion`."""
    errors: Sequence[FieldError]
    """What is wrong with which field, where values were refused."""

    def __init__(
        self,
        operation: str,
        *,
        status: int,
        code: str,
        detail: str,
        request_id: str | None = None,
        retry_after: int | None = None,
        attempts_remaining: int | None = None,
        clock_offset_seconds: int | None = None,
        reason: str | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        fields = "; ".join(f"{each.pointer} {each.detail}" for each in errors)
        request = "" if request_id is None else f" (request {request_id})"
        said = f"{operation}: {status} {code}: {detail}{fields and f' {fields}'}{request}"
        super().__init__(said)
        self.operation = operation
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        self.attempts_remaining = attempts_remaining
        self.clock_offset_seconds = clock_offset_seconds
        self.reason = reason
        self.errors = tuple(errors)

    # An exception is copied by calling its class with its message; this one takes more.
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        return _revived, (type(self), self.args), self.__dict__.copy()


def _revived(kind: type[CountersignError], args: tuple[Any, ...]) -> CountersignError:
    return kind.__new__(kind, *args)


class InvalidRequestError(ProblemError):
    """400, 405, 413, 415, 422: the request cannot be taken as it is; `errors` tells the fields."""


class AuthenticationError(ProblemError):
    """401: no API key, or one that is unknown, expired or revoked."""


class PermissionDeniedError(ProblemError):
    """403: the key lacks a scope, or the policy forbids it."""


class NotFoundError(ProblemError):
    """404: there is no such user, factor, challenge or other thing."""


class ConflictError(ProblemError):
    """409: it does not fit what is there."""


class ExpiredError(ProblemError):
    """410: the challenge, the enrollment or the code has ended."""


class InvalidCodeError(ProblemError):
    """422 `invalid_code`, `code_already_used`, `invalid_assertion`: the proof was wrong.

    At an enrollment also `authenticator_clock_off` and `authenticator_settings_ignored`: the code
    shows what is wrong with the app.
    """


class RateLimitError(ProblemError):
    """429: too many wrong codes, messages or requests; `retry_after` tells for how long."""


class ServerError(ProblemError):
    """5xx: the service failed."""


class UnavailableError(ProblemError):
    """503: the service cannot decide now, or cannot send messages."""


TokenErrorReason = Literal[
    "malformed",
    "algorithm",
    "unknown_key",
    "signature",
    "expired",
    "not_yet_valid",
    "issuer",
    "audience",
    "tenant",
    "acr",
    "too_old",
    "keys_unavailable",
]
"""Why a token is not to be believed."""


class TokenError(CountersignError):
    """An access token is not to be believed."""

    reason: TokenErrorReason
    """Why not."""

    def __init__(self, reason: TokenErrorReason, message: str) -> None:
        super().__init__(f"the token is not to be believed: {message}")
        self.reason = reason

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        return _revived, (type(self), self.args), self.__dict__.copy()


WebhookErrorReason = Literal["missing_header", "malformed", "timestamp", "signature"]
"""Why a webhook is not to be believed."""


class WebhookSignatureError(CountersignError):
    """A webhook's signature does not prove that the service sent it, or sent it now."""

    reason: WebhookErrorReason
    """Why not."""

    def __init__(self, reason: WebhookErrorReason, message: str) -> None:
        super().__init__(f"the webhook is not to be believed: {message}")
        self.reason = reason

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        return _revived, (type(self), self.args), self.__dict__.copy()


_WRONG_PROOF = frozenset(
    {
        "invalid_code",
        "code_already_used",
        "invalid_assertion",
        "authenticator_clock_off",
        "authenticator_settings_ignored",
    }
)

_KINDS: dict[int, type[ProblemError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    429: RateLimitError,
    503: UnavailableError,
}


def problem_class(status: int, code: str) -> type[ProblemError]:
    """The class of error that fits a failure."""
    if status == 422 and code in _WRONG_PROOF:
        return InvalidCodeError
    return _KINDS.get(status, ServerError if status >= 500 else InvalidRequestError)

"""Errors can be copied and sent to another process, and are caught as Python's own."""

from __future__ import annotations

import builtins
import copy
import pickle
import traceback
from typing import Any, Callable

import httpx
import pytest
from support.stage import KEY, Face, Hands

import countersign
from countersign import FieldError, InvalidRequestError, RateLimitError
from countersign.errors import (
    ConnectionError,
    CountersignError,
    TimeoutError,
    TokenError,
    WebhookSignatureError,
)

PROBLEM = InvalidRequestError(
    "enrollSms",
    status=422,
    code="validation_failed",
    detail="It does not fit.",
    request_id="req_1",
    retry_after=3,
    attempts_remaining=2,
    errors=[FieldError("/phoneNumber", "is no number"), FieldError("/name", "is too long")],
)

ERRORS: list[CountersignError] = [
    PROBLEM,
    ConnectionError("getUser: it is away"),
    TimeoutError("getUser: no answer within 10 s"),
    TokenError("expired", "it has expired"),
    WebhookSignatureError("signature", "no signature is right"),
    CountersignError("something"),
]

COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(lambda e, n=n: pickle.loads(pickle.dumps(e, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_copy_of_an_error_tells_the_same(error: CountersignError) -> None:
    for make in COPIES:
        made = make(error)
        assert type(made) is type(error)
        assert str(made) == str(error)
        assert made.args == error.args
        assert vars(made) == vars(error)


def test_the_message_names_the_operation_the_code_the_fields_and_the_request() -> None:
    assert str(PROBLEM) == (
        "enrollSms: 422 validation_failed: It does not fit. "
        "/phoneNumber is no number; /name is too long (request req_1)"
    )
    assert PROBLEM.message == str(PROBLEM)


def test_pythons_own_connection_error_and_timeout_error_catch_ours() -> None:
    assert issubclass(ConnectionError, builtins.ConnectionError)
    assert issubclass(TimeoutError, builtins.TimeoutError)
    assert issubclass(ConnectionError, CountersignError)
    assert not issubclass(RateLimitError, builtins.ConnectionError)
    assert countersign.ConnectionError is ConnectionError
    assert str(ConnectionError("why")) == "why"


def test_no_key_is_seen_when_an_error_is_printed(face: Face) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    client = face.client(refuse, Hands(), base_url="http://node", max_retries=0)
    with pytest.raises(ConnectionError) as found:
        face.run(client.auth.mfa.use_recovery_code("ann", code="7K3M-9QTX-B2WD"))
    error = found.value
    told = traceback.TracebackException(
        type(error), error, error.__traceback__, capture_locals=True
    )
    ours = [
        "".join(traceback.StackSummary.from_list([frame]).format())
        for frame in told.stack
        if "/countersign/" in frame.filename
    ]
    # The code is an argument of the method that was called; the frames below are this client's.
    below = [text for text in ours if "/resources/" not in text]
    assert len(below) >= 2
    for text in below:
        assert KEY not in text, text
        assert "7K3M" not in text, text
    assert KEY not in repr(error.__cause__)
    assert KEY not in "".join(ours)


def test_a_client_does_not_show_its_key(face: Face) -> None:
    client = face.client(None, Hands(), base_url="http://node")
    assert repr(client) == f"{type(client).__name__}(http://node)"
    for value in vars(client).values():
        assert KEY not in repr(value)

"""What is sent: one request for all attempts of a call. Nothing here sends it."""

from __future__ import annotations

import json
import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ._call import Call, query_text
from ._config import idempotency
from ._json import is_well_formed
from ._version import __version__

USER_AGENT = f"countersign-python/{__version__} python/{platform.python_version()}"


@dataclass(frozen=True)
class Request:
    """A request, without the address that it goes to."""

    method: str
    target: str
    """Path and query, escaped."""
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


def request_of(call: Call[Any], api_key: str, idempotency_key: str | None) -> Request:
    """The request of a call.

    Raises:
        TypeError: If something in it cannot be JSON.
        ValueError: If a number or a text in it cannot be sent.

    """
    headers = {
        "accept": "*/*" if call.answer == "text" else "application/json",
        "user-agent": USER_AGENT,
    }
    if call.authenticated:
        headers["authorization"] = f"Bearer {api_key}"
    if call.method != "GET":
        given = None if idempotency_key is None else idempotency(idempotency_key)
        headers["idempotency-key"] = given or str(uuid.uuid4())
    content = None
    if call.body is not None:
        headers["content-type"] = "application/json"
        text = json.dumps(call.body, ensure_ascii=False, allow_nan=False)
        if not is_well_formed(text):
            said = "a text in the body is none for UTF-8: it has half a pair of surrogates"
            raise ValueError(said)
        content = text.encode()
    query = query_text(call.query)
    return Request(
        call.method, call.path + (f"?{urlencode(query)}" if query else ""), headers, content
    )

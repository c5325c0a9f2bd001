"""What a client is made of, judged before anything is sent."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10.0
RETRIES = 2

#: The longest that a call waits; a platform's timers do not all take more.
LONGEST_SECONDS = 1_000_000.0


@dataclass(frozen=True)
class Config:
    """Where the service is, and how it is called."""

    addresses: tuple[str, ...]
    api_key: str = field(repr=False)
    timeout: float
    max_retries: int


def configured(
    base_url: str | Sequence[str] | None, api_key: str | None, timeout: float, max_retries: int
) -> Config:
    """What was given, else what the environment says.

    Raises:
        TypeError: If something is of the wrong type.
        ValueError: If something is missing or cannot be used.

    """
    return Config(
        addresses=_addresses(base_url if base_url is not None else _variable("COUNTERSIGN_URL")),
        api_key=_key(api_key if api_key is not None else _variable("COUNTERSIGN_API_KEY")),
        timeout=seconds(timeout),
        max_retries=_whole("max_retries", max_retries),
    )


def _variable(name: str) -> str:
    return os.environ.get(name, "")


def _addresses(given: str | Sequence[str]) -> tuple[str, ...]:
    texts = given.split(",") if isinstance(given, str) else list(given)
    if not all(isinstance(text, str) for text in cast("list[Any]", texts)):
        raise TypeError("base_url is a text, or a list of texts")
    addresses = [text.strip() for text in texts if text.strip()]
    if not addresses:
        raise ValueError("where is the service? Give base_url, or set COUNTERSIGN_URL")
    return tuple(_address(text) for text in addresses)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is none
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
        fits = fits and not re.search(r"[\s\\?#]|[^\x21-\x7e]", text)
    except ValueError:
        parts, fits = None, False
    if parts is not None and parts.username is not None:
        # Not even its shape is repeated: there may be a password in it.
        raise ValueError("base_url: a name or a password in an address is not sent; give api_key")
    if parts is None or not fits:
        raise ValueError(f"base_url: {json.dumps(text)} is no http or https address")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _key(given: str) -> str:
    if not isinstance(cast("Any", given), str):
        raise TypeError("api_key is a text")
    key = given.strip()
    if not key:
        raise ValueError("which API key? Give api_key, or set COUNTERSIGN_API_KEY")
    if not re.fullmatch(r"csk_[\x21-\x7e]+", key):
        raise ValueError("api_key: an API key begins with csk_ and has no spaces")
    return key


def seconds(value: float) -> float:
    """For how long a call may take."""
    if isinstance(cast("Any", value), bool) or not isinstance(cast("Any", value), (int, float)):
        raise TypeError("timeout is a number of seconds")
    if not value > 0 or math.isnan(value):
        raise ValueError("timeout must be more than 0")
    return min(float(value), LONGEST_SECONDS)


def _whole(name: str, value: int) -> int:
    if isinstance(cast("Any", value), bool) or not isinstance(cast("Any", value), int):
        raise TypeError(f"{name} is a whole number")
    if value < 0:
        raise ValueError(f"{name} must be a whole number from 0")
    return value


def idempotency(key: str) -> str:
    """A caller's own idempotency key."""
    if not isinstance(cast("Any", key), str):
        raise TypeError("idempotency_key is a text")
    if not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?", key):
        raise ValueError("idempotency_key is 1 to 255 printable ASCII characters")
    return key

"""What people have at hand: an authenticator app, and an inbox."""

from __future__ import annotations

import base64
import hmac
import time
from typing import Any

import httpx

STEP = 30
PATIENCE = 20.0


def totp(secret: str, ahead: int = 0) -> str:
    """The code of a secret (RFC 6238) now, or `ahead` time steps later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int(time.time()) // STEP + ahead
    mac = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def wrong_code(secret: str) -> str:
    """Six digits that are no code of a secret, now or near."""
    right = {totp(secret, ahead) for ahead in range(-5, 6)}
    return next(code for code in (f"{n:06d}" for n in range(20)) if code not in right)


class Inbox:
    """What `countersign dev` would have sent."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._taken: set[str] = set()

    def code(self, to: str) -> str:
        """The newest code sent to a number or an address that was not taken, once it is there."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = httpx.get(f"{self._url}/dev/messages", params={"to": to})
            found: list[dict[str, Any]] = answer.json()["data"]
            if found and found[0]["id"] not in self._taken:
                self._taken.update(each["id"] for each in found)
                return str(found[0]["code"])
            time.sleep(0.025)
        raise AssertionError(f"no message came to {to}")

"""Whether a webhook came from the service: Standard Webhooks, symmetric signatures (`v1`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional, Protocol, Union, cast

from ._json import is_well_formed
from ._model import Unreadable
from ._webhook_event import WebhookEvent
from .errors import WebhookSignatureError

_TOLERANCE_SECONDS = 5 * 60


class HeadersLike(Protocol):
    """Headers that are asked by name, as frameworks give them."""

    def get(self, key: str, /) -> Optional[str]:
        """A header's value, or None."""
        ...


Headers = Union[Mapping[str, str], HeadersLike]
"""Headers as frameworks give them: Django's, Flask's, Starlette's, or a dictionary."""


def verify_webhook(
    body: bytes | str, headers: Headers, secrets: Sequence[str], now: float
) -> WebhookEvent:
    """The event of a delivery.

    Raises:
        WebhookSignatureError: If it is not to be believed.

    """
    if not isinstance(cast("Any", body), (bytes, bytearray, memoryview, str)):
        raise TypeError("a webhook is verified over its raw body, before it is parsed")
    keys = [_secret(each) for each in secrets]
    if not keys:
        raise ValueError("a webhook's secret is needed")
    webhook_id = _header(headers, "webhook-id")
    timestamp = _header(headers, "webhook-timestamp")
    signatures = _header(headers, "webhook-signature")

    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise WebhookSignatureError("malformed", "webhook-timestamp is no time")
    if abs(now - int(timestamp)) > _TOLERANCE_SECONDS:
        said = "it was signed too long ago, or in the future"
        raise WebhookSignatureError("timestamp", said)
    if not is_well_formed(webhook_id) or (isinstance(body, str) and not is_well_formed(body)):
        raise WebhookSignatureError("malformed", "it is no text for UTF-8")
    content = body.encode() if isinstance(body, str) else bytes(body)
    signed = f"{webhook_id}.{timestamp}.".encode() + content

    given = [_base64(each[3:]) for each in signatures.split(" ") if each.startswith("v1,")]
    if not _is_signed(keys, signed, (each for each in given if each is not None)):
        raise WebhookSignatureError("signature", "no signature is right")
    try:
        return WebhookEvent.from_json(json.loads(content.decode("utf-8")))
    except Unreadable as error:
        raise WebhookSignatureError("malformed", f"its body is no event: {error}") from None
    except (ValueError, RecursionError):
        raise WebhookSignatureError("malformed", "its body is no JSON") from None


def _is_signed(keys: Sequence[bytes], signed: bytes, given: Iterable[bytes]) -> bool:
    """Whether any of the keys made any of the signatures, compared in constant time."""
    right = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return any(hmac.compare_digest(each, mac) for each in given for mac in right)


def _header(headers: Headers, name: str) -> str:
    found: Any = headers.get(name)
    if found is None and isinstance(headers, Mapping):
        pairs = cast("Mapping[str, Any]", headers).items()
        found = next((value for given, value in pairs if given.lower() == name), None)
    if isinstance(found, (list, tuple)) and found:
        found = cast("Sequence[Any]", found)[0]
    if isinstance(found, bytes):
        found = found.decode("latin-1")
    if isinstance(found, str) and found:
        return found
    raise WebhookSignatureError("missing_header", f"there is no {name}")


def _secret(secret: str) -> bytes:
    found = _base64(secret[6:]) if secret.startswith("whsec_") else None
    if not found:
        raise ValueError("a webhook's secret is whsec_ and base64")
    return found


def _base64(text: str) -> bytes | None:
    """The bytes of base64 (RFC 4648 section 4), its padding left out or not; None if it is none."""
    try:
        bare = text.rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None

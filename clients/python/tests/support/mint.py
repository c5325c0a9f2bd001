"""Makes access tokens, also wrong ones."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def text(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Mint:
    """A key that signs tokens."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def jwks(self) -> dict[str, Any]:
        """What is published."""
        point = self._key.public_key().public_numbers()
        x, y = (text(each.to_bytes(32, "big")) for each in (point.x, point.y))
        return {"keys": [{"kty": "EC", "crv": "P-256", "kid": "m1", "x": x, "y": y}]}

    def sign(self, claims: dict[str, Any]) -> tuple[str, int, int]:
        """What is signed, and the signature's two numbers."""
        header = {"alg": "ES256", "kid": "m1"}
        signed = ".".join(text(json.dumps(each).encode()) for each in (header, claims))
        der = self._key.sign(signed.encode(), ec.ECDSA(SHA256()))
        return signed, *decode_dss_signature(der)

    def token(self, claims: dict[str, Any]) -> str:
        """A token."""
        signed, r, s = self.sign(claims)
        return f"{signed}.{text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

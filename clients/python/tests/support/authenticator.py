"""A security key in software, with the browser before it: it does the two ceremonies of a page.

It gives what a page sends to its server: a credential's JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any, Union

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from countersign.params import (
    AuthenticationResponse,
    CreationOptions,
    RegistrationResponse,
    RequestOptions,
)

ES256 = -7
#: Flags of the authenticator's data (W3C WebAuthn Level 3, section 6.1).
USER_PRESENT, USER_VERIFIED, ATTESTED = 1, 4, 64

Cbor = Union[int, str, bytes, dict[Any, Any]]


class Authenticator:
    """A device that keeps passkeys and verifies the person, used on one page."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._keys: dict[str, tuple[ec.EllipticCurvePrivateKey, str]] = {}

    def create(self, options: CreationOptions) -> RegistrationResponse:
        """As `navigator.credentials.create()`, and `toJSON()` of what it gives."""
        assert any(each["alg"] == ES256 for each in options["pubKeyCredParams"])
        taken = [each["id"] for each in options["excludeCredentials"] if each["id"] in self._keys]
        assert not taken, "it is registered already"
        key = ec.generate_private_key(ec.SECP256R1())
        raw_id = os.urandom(32)
        self._keys[text(raw_id)] = key, options["user"]["id"]
        point = key.public_key().public_numbers()
        # COSE (RFC 9053 section 7.1.1): an EC2 key for ES256 on P-256.
        public = {
            1: 2,
            3: ES256,
            -1: 1,
            -2: point.x.to_bytes(32, "big"),
            -3: point.y.to_bytes(32, "big"),
        }
        head = self._head(options["rp"]["id"], USER_PRESENT | USER_VERIFIED | ATTESTED)
        data = head + bytes([8] * 16) + len(raw_id).to_bytes(2, "big") + raw_id + cbor(public)
        return {
            "id": text(raw_id),
            "rawId": text(raw_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(self._client_data("webauthn.create", options["challenge"])),
                "attestationObject": text(cbor({"fmt": "none", "attStmt": {}, "authData": data})),
                "transports": ["internal"],
            },
        }

    def get(self, options: RequestOptions) -> AuthenticationResponse:
        """As `navigator.credentials.get()`, and `toJSON()` of what it gives."""
        known = [each["id"] for each in options["allowCredentials"] if each["id"] in self._keys]
        assert known, "it has none of these credentials"
        key, user = self._keys[known[0]]
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._head(options["rpId"], USER_PRESENT | USER_VERIFIED)
        signed = data + hashlib.sha256(client_data).digest()
        return {
            "id": known[0],
            "rawId": known[0],
            "type": "public-key",
            "response": {
                "clientDataJSON": text(client_data),
                "authenticatorData": text(data),
                "signature": text(key.sign(signed, ec.ECDSA(SHA256()))),
                "userHandle": user,
            },
        }

    def rename(self, old: str, new: str) -> None:
        """Answers for another's credential, as a thief would."""
        self._keys[new] = self._keys[old]

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self._origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _head(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags, 0, 0, 0, 0])


def text(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def cbor(value: Cbor) -> bytes:
    """What authenticators speak (RFC 8949), as much of it as it takes here."""
    if isinstance(value, int):
        return _item(0, value) if value >= 0 else _item(1, -1 - value)
    if isinstance(value, bytes):
        return _item(2, len(value)) + value
    if isinstance(value, str):
        return _item(3, len(value.encode())) + value.encode()
    members = b"".join(cbor(name) + cbor(member) for name, member in value.items())
    return _item(5, len(value)) + members


def _item(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    if number < 256:
        return bytes([major << 5 | 24, number])
    return bytes([major << 5 | 25]) + number.to_bytes(2, "big")

"""Judges access tokens without asking the service: ES256 JWTs (RFC 7519, RFC 7515, RFC 7518
section 3.4) against its published keys. Nothing here fetches.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Optional, TypeVar, Union, cast

from ._json import is_list, is_object
from ._model import Member, Model, plain
from .errors import TokenError
from .types import TokenFacts

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

T = TypeVar("T")

_LEEWAY = 30
_KEYS_LIVE = 5 * 60.0
_FACTS_LIVE = 60 * 60.0
#: For how long known keys serve while no new ones can be had.
_SERVE = 24 * 60 * 60.0
#: Whoever sends tokens with invented key ids makes nobody ask more often than this.
_REFETCH = 30.0
#: Whoever takes an older proof takes every proof.
_OLDEST = 1e15
#: No token of this service comes near.
_LONGEST_TOKEN = 8_192
#: No set of keys is kept longer than this, whatever is said of it.
_LONGEST_LIFE = 10 * 365 * 24 * 60 * 60.0


@dataclass(frozen=True, eq=False, repr=False)
class TokenClaims(Model):
    """What an access token says. `to_json` gives all of it."""

    __slots__ = ("acr", "amr", "aud", "auth_time", "exp", "iat", "iss", "jti", "sub", "tenant")

    iss: str
    """The service that made it."""
    aud: str
    """For whom it was made."""
    sub: str
    """The user."""
    iat: int
    """When it was made, in seconds since 1970."""
    exp: int
    """When it ends, in seconds since 1970."""
    jti: str
    """Its own id."""
    auth_time: int
    """When the user proved who they are, in seconds since 1970."""
    acr: str
    """`aal2` if a second factor was proven, else `aal1`."""
    amr: list[str]
    """How (RFC 8176): `pwd`, `otp`, `sms`, `hwk`, `swk`, `user`, `mfa`; our own: `email`,
    `recovery`."""
    tenant: str
    """The tenant whose user it is."""
    _members: ClassVar[tuple[Member, ...]] = tuple(
        Member(name, name, plain)
        for name in ("iss", "aud", "sub", "iat", "exp", "jti", "auth_time", "acr", "amr", "tenant")
    )


@dataclass(frozen=True)
class Wish:
    """What a token has to say besides being genuine."""

    issuer: Optional[str] = None
    audience: Optional[str] = None
    tenant: Optional[str] = None
    acr: Optional[str] = None
    max_age: Union[int, float, None] = None

    def __post_init__(self) -> None:
        """Judges it before anything is fetched: what cannot be compared would demand nothing."""
        for name in ("issuer", "audience", "tenant", "acr"):
            given: Any = getattr(self, name)
            if given is not None and not isinstance(given, str):
                raise TypeError(f"{name} is a text")
            if given == "":
                raise ValueError(f"{name} must not be empty")
        age = cast("Any", self.max_age)
        if age is None:
            return
        if isinstance(age, bool) or not isinstance(age, (int, float)):
            raise TypeError("max_age is a number of seconds")
        if not 0 <= age < math.inf:
            raise ValueError("max_age must be a finite number of seconds from 0")

    @property
    def needs_facts(self) -> bool:
        """Whether the service has to tell what the caller does not."""
        return self.issuer is None or self.audience is None or self.tenant is None


@dataclass(frozen=True)
class Key:
    """A published key, as its coordinates."""

    x: int
    y: int

    def verifier(self) -> EllipticCurvePublicKey:
        """What verifies with it."""
        ec = _elliptic_curves()
        numbers = ec.EllipticCurvePublicNumbers(self.x, self.y, ec.SECP256R1())
        return cast("EllipticCurvePublicKey", numbers.public_key())


Keys = Mapping[str, Key]


def _elliptic_curves() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        said = "verifying tokens needs cryptography: pip install cryptography"
        raise ImportError(said, name="cryptography") from error
    return ec


class Parsed:
    """A token, taken apart. It is not to be believed before `check` and the judgements."""

    def __init__(self, token: str) -> None:
        """Takes it apart.

        Raises:
            TokenError: If it is no token that could be verified.

        """
        _elliptic_curves()
        malformed = TokenError("malformed", "it is no signed JWT")
        if not isinstance(cast("Any", token), str) or len(token) > _LONGEST_TOKEN:
            raise malformed
        parts = token.split(".")
        if len(parts) != 3 or not parts[0] or not parts[1]:
            raise malformed
        try:
            header = _json_object(parts[0])
            self.claims = _json_object(parts[1])
            self._signature = _base64url(parts[2])
        except (ValueError, RecursionError):
            raise malformed from None
        self._signed = f"{parts[0]}.{parts[1]}".encode("ascii")
        if header.get("alg") != "ES256":
            raise TokenError("algorithm", "it is not signed with ES256")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise TokenError("malformed", "it names no key")
        # Extensions that must be understood and are not (RFC 7515 section 4.1.11).
        if "crit" in header:
            raise TokenError("malformed", "it has critical extensions")
        self.kid = kid

    def check(self, key: Key | None) -> None:
        """Fails unless this key signed it.

        Raises:
            TokenError: If there is no key, or another signed it.

        """
        if key is None:
            raise TokenError("unknown_key", "no published key signed it")
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        wrong = TokenError("signature", "its signature is wrong")
        # R and S, each as long as the curve's order (RFC 7518 section 3.4).
        if len(self._signature) != 64:
            raise wrong
        r, s = (
            int.from_bytes(each, "big") for each in (self._signature[:32], self._signature[32:])
        )
        try:
            algorithm = _elliptic_curves().ECDSA(SHA256())
            key.verifier().verify(encode_dss_signature(r, s), self._signed, algorithm)
        except (InvalidSignature, ValueError):
            raise wrong from None

    def judge_times(self, wall: float) -> None:
        """Fails unless it is good now.

        Raises:
            TokenError: If it is not.

        """
        if wall >= self._seconds("exp") + _LEEWAY:
            raise TokenError("expired", "it has expired")
        begins = max(self._seconds("iat"), self._seconds("nbf") if "nbf" in self.claims else 0)
        if begins > wall + _LEEWAY:
            raise TokenError("not_yet_valid", "it was made in the future")

    def judge(self, wish: Wish, facts: TokenFacts | None, wall: float) -> TokenClaims:
        """What it says.

        Raises:
            TokenError: If that is not what is demanded.

        """
        claims = self.claims

        def demanded(given: str | None, told: str) -> Any:
            return getattr(facts, told, None) if given is None else given

        # None is what a token says that says nothing: it is never right.
        for name, given, told, said in (
            ("iss", wish.issuer, "issuer", ("issuer", "another service made it")),
            ("aud", wish.audience, "audience", ("audience", "it was made for another audience")),
            ("tenant", wish.tenant, "tenant_id", ("tenant", "it is another tenant's")),
        ):
            value = demanded(given, told)
            if value is None or claims.get(name) != value:
                raise TokenError(cast("Any", said[0]), said[1])
        if wish.acr is not None and claims.get("acr") != wish.acr:
            raise TokenError("acr", f"it does not say {wish.acr}")
        if wish.max_age is not None:
            # Compared, not added to: an integer may be too large for a float.
            earliest = wall - min(wish.max_age, _OLDEST) - _LEEWAY
            if self._seconds("auth_time") < earliest:
                raise TokenError("too_old", "the user proved who they are too long ago")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise TokenError("malformed", "it has no sub")
        return TokenClaims.from_json(claims)

    def _seconds(self, name: str) -> float:
        value = self.claims.get(name)
        # An integer may be too large for a float; compared with one, it does no harm.
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        raise TokenError("malformed", f"it has no {name}")


class Kept(Generic[T]):
    """What was fetched, and how long it is good."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._at = -math.inf
        self._until = -math.inf
        self._asked = -math.inf

    def fresh(self, now: float) -> T | None:
        """What is as good as new."""
        return self._value if now < self._until else None

    def enough(self, now: float) -> T | None:
        """What has to do, for it was asked for a moment ago."""
        return self.stale(now) if now < self._asked + _REFETCH else None

    def stale(self, now: float) -> T | None:
        """What has to do while no better can be had."""
        return self._value if now < self._at + _SERVE else None

    def asked(self, now: float) -> None:
        """Remembers that it was asked for, whatever came of it."""
        self._asked = now

    def keep(self, value: T, life: float, now: float) -> T:
        """Keeps what came."""
        self._value, self._at, self._until = value, now, now + life
        return value


class Knowledge:
    """What is known of a service's keys and tokens."""

    def __init__(self) -> None:
        self.keys: Kept[Keys] = Kept()
        self.facts: Kept[TokenFacts] = Kept()

    def keep_keys(self, value: Any, headers: Mapping[str, str], now: float) -> Keys:
        """Keeps keys as long as `Cache-Control` says (RFC 9111 section 5.2.2.1)."""
        found = re.search(r"(?:^|[\s,])max-age=([0-9]+)", headers.get("cache-control", ""))
        life = _KEYS_LIVE if found is None else min(float(found[1][:12]), _LONGEST_LIFE)
        return self.keys.keep(_usable(value), life, now)

    def keep_facts(self, value: TokenFacts, now: float) -> TokenFacts:
        """Keeps what tokens say, if all of it is told: what is missing no token can be held to."""
        for name in ("issuer", "audience", "tenant_id"):
            told: Any = getattr(value, name, None)
            if not isinstance(told, str) or not told:
                raise no_facts()
        return self.facts.keep(value, _FACTS_LIVE, now)


def no_keys() -> TokenError:
    """The error when there are no keys to verify with."""
    return TokenError("keys_unavailable", "the service's keys cannot be had")


def no_facts() -> TokenError:
    """The error when nobody says what tokens must say."""
    return TokenError("keys_unavailable", "what tokens must say cannot be had")


def _usable(value: Any) -> Keys:
    """The keys that can be used here, by id; others are as if they were not there."""
    keys: dict[str, Key] = {}
    if not is_list(value):
        raise no_keys()
    for jwk in value:
        if not is_object(jwk):
            continue
        kid, x, y = jwk.get("kid"), jwk.get("x"), jwk.get("y")
        if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or not isinstance(kid, str):
            continue
        if isinstance(x, str) and isinstance(y, str):
            try:
                keys[kid] = Key(_coordinate(x), _coordinate(y))
            except ValueError:
                continue
    return {kid: key for kid, key in keys.items() if _is_on_curve(key)}


def _coordinate(text: str) -> int:
    """A coordinate, of as many bytes as the curve has (RFC 7518 section 6.2.1.2)."""
    found = _base64url(text)
    if len(found) != 32:
        raise ValueError("not of the curve's length")
    return int.from_bytes(found, "big")


#: P-256: y² = x³ - 3x + b over the integers modulo p (NIST SP 800-186 section 3.2.1.3).
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def _is_on_curve(key: Key) -> bool:
    x, y = key.x, key.y
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def _base64url(text: str) -> bytes:
    """The bytes of base64url without padding (RFC 4648 section 5), written in the one right way."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != text.encode("ascii"):
        raise ValueError("not base64url")
    return found


def _json_object(part: str) -> dict[str, Any]:
    value = json.loads(_base64url(part).decode("utf-8"))
    if not is_object(value):
        raise ValueError("no object")
    return value

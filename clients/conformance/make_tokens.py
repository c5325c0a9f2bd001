#!/usr/bin/env python3
"""Makes tokens.json and webhooks.json: signatures that no hand can write.

Needs `cryptography`. Keys come from fixed seeds and signatures are deterministic (RFC 6979), so a
second run writes the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = Path(__file__).parent
NOW = 1_764_000_000
URL = "https://mfa.acme.example"
FACTS = {"issuer": URL, "audience": "acme-app", "tenantId": "acme", "ttlSeconds": 900}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: object) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())


class Key:
    """An ES256 key."""

    def __init__(self, kid: str, seed: int, curve: ec.EllipticCurve | None = None):
        self.kid = kid
        self.private = ec.derive_private_key(seed, curve or ec.SECP256R1())

    def jwk(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        size = (self.private.key_size + 7) // 8
        x, y = (b64(each.to_bytes(size, "big")) for each in (numbers.x, numbers.y))
        crv = "P-256" if size == 32 else "P-384"
        return {"kty": "EC", "crv": crv, "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": self.kid}

    def sign(self, signed: bytes) -> bytes:
        der = self.private.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        size = (self.private.key_size + 7) // 8
        return b"".join(each.to_bytes(size, "big") for each in utils.decode_dss_signature(der))

    def pem(self) -> bytes:
        public = self.private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, form)


ONE, TWO, OTHER = Key("k1", 0x1111), Key("k2", 0x2222), Key("k1", 0x3333)
WIDE = Key("k384", 0x4444, ec.SECP384R1())


def claims(**changed: object) -> dict[str, object]:
    """What a right token says; a claim that is None is left out."""
    all_of_them = {
        "iss": URL,
        "aud": "acme-app",
        "sub": "ann",
        "iat": NOW - 60,
        "exp": NOW + 840,
        "jti": "tok_1",
        "auth_time": NOW - 60,
        "acr": "aal2",
        "amr": ["pwd", "otp", "mfa"],
        "tenant": "acme",
        **changed,
    }
    return {name: value for name, value in all_of_them.items() if value is not None}


def token(key: Key = ONE, says: dict[str, object] | None = None, **header: object) -> str:
    head = {"alg": "ES256", "typ": "JWT", "kid": key.kid, **header}
    head = {name: value for name, value in head.items() if value is not None}
    signed = f"{part(head)}.{part(claims() if says is None else says)}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


def jwks(*keys: Key) -> dict[str, object]:
    return {"keys": [key.jwk() for key in keys]}


CASES: list[dict[str, object]] = []


def case(name: str, made: object, **more: object) -> None:
    """A case with one set of keys, at NOW, unless it says otherwise."""
    base = {"name": name, "facts": FACTS, "jwks": [jwks(ONE)], "now": NOW, "token": made}
    CASES.append({**base, **more})


RIGHT = {"sub": "ann", "acr": "aal2", "tenant": "acme", "amr": ["pwd", "otp", "mfa"]}
HOUR = 3600


def believed() -> None:
    case("a right token", token(), claims=RIGHT, fetches=1)
    case("a right token of the type at+jwt (RFC 9068)", token(typ="at+jwt"), claims=RIGHT)
    case("a right token of no type", token(typ=None), claims=RIGHT)
    wide = {"keys": [WIDE.jwk(), {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "k9"}, ONE.jwk()]}
    case("other keys in the set do no harm", token(), jwks=[wide], claims=RIGHT)
    broken = {"keys": [{**TWO.jwk(), "y": b64(bytes(32))}, {"kid": "k3"}, ONE.jwk()]}
    case("broken keys in the set do no harm", token(), jwks=[broken], claims=RIGHT)
    named = {"issuer": "https://other.example", "audience": "other", "tenant": "globex"}
    says = claims(iss="https://other.example", aud="other", tenant="globex")
    case("what is demanded may be named", token(says=says), options=named, facts=None, claims={"tenant": "globex"})
    case("a second factor is demanded and was proven", token(), options={"acr": "aal2"}, claims=RIGHT)
    case("recent enough", token(), options={"maxAge": 60}, claims=RIGHT)
    case("expired within what clocks may differ", token(), now=NOW + 840 + 29, claims=RIGHT)
    case("made in the future within what clocks may differ", token(), now=NOW - 60 - 30, claims=RIGHT)


def refused() -> None:
    case("expired", token(), now=NOW + 840 + 30, reason="expired")
    case("made in the future", token(), now=NOW - 60 - 31, reason="not_yet_valid")
    case("not before later", token(says=claims(nbf=NOW + 31)), reason="not_yet_valid")
    case("another service's", token(says=claims(iss="https://evil.example")), reason="issuer")
    case("another audience's", token(says=claims(aud="other-app")), reason="audience")
    case("another tenant's, signed by the same key", token(says=claims(tenant="globex")), reason="tenant")
    case("no tenant", token(says=claims(tenant=None)), reason="tenant")
    case("an audience that is a list", token(says=claims(aud=["acme-app"])), reason="audience")
    case("no second factor", token(says=claims(acr="aal1", amr=["pwd"])), options={"acr": "aal2"}, reason="acr")
    case("too long ago", token(), options={"maxAge": 29}, reason="too_old")
    case("no expiry", token(says=claims(exp=None)), reason="malformed")
    case("an expiry that is a text", token(says=claims(exp=str(NOW + 840))), reason="malformed")
    case("no user", token(says=claims(sub=None)), reason="malformed")
    case("a named audience that does not fit", token(), options={"audience": "other"}, reason="audience")

    whole = token()
    head, payload, signature = whole.split(".")
    forged = part(claims(sub="eve"))
    case("another's claims", f"{head}.{forged}.{signature}", reason="signature")
    case("another key of the same name", token(OTHER), reason="signature")
    case("no signature", f"{head}.{payload}.", reason="signature")
    der = ONE.private.sign(f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    case("a signature in DER", f"{head}.{payload}.{b64(der)}", reason="signature")
    case("a signature of zeros", f"{head}.{payload}.{b64(bytes(64))}", reason="signature")

    none = f"{part({'alg': 'none', 'kid': 'k1'})}.{payload}."
    case("alg none", none, reason="algorithm", fetches=0)
    head = part({"alg": "HS256", "kid": "k1"})
    mac = hmac.new(ONE.pem(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
    case("HS256 with the public key as secret", f"{head}.{payload}.{b64(mac)}", reason="algorithm", fetches=0)
    head = part({"alg": "RS256", "kid": "k1"})
    case("RS256", f"{head}.{payload}.{b64(bytes(256))}", reason="algorithm", fetches=0)
    case("ES384", token(WIDE, alg="ES384"), jwks=[jwks(WIDE)], reason="algorithm", fetches=0)
    case("a key of another curve", token(WIDE), jwks=[jwks(WIDE)], reason="unknown_key")
    # A point that is not on the curve, and one that is cut short.
    for name, y in [("a key that lies off its curve", b64(bytes(32))), ("a key cut short", "AAAA")]:
        broken = {"keys": [{**ONE.jwk(), "y": y}]}
        case(name, token(), jwks=[broken], reason="unknown_key")
    case("critical extensions", token(crit=["exp"]), reason="malformed", fetches=0)
    case("a key that it brings itself", token(OTHER, jwk=OTHER.jwk()), reason="signature")
    case("no key named", token(kid=None), reason="malformed", fetches=0)
    for name, garbage in [
        ("nothing", ""),
        ("words", "not a token"),
        ("two parts", "e30.e30"),
        ("four parts", f"{whole}.e30"),
        ("no JSON", "AAAA.AAAA.AAAA"),
        ("padding", f"{whole}=="),
        ("a space before", f" {whole}"),
        ("a header that is a list", f"{part([])}.{payload}.{signature}"),
        ("far too long", "e" * 20_000),
    ]:
        case(f"garbage: {name}", garbage, reason="malformed", fetches=0)


def rotation() -> None:
    right, second, unknown = token(), token(TWO), token(Key("k7", 0x7777))

    def step(made: str, now: int, **more: object) -> dict[str, object]:
        return {"token": made, "now": now, **more}

    case(
        "keys are kept as long as they may be",
        right,
        headers={"cache-control": "public, max-age=300"},
        claims=RIGHT,
        steps=[step(right, NOW + 299, claims=RIGHT, fetches=1), step(right, NOW + 300, claims=RIGHT, fetches=2)],
        jwks=[jwks(ONE), jwks(ONE)],
    )
    case(
        "a key that is new is fetched when it is first seen",
        right,
        jwks=[jwks(ONE), jwks(ONE, TWO)],
        claims=RIGHT,
        steps=[step(second, NOW + 31, claims=RIGHT, fetches=2), step(right, NOW + 32, claims=RIGHT, fetches=2)],
    )
    case(
        "invented key ids make nobody ask more often than every 30 seconds",
        right,
        jwks=[jwks(ONE), jwks(ONE)],
        claims=RIGHT,
        steps=[
            step(unknown, NOW + 1, reason="unknown_key", fetches=1),
            step(unknown, NOW + 29, reason="unknown_key", fetches=1),
            step(unknown, NOW + 30, reason="unknown_key", fetches=2),
            step(unknown, NOW + 40, reason="unknown_key", fetches=2),
            step(right, NOW + 41, claims=RIGHT, fetches=2),
        ],
    )
    case(
        "a key that was taken back is not believed",
        right,
        jwks=[jwks(ONE), jwks(TWO)],
        claims=RIGHT,
        steps=[step(right, NOW + 301, reason="unknown_key", fetches=2)],
    )
    later = token(says=claims(exp=NOW + 48 * HOUR))
    case(
        "known keys serve for a day while the service is away",
        later,
        jwks=[jwks(ONE), 500, 500, jwks(ONE)],
        claims=RIGHT,
        steps=[
            step(later, NOW + 301, claims=RIGHT, fetches=2),
            step(later, NOW + 302, claims=RIGHT, fetches=2),
            step(later, NOW + 25 * HOUR, reason="keys_unavailable", fetches=3),
            step(later, NOW + 25 * HOUR + 1, claims=RIGHT, fetches=4),
        ],
    )
    case("no keys and no service", right, jwks=[500], reason="keys_unavailable", fetches=1)


def webhooks() -> None:
    first = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    second = "whsec_" + base64.b64encode(bytes(range(100, 132))).decode()
    event = {
        "type": "mfa.user.locked",
        "timestamp": "2025-11-24T16:00:00.000Z",
        "data": {"id": "evt_1", "userId": "ann", "reason": "5 wrong codes — in a row"},
    }
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))

    def signature(secret: str, signed_body: str = body, at: int = NOW, ident: str = "evt_1") -> str:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{ident}.{at}.{signed_body}".encode()
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

    def headers(signed: str, at: object = NOW, ident: str = "evt_1") -> dict[str, str]:
        return {"webhook-id": ident, "webhook-timestamp": str(at), "webhook-signature": signed}

    cases: list[dict[str, object]] = []

    def one(name: str, sent: dict[str, str], **more: object) -> None:
        base = {"name": name, "secrets": [first], "headers": sent, "body": body, "now": NOW}
        cases.append({**base, **more})

    right = signature(first)
    good = headers(right)
    one("a right one", good, event=event)
    one("names of headers in capitals", {name.title(): value for name, value in good.items()}, event=event)
    one("several secrets, the second is right", good, secrets=[second, first], event=event)
    one("several signatures, the second is right", headers(f"{signature(second)} {right}"), event=event)
    one("signatures of kinds that nobody knows do no harm", headers(f"v1a,AAAA v2,{right[3:]} {right}"), event=event)
    one("just in time", good, now=NOW + 300, event=event)
    one("a clock that is behind", good, now=NOW - 300, event=event)
    one("too old", good, now=NOW + 301, reason="timestamp")
    one("from the future", good, now=NOW - 301, reason="timestamp")
    one("another body", good, body=body.replace("ann", "eve"), reason="signature")
    one("a body that was parsed and written again", good, body=json.dumps(event), reason="signature")
    one("another id", headers(right, ident="evt_2"), reason="signature")
    one("another time", headers(right, at=NOW + 1), reason="signature")
    one("another secret", headers(signature(second)), reason="signature")
    one("a right signature under another kind", headers("v2," + right[3:]), reason="signature")
    one("a signature cut short", headers(right[:-4]), reason="signature")
    one("an empty signature", headers("v1,"), reason="signature")
    one("a signature that is no base64", headers("v1,!!!!"), reason="signature")
    one("no kind", headers(right[3:]), reason="signature")
    one("a time that is no number", headers(right, at="yesterday"), reason="malformed")
    one("a time with a fraction", headers(right, at=f"{NOW}.5"), reason="malformed")
    one("an endless time", headers(right, at="9" * 400), reason="malformed")
    for name in good:
        one(f"no {name}", {key: value for key, value in good.items() if key != name}, reason="missing_header")
    one("an empty id", headers(right, ident=""), reason="missing_header")
    text = "no JSON"
    one("a signed body that is no JSON", headers(signature(first, text)), body=text, reason="malformed")
    write("webhooks.json", "Whether a webhook came from the service (Standard Webhooks).", cases)


def write(name: str, about: str, cases: list[dict[str, object]]) -> None:
    text = json.dumps({"about": about, "cases": cases}, indent=2, ensure_ascii=False)
    (HERE / name).write_text(text + "\n")


def main() -> None:
    believed()
    refused()
    rotation()
    write("tokens.json", "Whether an access token is to be believed, asking nobody but for keys.", CASES)
    webhooks()


if __name__ == "__main__":
    main()

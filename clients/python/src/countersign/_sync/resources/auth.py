# Made from _async/resources/auth.py by scripts/generate.py: not to be edited.
"""Users and how they sign in."""

from __future__ import annotations

from typing import Any, Literal

from ..._call import Call
from ..._tokens import TokenClaims, Wish
from ...types import JwkSet, TokenFacts
from ..tokens import TokenVerifier
from ..transport import Transport
from .mfa import Mfa
from .portal import Portal
from .users import Users

_FACTS = Call("describeTokens", "GET", "/v1/tokens", TokenFacts.from_json)
_AT = "/.well-known/jwks.json"
_JWKS = Call("getJwks", "GET", _AT, JwkSet.from_json, authenticated=False)


def _keys(value: Any) -> Any:
    return value.get("keys")


# A key that this version cannot read is no reason to do without the others.
_KEYS = Call("getJwks", "GET", _AT, _keys, authenticated=False)


class Auth:
    """Everything about users and how they sign in."""

    mfa: Mfa
    """Second factors and logins."""
    users: Users
    """Who your users are."""
    portal: Portal
    """Hosted pages."""

    def __init__(self, transport: Transport) -> None:
        self.mfa = Mfa(transport)
        self.users = Users(transport)
        self.portal = Portal(transport)
        self._transport = transport
        self._verifier = TokenVerifier(transport, _KEYS, _FACTS)

    def verify_token(
        self,
        token: str,
        *,
        acr: Literal["aal2"] | None = None,
        max_age: float | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        tenant: str | None = None,
    ) -> TokenClaims:
        """What an access token says, if it is to be believed.

        It is checked here, against the service's published keys. These are kept, as is what the
        tenant's tokens say: the first are fetched every 5 minutes, or as `Cache-Control` says, the
        second every hour, once for all who wait. Each fetch has the client's timeout. Needs
        `cryptography`, which the extra `jwt` brings.

        Args:
            token: The access token.
            acr: Demands that a second factor was proven.
            max_age: How many seconds ago the user may have proven who they are at most.
            issuer: The `iss` to demand in place of what the service tells.
            audience: The `aud` to demand in place of what the service tells.
            tenant: The `tenant` to demand in place of what the service tells.

        Raises:
            TokenError: If it is not to be believed; its `reason` tells why.
            TypeError: If `max_age` is no number, or another demand no text.
            ValueError: If `max_age` is negative, infinite or not a number (NaN), or another demand
                empty.
            ImportError: If `cryptography` is not installed.

        Example:
            claims = client.auth.verify_token(token, acr="aal2")
            claims.sub

        """
        wish = Wish(issuer, audience, tenant, acr, max_age)
        return self._verifier.verify(token, wish)

    def describe_tokens(self, *, timeout: float | None = None) -> TokenFacts:
        """What your tenant's tokens say: issuer, audience, tenant."""
        return self._transport.send(_FACTS, timeout=timeout)

    def get_jwks(self, *, timeout: float | None = None) -> JwkSet:
        """The keys that verify access tokens."""
        return self._transport.send(_JWKS, timeout=timeout)

# Made from _async/resources/settings.py by scripts/generate.py: not to be edited.
"""Names, origins, tokens, words, alerts."""

from __future__ import annotations

from collections.abc import Sequence

from ... import types
from ..._call import OMIT, Call, Omit, body
from ...params import UpdateAlerts, UpdateMessages
from ..transport import Transport


class Settings:
    """Names that apps and browsers show, origins, tokens, words, alerts.

    Needs the scope `policy`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, *, timeout: float | None = None) -> types.Settings:
        """The settings."""
        call = Call("getSettings", "GET", "/v1/settings", types.Settings.from_json)
        return self._transport.send(call, timeout=timeout)

    def update(
        self,
        *,
        issuer: str | Omit = OMIT,
        rp_id: str | Omit = OMIT,
        rp_name: str | Omit = OMIT,
        origins: Sequence[str] | Omit = OMIT,
        token_audience: str | Omit = OMIT,
        token_ttl_seconds: int | Omit = OMIT,
        token_type: types.TokenType | Omit = OMIT,
        messages: UpdateMessages | Omit = OMIT,
        alerts: UpdateAlerts | Omit = OMIT,
        force: bool | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> types.Settings:
        """Changes settings; what is left out stays.

        Args:
            issuer: The name that authenticator apps show.
            rp_id: The domain that security keys and passkeys are bound to.
            rp_name: The name that browsers show.
            origins: Where pages may use security keys and passkeys.
            token_audience: The `aud` of access tokens.
            token_ttl_seconds: For how long access tokens are good.
            token_type: `JWT`, or `AT_JWT` for what RFC 9068 asks for.
            messages: Words of messages; None brings back our own.
            alerts: From when on alerts are raised.
            force: Changes `rp_id` and `origins` although people's keys become useless by it; else
                that is a `ConflictError` with their number.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "UpdateSettings",
            issuer=issuer,
            rp_id=rp_id,
            rp_name=rp_name,
            origins=origins,
            token_audience=token_audience,
            token_ttl_seconds=token_ttl_seconds,
            token_type=token_type,
            messages=messages,
            alerts=alerts,
            force=force,
        )
        at = "/v1/settings"
        call = Call("updateSettings", "PATCH", at, types.Settings.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

"""Second factors: what is demanded, what users enroll, and logins."""

from __future__ import annotations

from ..transport import AsyncTransport
from .mfa_apps import AsyncMfaApps
from .mfa_holdings import AsyncMfaHoldings
from .mfa_keys import AsyncMfaKeys
from .mfa_login import AsyncMfaLogin
from .mfa_messages import AsyncMfaMessages
from .mfa_policy import AsyncMfaPolicy


class AsyncMfa(
    AsyncMfaPolicy,
    AsyncMfaApps,
    AsyncMfaMessages,
    AsyncMfaKeys,
    AsyncMfaHoldings,
    AsyncMfaLogin,
):
    """Second factors: what is demanded, what users enroll, and logins."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

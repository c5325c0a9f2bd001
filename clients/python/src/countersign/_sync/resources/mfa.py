# Made from _async/resources/mfa.py by scripts/generate.py: not to be edited.
"""Second factors: what is demanded, what users enroll, and logins."""

from __future__ import annotations

from ..transport import Transport
from .mfa_apps import MfaApps
from .mfa_holdings import MfaHoldings
from .mfa_keys import MfaKeys
from .mfa_login import MfaLogin
from .mfa_messages import MfaMessages
from .mfa_policy import MfaPolicy


class Mfa(
    MfaPolicy,
    MfaApps,
    MfaMessages,
    MfaKeys,
    MfaHoldings,
    MfaLogin,
):
    """Second factors: what is demanded, what users enroll, and logins."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

# Made from _async/resources/mfa_holdings.py by scripts/generate.py: not to be edited.
"""What a user has: factors, recovery codes, trusted devices."""

from __future__ import annotations

from typing import TypeVar

from ..._call import OMIT, Call, Omit, body, nothing, path
from ..._model import Model, SecretList
from ..._recovery import codes_of
from ..._rows import MOST, page_call
from ...types import (
    Factor,
    MfaStatus,
    RecoveryCodesStatus,
    RecoveryCodeUsed,
    TrustedDevice,
)
from ..transport import Transport

M = TypeVar("M", bound=Model)


class MfaHoldings:
    """What a user has: factors, recovery codes, trusted devices."""

    _transport: Transport

    # ---- factors --------------------------------------------------------------------------------

    def list_factors(self, user_id: str, *, timeout: float | None = None) -> list[Factor]:
        """What a user enrolled, the primary factor first; all of it."""
        at = path("/v1/users/{}/mfa/factors", user_id)
        return self._all("listFactors", at, Factor, timeout)

    def update_factor(
        self,
        user_id: str,
        factor_id: str,
        *,
        name: str | None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Factor:
        """Renames a factor; `None` takes its name away."""
        at = path("/v1/users/{}/mfa/factors/{}", user_id, factor_id)
        content = body("UpdateFactor", name=name)
        call = Call("updateFactor", "PATCH", at, Factor.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def remove_factor(
        self,
        user_id: str,
        factor_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Removes a factor; another becomes primary if this one was."""
        at = path("/v1/users/{}/mfa/factors/{}", user_id, factor_id)
        call = Call("deleteFactor", "DELETE", at, nothing, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def set_primary(
        self,
        user_id: str,
        factor_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Factor:
        """Makes a factor the one that is asked for first."""
        at = path("/v1/users/{}/mfa/factors/{}/primary", user_id, factor_id)
        call = Call("makeFactorPrimary", "POST", at, Factor.from_json)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- recovery codes -------------------------------------------------------------------------

    def get_recovery_codes(
        self, user_id: str, *, timeout: float | None = None
    ) -> RecoveryCodesStatus:
        """How many recovery codes a user has left. The codes are shown once, when made."""
        at = path("/v1/users/{}/mfa/recovery-codes", user_id)
        call = Call("getRecoveryCodes", "GET", at, RecoveryCodesStatus.from_json)
        return self._transport.send(call, timeout=timeout)

    def generate_recovery_codes(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> list[str]:
        """Makes recovery codes for a user who has none.

        The list does not show them when it is printed as a whole; each of its members does.

        Raises:
            ConflictError: `recovery_codes_exist` while unused ones remain.

        """
        at = path("/v1/users/{}/mfa/recovery-codes", user_id)
        call: Call[SecretList] = Call("createRecoveryCodes", "POST", at, codes_of)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def regenerate_recovery_codes(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> list[str]:
        """Makes new recovery codes; the old ones stop working."""
        at = path("/v1/users/{}/mfa/recovery-codes/regenerate", user_id)
        call: Call[SecretList] = Call("regenerateRecoveryCodes", "POST", at, codes_of)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def use_recovery_code(
        self,
        user_id: str,
        *,
        code: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> RecoveryCodeUsed:
        """Spends a recovery code outside a login.

        Args:
            user_id: Your own id of the user.
            code: The recovery code, as the person typed it.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Raises:
            InvalidCodeError: If it is none of the user's, or was used.

        """
        at = path("/v1/users/{}/mfa/recovery-codes/use", user_id)
        content = body("UseRecoveryCode", code=code)
        call = Call("useRecoveryCode", "POST", at, RecoveryCodeUsed.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- trusted devices ------------------------------------------------------------------------

    def list_devices(self, user_id: str, *, timeout: float | None = None) -> list[TrustedDevice]:
        """The browsers in which a user is remembered; all of them."""
        at = path("/v1/users/{}/mfa/devices", user_id)
        return self._all("listTrustedDevices", at, TrustedDevice, timeout)

    def revoke_device(
        self,
        user_id: str,
        device_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Forgets a browser."""
        at = path("/v1/users/{}/mfa/devices/{}", user_id, device_id)
        call = Call("revokeTrustedDevice", "DELETE", at, nothing, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def revoke_devices(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Forgets all of a user's browsers."""
        at = path("/v1/users/{}/mfa/devices", user_id)
        call = Call("revokeTrustedDevices", "DELETE", at, nothing, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- situation ------------------------------------------------------------------------------

    def get_status(self, user_id: str, *, timeout: float | None = None) -> MfaStatus:
        """A user's situation: what is enrolled, what is left, whether codes are locked."""
        at = path("/v1/users/{}/mfa/status", user_id)
        call = Call("getMfaStatus", "GET", at, MfaStatus.from_json)
        return self._transport.send(call, timeout=timeout)

    def reset_factors(
        self,
        user_id: str,
        *,
        reason: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Takes everything away that a user enrolled, at once. Needs the scope `admin`.

        Args:
            user_id: Your own id of the user.
            reason: Why, for the audit log.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        at = path("/v1/users/{}/mfa/reset", user_id)
        content = body("ResetMfa", reason=reason)
        call = Call("resetMfa", "POST", at, nothing, body=content, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def unlock(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Lets codes be read again after too many wrong ones. Needs the scope `admin`."""
        at = path("/v1/users/{}/mfa/unlock", user_id)
        call = Call("unlockMfa", "POST", at, nothing, answer="nothing")
        self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def _all(self, operation: str, at: str, kind: type[M], timeout: float | None) -> list[M]:
        """All rows of a list that is short."""
        found: list[M] = []
        cursor: str | None = None
        while True:
            call = page_call(operation, at, kind, {"limit": MOST}, cursor)
            page = self._transport.send(call, timeout=timeout)
            found.extend(page.data)
            cursor = page.next_cursor
            if cursor is None:
                return found

# Made from _async/resources/mfa_apps.py by scripts/generate.py: not to be edited.
"""Authenticator apps (TOTP, RFC 6238)."""

from __future__ import annotations

from ..._call import OMIT, Call, Omit, body, path
from ...types import (
    Algorithm,
    ConfirmedFactor,
    Factor,
    TotpEnrollment,
)
from ..transport import Transport


class MfaApps:
    """Authenticator apps (TOTP, RFC 6238)."""

    _transport: Transport

    def enroll_totp(
        self,
        user_id: str,
        *,
        name: str | None | Omit = OMIT,
        account_name: str | None | Omit = OMIT,
        algorithm: Algorithm | None | Omit = OMIT,
        digits: int | None | Omit = OMIT,
        period: int | None | Omit = OMIT,
        resume: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> TotpEnrollment:
        """Begins to enroll an authenticator app.

        Show `qr_code_uri` as a QR code, or `qr_code_svg` as it is, and `secret` to those who type
        it; then confirm with `verify_totp`.

        Args:
            user_id: Your own id of the user.
            name: A name for the factor.
            account_name: What the app shows beside the issuer.
            algorithm: `SHA1` unless given, which every app knows.
            digits: 6 unless given, which every app knows.
            period: Seconds for which a code is shown; 30 unless given, which every app knows.
            resume: The `factor_id` of an enrollment that the same browser began before: while it
                waits, its secret is shown again.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "EnrollTotp",
            name=name,
            account_name=account_name,
            algorithm=algorithm,
            digits=digits,
            period=period,
            resume=resume,
        )
        at = path("/v1/users/{}/mfa/totp", user_id)
        call = Call("enrollTotp", "POST", at, TotpEnrollment.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def verify_totp(
        self,
        user_id: str,
        *,
        code: str,
        name: str | None | Omit = OMIT,
        challenge_id: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ConfirmedFactor:
        """Confirms an authenticator app with the code that it shows.

        Args:
            user_id: Your own id of the user.
            code: The code, as the person typed it: spaces and dashes do no harm.
            name: A name for the factor.
            challenge_id: A challenge that asked for an enrollment.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Raises:
            InvalidCodeError: If the code is wrong.

        """
        content = body("VerifyTotp", code=code, name=name, challenge_id=challenge_id)
        at = path("/v1/users/{}/mfa/totp/verify", user_id)
        call = Call("verifyTotp", "POST", at, ConfirmedFactor.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def import_totp(
        self,
        user_id: str,
        *,
        secret: str | None | Omit = OMIT,
        uri: str | None | Omit = OMIT,
        name: str | None | Omit = OMIT,
        algorithm: Algorithm | None | Omit = OMIT,
        digits: int | None | Omit = OMIT,
        period: int | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Factor:
        """Takes over an authenticator app that another service enrolled.

        Args:
            user_id: Your own id of the user.
            secret: The app's secret, as base32; or
            uri: its `otpauth://totp/…` address, which has secret, algorithm, digits and period.
            name: A name for the factor.
            algorithm: `SHA1` unless given.
            digits: 6 unless given.
            period: Seconds for which a code is shown; 30 unless given.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "ImportTotp",
            secret=secret,
            uri=uri,
            name=name,
            algorithm=algorithm,
            digits=digits,
            period=period,
        )
        at = path("/v1/users/{}/mfa/totp/import", user_id)
        call = Call("importTotp", "POST", at, Factor.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

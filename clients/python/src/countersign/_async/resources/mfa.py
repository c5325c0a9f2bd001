"""Second factors: what is demanded, what users enroll, and logins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, Union

from ... import types
from ..._call import OMIT, Call, Omit, body, nothing, path
from ..._login import ChallengeResult, challenge_result, login_body
from ..._model import Model, SecretList
from ..._recovery import codes_of
from ..._rows import MOST, page_call
from ..._webauthn import (
    AssertionCredential,
    RegistrationCredential,
    creation_options,
    credential_json,
    request_options,
)
from ...errors import InvalidCodeError
from ...params import (
    CreationOptions,
    GroupRule,
    LoginContext,
    RequestOptions,
    UpdateGracePeriod,
    UpdateLockout,
    UpdateSends,
    UpdateTriggers,
    UpdateTrustedDevices,
    UpdateWebAuthnPolicy,
)
from ...types import (
    Algorithm,
    Attachment,
    Attestation,
    Challenge,
    ChallengePurpose,
    CodeSent,
    ConfirmedFactor,
    Factor,
    FactorType,
    MessageEnrollment,
    MfaStatus,
    Policy,
    PolicyPreview,
    RecoveryCodesStatus,
    RecoveryCodeUsed,
    Requirement,
    ResidentKey,
    TotpEnrollment,
    TrustedDevice,
    UserVerification,
    Verification,
    VerifiedAssertion,
)
from ..transport import AsyncTransport

M = TypeVar("M", bound=Model)


class AsyncMfa:
    """Second factors: what is demanded, what users enroll, and logins."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    # ---- policy ---------------------------------------------------------------------------------

    async def get_policy(self, *, timeout: float | None = None) -> Policy:
        """What your tenant demands of its users. Needs the scope `policy`."""
        call = Call("getPolicy", "GET", "/v1/mfa/policy", Policy.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def update_policy(
        self,
        *,
        requirement: Requirement | Omit = OMIT,
        allowed_factors: Sequence[FactorType] | Omit = OMIT,
        recovery_codes_count: int | Omit = OMIT,
        grace_period: UpdateGracePeriod | Omit = OMIT,
        triggers: UpdateTriggers | Omit = OMIT,
        trusted_devices: UpdateTrustedDevices | Omit = OMIT,
        groups: Sequence[Union[GroupRule, types.GroupRule]] | Omit = OMIT,
        suspicious_ip_ranges: Sequence[str] | Omit = OMIT,
        lockout: UpdateLockout | Omit = OMIT,
        sends: UpdateSends | Omit = OMIT,
        webauthn: UpdateWebAuthnPolicy | Omit = OMIT,
        version: int | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Policy:
        """Changes the policy; what is left out stays. Needs the scope `policy`.

        Args:
            requirement: `DISABLED`, `OPTIONAL`, `REQUIRED` or `RISK_BASED`.
            allowed_factors: What users may enroll and use.
            recovery_codes_count: How many recovery codes are made at a time.
            grace_period: For how long whoever has to enroll may put it off.
            triggers: What makes a login risky.
            trusted_devices: Whether browsers may be remembered, and for how long.
            groups: Rules for groups of users, all of them.
            suspicious_ip_ranges: Addresses from which a login is risky.
            lockout: How many wrong codes are too many, and what follows.
            sends: How many messages may be sent, and where to.
            webauthn: Which security keys and passkeys may be used, and how.
            version: The policy's version that is to be changed; a conflict if it is another.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Example:
            await client.auth.mfa.update_policy(
                requirement="REQUIRED", grace_period={"value": 7, "unit": "DAYS"}
            )

        """
        content = body(
            "UpdatePolicy",
            requirement=requirement,
            allowed_factors=allowed_factors,
            recovery_codes_count=recovery_codes_count,
            grace_period=grace_period,
            triggers=triggers,
            trusted_devices=trusted_devices,
            groups=groups,
            suspicious_ip_ranges=suspicious_ip_ranges,
            lockout=lockout,
            sends=sends,
            webauthn=webauthn,
            version=version,
        )
        call = Call("updatePolicy", "PATCH", "/v1/mfa/policy", Policy.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def preview_policy(
        self,
        *,
        requirement: Requirement | Omit = OMIT,
        allowed_factors: Sequence[FactorType] | Omit = OMIT,
        recovery_codes_count: int | Omit = OMIT,
        grace_period: UpdateGracePeriod | Omit = OMIT,
        triggers: UpdateTriggers | Omit = OMIT,
        trusted_devices: UpdateTrustedDevices | Omit = OMIT,
        groups: Sequence[Union[GroupRule, types.GroupRule]] | Omit = OMIT,
        suspicious_ip_ranges: Sequence[str] | Omit = OMIT,
        lockout: UpdateLockout | Omit = OMIT,
        sends: UpdateSends | Omit = OMIT,
        webauthn: UpdateWebAuthnPolicy | Omit = OMIT,
        version: int | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> PolicyPreview:
        """Whom a change of the policy would affect; changes nothing. Needs the scope `admin`.

        It takes what `update_policy` takes.
        """
        content = body(
            "UpdatePolicy",
            requirement=requirement,
            allowed_factors=allowed_factors,
            recovery_codes_count=recovery_codes_count,
            grace_period=grace_period,
            triggers=triggers,
            trusted_devices=trusted_devices,
            groups=groups,
            suspicious_ip_ranges=suspicious_ip_ranges,
            lockout=lockout,
            sends=sends,
            webauthn=webauthn,
            version=version,
        )
        at = "/v1/mfa/policy/preview"
        call = Call("previewPolicy", "POST", at, PolicyPreview.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- authenticator apps ---------------------------------------------------------------------

    async def enroll_totp(
        self,
        user_id: str,
        *,
        name: str | None | Omit = OMIT,
        account_name: str | None | Omit = OMIT,
        algorithm: Algorithm | None | Omit = OMIT,
        digits: int | None | Omit = OMIT,
        period: int | None | Omit = OMIT,
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
        )
        at = path("/v1/users/{}/mfa/totp", user_id)
        call = Call("enrollTotp", "POST", at, TotpEnrollment.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify_totp(
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
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def import_totp(
        self,
        user_id: str,
        *,
        secret: str,
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
            secret: The app's secret, as base32.
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
            name=name,
            algorithm=algorithm,
            digits=digits,
            period=period,
        )
        at = path("/v1/users/{}/mfa/totp/import", user_id)
        call = Call("importTotp", "POST", at, Factor.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- codes by SMS and email -----------------------------------------------------------------

    async def enroll_sms(
        self,
        user_id: str,
        *,
        phone_number: str,
        name: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> MessageEnrollment:
        """Begins to enroll a telephone number; `send_sms_code` sends a code to it.

        Args:
            user_id: Your own id of the user.
            phone_number: The number (E.164), as `+14155550123`.
            name: A name for the factor.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("EnrollSms", phone_number=phone_number, name=name)
        at = path("/v1/users/{}/mfa/sms", user_id)
        call = Call("enrollSms", "POST", at, MessageEnrollment.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def send_sms_code(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CodeSent:
        """Sends a code to the number that is being enrolled."""
        at = path("/v1/users/{}/mfa/sms/send", user_id)
        call = Call("sendSmsCode", "POST", at, CodeSent.from_json, body={})
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify_sms(
        self,
        user_id: str,
        *,
        code: str,
        name: str | None | Omit = OMIT,
        challenge_id: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ConfirmedFactor:
        """Confirms the number with the code that was sent.

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
        content = body("VerifySentCode", code=code, name=name, challenge_id=challenge_id)
        at = path("/v1/users/{}/mfa/sms/verify", user_id)
        call = Call("verifySms", "POST", at, ConfirmedFactor.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def enroll_email(
        self,
        user_id: str,
        *,
        name: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> MessageEnrollment:
        """Begins to enroll the user's verified email address; `send_email_code` sends a code.

        Args:
            user_id: Your own id of the user.
            name: A name for the factor.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("EnrollEmail", name=name)
        at = path("/v1/users/{}/mfa/email", user_id)
        call = Call("enrollEmail", "POST", at, MessageEnrollment.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def send_email_code(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CodeSent:
        """Sends a code to the address that is being enrolled."""
        at = path("/v1/users/{}/mfa/email/send", user_id)
        call = Call("sendEmailCode", "POST", at, CodeSent.from_json, body={})
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify_email(
        self,
        user_id: str,
        *,
        code: str,
        name: str | None | Omit = OMIT,
        challenge_id: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ConfirmedFactor:
        """Confirms the address with the code that was sent.

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
        content = body("VerifySentCode", code=code, name=name, challenge_id=challenge_id)
        at = path("/v1/users/{}/mfa/email/verify", user_id)
        call = Call("verifyEmail", "POST", at, ConfirmedFactor.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- security keys and passkeys -------------------------------------------------------------

    async def get_webauthn_registration_options(
        self,
        user_id: str,
        *,
        authenticator_attachment: Attachment | None | Omit = OMIT,
        resident_key: ResidentKey | None | Omit = OMIT,
        user_verification: UserVerification | None | Omit = OMIT,
        attestation: Attestation | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CreationOptions:
        """Options to register a security key or passkey, as a dictionary to send as JSON.

        In the browser they are what `register` of `@countersign/client/browser` takes, and
        `PublicKeyCredential.parseCreationOptionsFromJSON`.

        Args:
            user_id: Your own id of the user.
            authenticator_attachment: `platform` or `cross-platform`, if only one will do.
            resident_key: Whether it shall be a passkey, which is found without a name.
            user_verification: Whether it shall ask for a finger, a face or a PIN.
            attestation: Whether it shall prove what it is.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "RegistrationWish",
            authenticator_attachment=authenticator_attachment,
            resident_key=resident_key,
            user_verification=user_verification,
            attestation=attestation,
        )
        at = path("/v1/users/{}/mfa/webauthn/registration-options", user_id)
        operation = "getWebAuthnRegistrationOptions"
        call = Call(operation, "POST", at, creation_options, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify_webauthn(
        self,
        user_id: str,
        *,
        credential: RegistrationCredential,
        name: str | None | Omit = OMIT,
        challenge_id: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ConfirmedFactor:
        """Confirms a security key or passkey with what the browser gave.

        Args:
            user_id: Your own id of the user.
            credential: What the browser sent as JSON, parsed or not.
            name: A name for the factor.
            challenge_id: A challenge that asked for an enrollment.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Raises:
            InvalidCodeError: If it proves nothing.

        """
        given = credential_json(credential)
        content = body("VerifyWebAuthn", credential=given, name=name, challenge_id=challenge_id)
        at = path("/v1/users/{}/mfa/webauthn/verify", user_id)
        call = Call("verifyWebAuthn", "POST", at, ConfirmedFactor.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def get_webauthn_auth_options(
        self,
        user_id: str,
        *,
        user_verification: UserVerification | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> RequestOptions:
        """Options to use a security key or passkey outside a login, to send as JSON.

        Args:
            user_id: Your own id of the user.
            user_verification: Whether it shall ask for a finger, a face or a PIN.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("AssertionWish", user_verification=user_verification)
        at = path("/v1/users/{}/mfa/webauthn/authentication-options", user_id)
        call = Call("getWebAuthnAuthOptions", "POST", at, request_options, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify_webauthn_assertion(
        self,
        user_id: str,
        *,
        assertion: AssertionCredential,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> VerifiedAssertion:
        """Checks an assertion outside a login.

        Args:
            user_id: Your own id of the user.
            assertion: What the browser sent as JSON, parsed or not.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Raises:
            InvalidCodeError: If it proves nothing.

        """
        content = body("VerifyAssertion", assertion=credential_json(assertion))
        at = path("/v1/users/{}/mfa/webauthn/verify-assertion", user_id)
        operation = "verifyWebAuthnAssertion"
        call = Call(operation, "POST", at, VerifiedAssertion.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- factors --------------------------------------------------------------------------------

    async def list_factors(self, user_id: str, *, timeout: float | None = None) -> list[Factor]:
        """What a user enrolled, the primary factor first; all of it."""
        at = path("/v1/users/{}/mfa/factors", user_id)
        return await self._all("listFactors", at, Factor, timeout)

    async def update_factor(
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
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def remove_factor(
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
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def set_primary(
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
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- recovery codes -------------------------------------------------------------------------

    async def get_recovery_codes(
        self, user_id: str, *, timeout: float | None = None
    ) -> RecoveryCodesStatus:
        """How many recovery codes a user has left. The codes are shown once, when made."""
        at = path("/v1/users/{}/mfa/recovery-codes", user_id)
        call = Call("getRecoveryCodes", "GET", at, RecoveryCodesStatus.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def generate_recovery_codes(
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
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def regenerate_recovery_codes(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> list[str]:
        """Makes new recovery codes; the old ones stop working."""
        at = path("/v1/users/{}/mfa/recovery-codes/regenerate", user_id)
        call: Call[SecretList] = Call("regenerateRecoveryCodes", "POST", at, codes_of)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def use_recovery_code(
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
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- trusted devices ------------------------------------------------------------------------

    async def list_devices(
        self, user_id: str, *, timeout: float | None = None
    ) -> list[TrustedDevice]:
        """The browsers in which a user is remembered; all of them."""
        at = path("/v1/users/{}/mfa/devices", user_id)
        return await self._all("listTrustedDevices", at, TrustedDevice, timeout)

    async def revoke_device(
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
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def revoke_devices(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Forgets all of a user's browsers."""
        at = path("/v1/users/{}/mfa/devices", user_id)
        call = Call("revokeTrustedDevices", "DELETE", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- situation ------------------------------------------------------------------------------

    async def get_status(self, user_id: str, *, timeout: float | None = None) -> MfaStatus:
        """A user's situation: what is enrolled, what is left, whether codes are locked."""
        at = path("/v1/users/{}/mfa/status", user_id)
        call = Call("getMfaStatus", "GET", at, MfaStatus.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def reset_factors(
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
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def unlock(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Lets codes be read again after too many wrong ones. Needs the scope `admin`."""
        at = path("/v1/users/{}/mfa/unlock", user_id)
        call = Call("unlockMfa", "POST", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    # ---- login ----------------------------------------------------------------------------------

    async def create_challenge(
        self,
        user_id: str,
        *,
        purpose: ChallengePurpose | Omit = OMIT,
        context: LoginContext | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> ChallengeResult:
        """Asks, once the password is right, whether the login needs a second factor.

        Args:
            user_id: Your own id of the user.
            purpose: `LOGIN` unless given; `STEP_UP` asks whatever the browser.
            context: Where the login comes from.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Returns:
            `MfaRequired` with a `challenge`, or `MfaNotRequired` with `tokens`; `mfa_required`
            tells which of the two it is.

        Example:
            result = await client.auth.mfa.create_challenge(
                user_id, context={"ip_address": address, "user_agent": browser}
            )
            if not result.mfa_required:
                return sign_in(result.tokens)

        """
        content = login_body(user_id, purpose, context)
        at = "/v1/mfa/challenges"
        call = Call("createChallenge", "POST", at, challenge_result, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def get_challenge(self, challenge_id: str, *, timeout: float | None = None) -> Challenge:
        """A challenge as it stands."""
        at = path("/v1/mfa/challenges/{}", challenge_id)
        call = Call("getChallenge", "GET", at, Challenge.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def send_challenge_code(
        self,
        challenge_id: str,
        *,
        factor_id: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CodeSent:
        """Sends a code of an SMS or email factor."""
        at = path("/v1/mfa/challenges/{}/send", challenge_id)
        content = body("SendChallengeCode", factor_id=factor_id)
        call = Call("sendChallengeCode", "POST", at, CodeSent.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def get_challenge_webauthn_options(
        self,
        challenge_id: str,
        *,
        user_verification: UserVerification | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> RequestOptions:
        """Options to answer a challenge with a security key or passkey, to send as JSON.

        In the browser they are what `authenticate` of `@countersign/client/browser` takes, and
        `PublicKeyCredential.parseRequestOptionsFromJSON`.

        Args:
            challenge_id: The challenge.
            user_verification: Whether it shall ask for a finger, a face or a PIN.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        at = path("/v1/mfa/challenges/{}/webauthn-options", challenge_id)
        content = body("AssertionWish", user_verification=user_verification)
        call = Call("getChallengeWebAuthnOptions", "POST", at, request_options, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def verify(
        self,
        *,
        challenge_id: str,
        factor_id: str | None | Omit = OMIT,
        code: str | None | Omit = OMIT,
        assertion: AssertionCredential | None | Omit = OMIT,
        recovery_code: str | None | Omit = OMIT,
        remember_device: bool | None | Omit = OMIT,
        device_name: str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Verification | None:
        """Answers a challenge: the verification, or `None` when the proof was wrong.

        The proof is a `code` of the factor `factor_id`, an `assertion`, or a `recovery_code`.

        Args:
            challenge_id: The challenge.
            factor_id: The factor whose code this is; an assertion says itself which key it is of.
            code: The code, as the person typed it: spaces and dashes do no harm. An empty one, or
                one of more than 64 characters, is not a wrong code but a wrong request.
            assertion: What the browser sent as JSON, parsed or not, for the options of
                `get_challenge_webauthn_options`.
            recovery_code: A recovery code, in place of any factor.
            remember_device: Whether to trust this browser from now on; the result then has a
                `device_token`.
            device_name: A name for the browser, to be recognised in a list.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        Raises:
            InvalidRequestError: If a code is empty or has more than 64 characters, among others.
            RateLimitError: After too many wrong codes.
            ExpiredError: Once the challenge has ended.

        Example:
            verified = await client.auth.mfa.verify(
                challenge_id=challenge_id, factor_id=factor_id, code=code
            )
            if verified:
                sign_in(verified.tokens)

        """
        given = assertion if not assertion else credential_json(assertion)
        content = body(
            "VerifyChallenge",
            challenge_id=challenge_id,
            factor_id=factor_id,
            code=code,
            assertion=given,
            recovery_code=recovery_code,
            remember_device=remember_device,
            device_name=device_name,
        )
        at = "/v1/mfa/challenges/verify"
        call = Call("verifyChallenge", "POST", at, Verification.from_json, body=content)
        try:
            return await self._transport.send(
                call, idempotency_key=idempotency_key, timeout=timeout
            )
        except InvalidCodeError:
            return None

    async def _all(self, operation: str, at: str, kind: type[M], timeout: float | None) -> list[M]:
        """All rows of a list that is short."""
        found: list[M] = []
        cursor: str | None = None
        while True:
            call = page_call(operation, at, kind, {"limit": MOST}, cursor)
            page = await self._transport.send(call, timeout=timeout)
            found.extend(page.data)
            cursor = page.next_cursor
            if cursor is None:
                return found

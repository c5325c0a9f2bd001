"""Security keys and passkeys (W3C WebAuthn Level 3)."""

from __future__ import annotations

from ..._call import OMIT, Call, Omit, body, path
from ..._webauthn import (
    AssertionCredential,
    RegistrationCredential,
    creation_options,
    credential_json,
    request_options,
)
from ...params import (
    CreationOptions,
    RequestOptions,
)
from ...types import (
    Attachment,
    Attestation,
    ConfirmedFactor,
    ResidentKey,
    UserVerification,
    VerifiedAssertion,
)
from ..transport import AsyncTransport


class AsyncMfaKeys:
    """Security keys and passkeys (W3C WebAuthn Level 3)."""

    _transport: AsyncTransport

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

"""Codes by SMS and email."""

from __future__ import annotations

from ..._call import OMIT, Call, Omit, body, path
from ...types import (
    CodeSent,
    ConfirmedFactor,
    MessageEnrollment,
)
from ..transport import AsyncTransport


class AsyncMfaMessages:
    """Codes by SMS and email."""

    _transport: AsyncTransport

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

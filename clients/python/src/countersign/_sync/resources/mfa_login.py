# Made from _async/resources/mfa_login.py by scripts/generate.py: not to be edited.
"""Logins: challenges and their answers."""

from __future__ import annotations

from ..._call import OMIT, Call, Omit, body, path
from ..._login import ChallengeResult, challenge_result, login_body
from ..._webauthn import (
    AssertionCredential,
    credential_json,
    request_options,
)
from ...errors import InvalidCodeError
from ...params import (
    LoginContext,
    RequestOptions,
)
from ...types import (
    Challenge,
    ChallengePurpose,
    CodeSent,
    UserVerification,
    Verification,
)
from ..transport import Transport


class MfaLogin:
    """Logins: challenges and their answers."""

    _transport: Transport

    def create_challenge(
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
            result = client.auth.mfa.create_challenge(
                user_id, context={"ip_address": address, "user_agent": browser}
            )
            if not result.mfa_required:
                return sign_in(result.tokens)

        """
        content = login_body(user_id, purpose, context)
        at = "/v1/mfa/challenges"
        call = Call("createChallenge", "POST", at, challenge_result, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def get_challenge(self, challenge_id: str, *, timeout: float | None = None) -> Challenge:
        """A challenge as it stands."""
        at = path("/v1/mfa/challenges/{}", challenge_id)
        call = Call("getChallenge", "GET", at, Challenge.from_json)
        return self._transport.send(call, timeout=timeout)

    def send_challenge_code(
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
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def get_challenge_webauthn_options(
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
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def verify(
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
            verified = client.auth.mfa.verify(
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
            return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)
        except InvalidCodeError:
            return None

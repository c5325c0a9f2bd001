# Made from _async/resources/portal.py by scripts/generate.py: not to be edited.
"""Hosted pages."""

from __future__ import annotations

from ..._call import OMIT, Call, Omit, body
from ...params import BrowserContext
from ...types import PortalPurpose, PortalResult, PortalSession, ResultParameter
from ..transport import Transport


class Portal:
    """Hosted pages: the service itself asks the user, and tells what came of it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_session(
        self,
        *,
        user_id: str,
        purpose: PortalPurpose,
        return_url: str,
        challenge_id: str | None | Omit = OMIT,
        result_parameter: ResultParameter | None | Omit = OMIT,
        context: BrowserContext | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> PortalSession:
        """A link, good once and for ten minutes, to which you send the user's browser.

        Args:
            user_id: Your own id of the user.
            purpose: `ENROLL`, `CHALLENGE` or `MANAGE`.
            return_url: Where the browser comes back to.
            challenge_id: What is to be answered, if the purpose is a challenge.
            result_parameter: In which parameter the browser brings the code back;
                `countersign_result` unless given.
            context: What you know of the browser, where the pages do not see it themselves.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "CreatePortalSession",
            user_id=user_id,
            purpose=purpose,
            return_url=return_url,
            challenge_id=challenge_id,
            result_parameter=result_parameter,
            context=context,
        )
        at = "/v1/portal/sessions"
        call = Call("createPortalSession", "POST", at, PortalSession.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    def fetch_result(
        self,
        *,
        code: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> PortalResult:
        """What came of it.

        Args:
            code: What the browser brought back in the parameter `countersign_result`; good once.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("FetchPortalResult", code=code)
        at = "/v1/portal/results"
        call = Call("fetchPortalResult", "POST", at, PortalResult.from_json, body=content)
        return self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

"""Why every decision was taken."""

from __future__ import annotations

from datetime import datetime

from ...types import AuditCheckpoint, AuditEvent
from ..pagination import AsyncList, pages
from ..transport import AsyncTransport


class AsyncAudit:
    """Why every decision was taken. Needs the scope `audit`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        user_id: str | None = None,
        type: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[AuditEvent]:
        """Events, the newest first.

        Args:
            user_id: Of this user.
            type: Of this kind, as `mfa.user.locked`, or of these, as `mfa.alert.*`.
            since: Not before this time, which has its time zone.
            until: Before this time, which has its time zone.
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {
            "userId": user_id,
            "type": type,
            "since": since,
            "until": until,
            "limit": limit,
            "cursor": cursor,
        }
        return pages(self._transport, "listAuditEvents", "/v1/audit", AuditEvent, wanted, timeout)

    def list_checkpoints(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[AuditCheckpoint]:
        """Signed heads of the hash chains.

        Args:
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"limit": limit, "cursor": cursor}
        at = "/v1/audit/checkpoints"
        return pages(self._transport, "listAuditCheckpoints", at, AuditCheckpoint, wanted, timeout)

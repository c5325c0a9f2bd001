"""Who may call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..._call import OMIT, Call, Omit, body, nothing, path
from ...types import ApiKey, CreatedApiKey, Scope
from ..pagination import AsyncList, pages
from ..transport import AsyncTransport


class AsyncApiKeys:
    """Who may call. Needs the scope `keys`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[ApiKey]:
        """Keys, the oldest first, without what is secret of them.

        Args:
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"limit": limit, "cursor": cursor}
        return pages(self._transport, "listApiKeys", "/v1/api-keys", ApiKey, wanted, timeout)

    async def create(
        self,
        *,
        name: str | None | Omit = OMIT,
        scopes: Sequence[Scope] | None | Omit = OMIT,
        root: bool | None | Omit = OMIT,
        expires_at: datetime | str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CreatedApiKey:
        """Makes a key. The answer has it, once.

        Args:
            name: What it is for; needed, but for a root key.
            scopes: What it may; needed, but for a root key, which has them all.
            root: Whether it is a root key, which only another one makes.
            expires_at: When it ends, with its time zone; never unless given.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("CreateApiKey", name=name, scopes=scopes, root=root, expires_at=expires_at)
        call = Call("createApiKey", "POST", "/v1/api-keys", CreatedApiKey.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def revoke(
        self,
        key_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Ends a key at once."""
        at = path("/v1/api-keys/{}", key_id)
        call = Call("revokeApiKey", "DELETE", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

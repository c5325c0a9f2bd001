"""Organisations that never see each other."""

from __future__ import annotations

from ..._call import Call, body, nothing, path
from ...types import CreatedTenant, Tenant
from ..pagination import AsyncList, pages
from ..transport import AsyncTransport


class AsyncTenants:
    """Organisations that never see each other. Needs the root key."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[Tenant]:
        """Tenants, the oldest first.

        Args:
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"limit": limit, "cursor": cursor}
        return pages(self._transport, "listTenants", "/v1/tenants", Tenant, wanted, timeout)

    async def create(
        self,
        *,
        name: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> CreatedTenant:
        """Makes a tenant. The answer has its first API key, once."""
        content = body("CreateTenant", name=name)
        call = Call("createTenant", "POST", "/v1/tenants", CreatedTenant.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def delete(
        self,
        tenant_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Erases a tenant with all its users."""
        at = path("/v1/tenants/{}", tenant_id)
        call = Call("deleteTenant", "DELETE", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

"""Who your users are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..._call import OMIT, Call, Omit, body, nothing, path
from ...types import User
from ..pagination import AsyncList, pages
from ..transport import AsyncTransport


class AsyncUsers:
    """Who your users are. Ids are your own."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        query: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncList[User]:
        """Users by id.

        Args:
            query: How an id or an address begins.
            limit: Rows on a page, at most 200; 50 unless given.
            cursor: The `next_cursor` of the page before.
            timeout: For how many seconds the call may take, retries included.

        """
        wanted = {"query": query, "limit": limit, "cursor": cursor}
        return pages(self._transport, "listUsers", "/v1/users", User, wanted, timeout)

    async def get(self, user_id: str, *, timeout: float | None = None) -> User:
        """A user."""
        at = path("/v1/users/{}", user_id)
        call = Call("getUser", "GET", at, User.from_json)
        return await self._transport.send(call, timeout=timeout)

    async def put(
        self,
        user_id: str,
        *,
        email: str | None | Omit = OMIT,
        email_verified: bool | None | Omit = OMIT,
        phone_number: str | None | Omit = OMIT,
        display_name: str | None | Omit = OMIT,
        groups: Sequence[str] | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> User:
        """Writes who a user is: what is left out is taken away. A new user comes into being.

        Args:
            user_id: Your own id of the user.
            email: An email address.
            email_verified: Whether you know that the address is the user's.
            phone_number: A telephone number (E.164).
            display_name: What the user is called.
            groups: Groups that the policy may name.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body(
            "PutUser",
            email=email,
            email_verified=email_verified,
            phone_number=phone_number,
            display_name=display_name,
            groups=groups,
        )
        at = path("/v1/users/{}", user_id)
        call = Call("putUser", "PUT", at, User.from_json, body=content)
        return await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def delete(
        self,
        user_id: str,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Erases everything about a user. Needs the scope `admin`."""
        at = path("/v1/users/{}", user_id)
        call = Call("deleteUser", "DELETE", at, nothing, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

    async def password_changed(
        self,
        user_id: str,
        *,
        at: datetime | str | None | Omit = OMIT,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Tells that a user's password changed: trusted browsers are forgotten.

        Args:
            user_id: Your own id of the user.
            at: When, with its time zone; now unless given.
            idempotency_key: The key under which it is done once; made anew unless given.
            timeout: For how many seconds the call may take, retries included.

        """
        content = body("PasswordChanged", at=at)
        where = path("/v1/users/{}/password-changed", user_id)
        call = Call("reportPasswordChanged", "POST", where, nothing, body=content, answer="nothing")
        await self._transport.send(call, idempotency_key=idempotency_key, timeout=timeout)

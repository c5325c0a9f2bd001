"""Lists: awaited, the first page; iterated, every row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Generator
from typing import Any, Callable, Generic, TypeVar

from .._call import Query
from .._model import Model
from .._rows import page_call
from .transport import AsyncTransport

M = TypeVar("M", bound=Model)


class AsyncPage(Generic[M]):
    """A page of a list. Iterated, it is every row from this page on."""

    data: list[M]
    """The rows of this page."""
    next_cursor: str | None
    """What the next page is asked for with; None at the end."""

    def __init__(
        self,
        data: list[M],
        next_cursor: str | None,
        fetch: Callable[[str], Awaitable[AsyncPage[M]]],
    ) -> None:
        self.data = data
        self.next_cursor = next_cursor
        self._fetch = fetch

    def has_next_page(self) -> bool:
        """Whether more pages follow."""
        return self.next_cursor is not None

    async def next_page(self) -> AsyncPage[M] | None:
        """The next page; None at the end."""
        return None if self.next_cursor is None else await self._fetch(self.next_cursor)

    async def __aiter__(self) -> AsyncIterator[M]:
        page: AsyncPage[M] | None = self
        while page is not None:
            for row in page.data:
                yield row
            page = await page.next_page()

    def __repr__(self) -> str:
        return f"AsyncPage(data={self.data!r}, next_cursor={self.next_cursor!r})"


class AsyncList(Generic[M]):
    """A list that was asked for: awaited, its first page; iterated, every row.

    Example:
        async for user in client.auth.users.list():
            print(user.id)
        page = await client.auth.users.list(limit=10)

    """

    def __init__(
        self,
        transport: AsyncTransport,
        operation: str,
        path: str,
        kind: type[M],
        query: Query,
        timeout: float | None,
    ) -> None:
        self._transport = transport
        self._operation = operation
        self._path = path
        self._kind = kind
        self._query = query
        self._timeout = timeout
        self._first: AsyncPage[M] | None = None

    async def _fetch(self, cursor: str | None) -> AsyncPage[M]:
        call = page_call(self._operation, self._path, self._kind, self._query, cursor)
        found = await self._transport.send(call, timeout=self._timeout)
        return AsyncPage(list(found.data), found.next_cursor, self._fetch)

    async def _page(self) -> AsyncPage[M]:
        # Nothing is asked before somebody wants it, and the first page once.
        if self._first is None:
            self._first = await self._fetch(None)
        return self._first

    def __await__(self) -> Generator[Any, None, AsyncPage[M]]:
        return self._page().__await__()

    async def __aiter__(self) -> AsyncIterator[M]:
        async for row in await self._page():
            yield row


def pages(
    transport: AsyncTransport,
    operation: str,
    path: str,
    kind: type[M],
    query: Query,
    timeout: float | None,
) -> AsyncList[M]:
    """A list whose pages are fetched as they are needed."""
    return AsyncList(transport, operation, path, kind, query, timeout)

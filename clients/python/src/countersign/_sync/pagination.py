"""Lists: a page has its rows; iterated, it is every row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Generic, TypeVar

from .._call import Query
from .._model import Model
from .._rows import page_call
from .transport import Transport

M = TypeVar("M", bound=Model)


class Page(Generic[M]):
    """A page of a list. Iterated, it is every row from this page on, fetched page by page.

    Example:
        for user in client.auth.users.list():
            print(user.id)
        page = client.auth.users.list(limit=10)
        page.data, page.next_cursor

    """

    data: list[M]
    """The rows of this page."""
    next_cursor: str | None
    """What the next page is asked for with; None at the end."""

    def __init__(
        self, data: list[M], next_cursor: str | None, fetch: Callable[[str], Page[M]]
    ) -> None:
        self.data = data
        self.next_cursor = next_cursor
        self._fetch = fetch

    def has_next_page(self) -> bool:
        """Whether more pages follow."""
        return self.next_cursor is not None

    def next_page(self) -> Page[M] | None:
        """The next page; None at the end."""
        return None if self.next_cursor is None else self._fetch(self.next_cursor)

    def __iter__(self) -> Iterator[M]:
        page: Page[M] | None = self
        while page is not None:
            yield from page.data
            page = page.next_page()

    def __repr__(self) -> str:
        return f"Page(data={self.data!r}, next_cursor={self.next_cursor!r})"


def pages(
    transport: Transport,
    operation: str,
    path: str,
    kind: type[M],
    query: Query,
    timeout: float | None,
) -> Page[M]:
    """The first page of a list."""

    def fetch(cursor: str | None) -> Page[M]:
        call = page_call(operation, path, kind, query, cursor)
        found = transport.send(call, timeout=timeout)
        return Page(list(found.data), found.next_cursor, fetch)

    return fetch(None)

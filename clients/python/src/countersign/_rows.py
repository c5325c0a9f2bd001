"""A page of rows, as the service answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Generic, TypeVar, cast

from ._call import Call, Query
from ._model import Model, Unreadable, each

M = TypeVar("M", bound=Model)

#: The most rows that a page has; no user has as many factors.
MOST = 200


@dataclass(frozen=True)
class Rows(Generic[M]):
    """Rows, and where the next ones are."""

    data: Sequence[M]
    next_cursor: str | None


def rows(kind: type[M], asked: str | None) -> Callable[[Any], Rows[M]]:
    """Reads a page of objects of a kind, which was asked for with a cursor."""

    def read(value: Any) -> Rows[M]:
        members = cast("dict[str, Any]", value)
        data, cursor = each(kind)(members.get("data"), "data"), members.get("nextCursor")
        if data is None:
            raise Unreadable("data is no list")
        if cursor is not None and not isinstance(cursor, str):
            raise Unreadable("nextCursor is no text")
        if cursor is not None and cursor == asked:
            # The list would never end.
            raise Unreadable("the service gave the same cursor twice")
        return Rows(data, cursor)

    return read


def page_call(
    operation: str, path: str, kind: type[M], query: Query, cursor: str | None
) -> Call[Rows[M]]:
    """The call for a page."""
    wanted = query if cursor is None else {**query, "cursor": cursor}
    given = wanted.get("cursor")
    asked = given if isinstance(given, str) else None
    return Call(operation, "GET", path, rows(kind, asked), query=wanted)

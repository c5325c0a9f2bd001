"""What a value of JSON is, told to type checkers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import TypeGuard


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a list of anything."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is an object."""
    return isinstance(value, dict)


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether it has members."""
    return isinstance(value, Iterable)

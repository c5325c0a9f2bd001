"""What a value of JSON is, told to type checkers."""

from __future__ import annotations

import re
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


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_well_formed(text: str) -> bool:
    """Whether UTF-8 can carry a text: it has no half of a pair of surrogates."""
    # Asked before encoding, whose own error holds the whole text.
    return _SURROGATE.search(text) is None

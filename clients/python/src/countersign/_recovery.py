"""Recovery codes, as they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ._json import is_list
from ._model import SecretList, Unreadable


def codes_of(value: Any) -> SecretList:
    """The codes in an answer."""
    found: Any = cast("Mapping[str, Any]", value).get("codes")
    if is_list(found) and all(isinstance(code, str) for code in found):
        return SecretList(found)
    raise Unreadable("codes is no list of texts")

"""A call as the resources describe it, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, Generic, Literal, TypeVar, Union, cast
from urllib.parse import quote

from ._json import is_iterable, is_well_formed
from ._model import Model, time_json
from ._wire import SHAPES

T_co = TypeVar("T_co", covariant=True)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, Union[str, int, datetime, None]]


class Omit:
    """The type of `OMIT`."""

    def __repr__(self) -> str:
        return "OMIT"

    def __bool__(self) -> Literal[False]:
        return False


OMIT = Omit()
"""Stands for an argument that is not given. Where `None` is a value, it is sent as null."""


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request to the service."""

    operation: str
    """The operation's name in the contract."""
    method: Method
    path: str
    """Below the address, beginning with a slash; see `path`."""
    read: Callable[[Any], T_co] = field(repr=False)
    """Makes the result of what the answer holds."""
    query: Query = field(default_factory=dict[str, None], repr=False)
    body: Any = field(default=None, repr=False)
    """What becomes JSON; None if there is no body."""
    answer: Literal["json", "text", "nothing"] = "json"
    """What the answer is."""
    authenticated: bool = True
    """Whether the API key goes with it."""


def path(template: str, *ids: str) -> str:
    """A path with an id in the place of each `{}`, escaped.

    Raises:
        TypeError: If an id is no text.
        ValueError: If an id is empty, would mean another place in an address, or is no text that
            UTF-8 can carry.

    """
    for each in cast("tuple[Any, ...]", ids):
        if not isinstance(each, str):
            raise TypeError(f"an id is a text, not {type(each).__name__}")
        if each in {"", ".", ".."}:
            raise ValueError('an id must be a text that is not empty and neither "." nor ".."')
        if not is_well_formed(each):
            raise ValueError("an id is no text for UTF-8: it has half a pair of surrogates")
    return template.format(*(quote(each, safe="!*'()") for each in ids))


def body(schema: str, **members: Any) -> dict[str, Any]:
    """A body of a schema: names as the contract has them, without what was not given."""
    return cast("dict[str, Any]", _wire(schema, members))


def _wire(schema: str | None, value: Any) -> Any:
    """What a value is in JSON. Objects of no schema of the contract's own stay as they are."""
    if isinstance(value, datetime):
        return time_json(value)
    if isinstance(value, Model):
        return value.to_json()
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        if schema is None:
            return dict(members)
        shape = SHAPES[schema]
        told: dict[str, Any] = {}
        for name, member in members.items():
            if member is not OMIT:
                # A name that is not known is the service's to judge.
                in_json, inner = shape.get(name, (name, None))
                told[in_json] = _wire(inner, member)
        return told
    if is_iterable(value) and not isinstance(value, (str, bytes)):
        return [_wire(schema, item) for item in value]
    return value


def query_text(query: Query) -> dict[str, str]:
    """A query without what was not given.

    Raises:
        ValueError: If a text in it is none that UTF-8 can carry.

    """
    told = {
        name: time_json(value) if isinstance(value, datetime) else str(value)
        for name, value in query.items()
        if value is not None
    }
    for name, value in told.items():
        if not is_well_formed(value):
            raise ValueError(f"{name} is no text for UTF-8: it has half a pair of surrogates")
    return told


def nothing(value: Any) -> None:
    """Reads an answer that holds nothing."""
    del value


def as_is(value: Any) -> Any:
    """Reads an answer whose value is the result."""
    return value

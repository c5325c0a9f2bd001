"""What answers become: objects with the contract's members under Python's names.

An answer may have members that this version does not know, and lack some that it knows: the first
are kept for `Model.to_json`, the second cannot be read. A secret is not seen when an object is
printed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Callable, ClassVar, NamedTuple, TypeVar, cast

from ._json import is_list

HIDDEN = "[redacted]"

M = TypeVar("M", bound="Model")


class Unreadable(ValueError):
    """JSON that is not what the contract says; the message names the member, not its value."""


class Member(NamedTuple):
    """A member of an object: its name here and in JSON, how it is read, whether it is secret."""

    name: str
    json: str
    read: Callable[[Any, str], Any]
    secret: bool = False


def plain(value: Any, where: str) -> Any:
    """A value that is in Python what it is in JSON."""
    del where
    return value


def of(kind: type[M]) -> Callable[[Any, str], M | None]:
    """An object, or null."""

    def read(value: Any, where: str) -> M | None:
        return None if value is None else kind.from_json(value, where)

    return read


def each(kind: type[M]) -> Callable[[Any, str], list[M] | None]:
    """A list of objects, or null."""

    def read(value: Any, where: str) -> list[M] | None:
        if value is None:
            return None
        if not is_list(value):
            raise Unreadable(f"{where} is no list")
        return [kind.from_json(item, f"{where}[{at}]") for at, item in enumerate(value)]

    return read


_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def time(value: Any, where: str) -> datetime | None:
    """A time (RFC 3339), or null, in UTC."""
    if value is None:
        return None
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unreadable(f"{where} is no time")
    *parts, fraction, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    microseconds = int((fraction or "").ljust(6, "0"))
    try:
        year, month, day, hour, minute, second = map(int, parts)
        # RFC 3339 knows leap seconds; Python does not.
        local = datetime(
            year, month, day, hour, minute, min(second, 59), microseconds, tzinfo=timezone.utc
        )
        return local + ahead if sign == "-" else local - ahead
    except (ValueError, OverflowError):
        raise Unreadable(f"{where} is no time") from None


def time_json(value: datetime) -> str:
    """A time as JSON has it.

    Raises:
        ValueError: If it does not say in which time zone it is.

    """
    if value.tzinfo is None or value.utcoffset() is None:
        raise ValueError("a time needs a time zone, as in datetime.now(timezone.utc)")
    utc = value.astimezone(timezone.utc)
    unit = "milliseconds" if utc.microsecond % 1000 == 0 else "microseconds"
    return utc.isoformat(timespec=unit).replace("+00:00", "Z")


def to_json(value: Any) -> Any:
    """What a value of a model is in JSON."""
    if isinstance(value, Model):
        return value.to_json()
    if isinstance(value, datetime):
        return time_json(value)
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in cast("dict[str, Any]", value).items()}
    return value


class Model:
    """What all objects of answers are."""

    __slots__ = ("_unknown",)
    _members: ClassVar[tuple[Member, ...]] = ()

    @classmethod
    def from_json(cls: type[M], value: Any, where: str | None = None) -> M:
        """The object that JSON holds.

        Raises:
            ValueError: If it is none; the message names the member that is wrong, not its value.

        """
        where = where or cls.__name__
        if not isinstance(value, Mapping):
            raise Unreadable(f"{where} is no object")
        rest: dict[str, Any] = dict(cast("Mapping[str, Any]", value))
        made = object.__new__(cls)
        for member in cls._members:
            if member.json in rest:
                found = member.read(rest.pop(member.json), f"{where}.{member.json}")
                object.__setattr__(made, member.name, found)
        object.__setattr__(made, "_unknown", rest)
        return made

    def to_json(self) -> dict[str, Any]:
        """The object as JSON has it: with secrets, and with members that are not known here."""
        told = {m.json: to_json(getattr(self, m.name)) for m in self._members if self._has(m)}
        unknown: dict[str, Any] = getattr(self, "_unknown", {})
        return {**told, **unknown}

    def _has(self, member: Member) -> bool:
        try:
            object.__getattribute__(self, member.name)
        except AttributeError:
            return False
        return True

    if not TYPE_CHECKING:
        # Of which type checkers would learn that every name is there.
        def __getattr__(self, name: str) -> Any:
            # Reached only where there is nothing: an older service did not tell it.
            kind = type(self).__name__
            if any(member.name == name for member in self._members):
                raise AttributeError(f"the service told no {name} of this {kind}")
            raise AttributeError(f"{kind} has no {name}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{m.name}={self._shown(m)}" for m in self._members if self._has(m))
        return f"{type(self).__name__}({shown})"

    def _shown(self, member: Member) -> str:
        value = getattr(self, member.name)
        return HIDDEN if member.secret and value is not None else repr(value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_json() == cast("Model", other).to_json()

    def __hash__(self) -> int:
        return hash((type(self), json.dumps(self.to_json(), sort_keys=True)))

    # Frozen objects with slots are not copied by Python 3.9 as they are.
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[dict[str, Any]]]:
        return type(self).from_json, (self.to_json(),)


class SecretList(list[str]):
    """A list of secrets: printed, it does not show them; in every other way a list."""

    def __repr__(self) -> str:
        return repr([HIDDEN] * len(self))

"""Whether what was found fits what a case expects, by clients/conformance/README.md."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Callable


class Absent:
    """What stands for a member that is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


def _is(kind: Any, found: Any) -> bool:
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    return {
        "string": isinstance(found, str),
        "number": is_number,
        "boolean": isinstance(found, bool),
        "array": isinstance(found, list),
        "object": isinstance(found, dict),
    }[kind]


MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$type": _is,
    "$matches": lambda pattern, found: isinstance(found, str) and bool(re.search(pattern, found)),
    "$length": lambda length, found: isinstance(found, (list, str)) and len(found) == length,
    "$atMost": lambda most, found: _is("number", found) and found <= most,
    "$atLeast": lambda least, found: _is("number", found) and found >= least,
    "$absent": lambda absent, found: (found is ABSENT) == absent,
}


def fits(expected: Any, found: Any, where: str = "result") -> None:
    """Fails unless `found` fits `expected`."""
    if isinstance(expected, list):
        assert isinstance(found, list), f"{where} is no array: {found!r}"
        assert len(found) == len(expected), f"{where} has another length: {found!r}"
        for at, each in enumerate(expected):
            fits(each, found[at], f"{where}[{at}]")
    elif isinstance(expected, dict) and any(name.startswith("$") for name in expected):
        for name, argument in expected.items():
            assert name in MATCHERS, f"{where}: there is no matcher {name}"
            assert MATCHERS[name](argument, found), f"{where}: {found!r} is not {expected}"
    elif isinstance(expected, dict):
        assert isinstance(found, dict), f"{where} is no object: {found!r}"
        for name, member in expected.items():
            fits(member, found.get(name, ABSENT), f"{where}.{name}")
    elif _is("number", expected) and _is("number", found):
        # Times and shares of time are not whole numbers of what a computer counts in.
        assert math.isclose(expected, found, abs_tol=1e-6), f"{where}: {found} is not {expected}"
    else:
        same = type(found) is type(expected) and found == expected
        assert same, f"{where}: {found!r} is not {json.dumps(expected)}"

"""The cases of clients/conformance, and how they are done by this client."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import traceback
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import countersign
from countersign._model import Model

from .match import fits

FOLDER = Path(
    os.environ.get("COUNTERSIGN_CONFORMANCE") or Path(__file__).resolve().parents[3] / "conformance"
)

#: Objects of the WebAuthn standard, whose members keep the standard's names.
STANDARD = {"credential", "assertion"}


def files() -> list[str]:
    """The names of all files of cases."""
    return sorted(path.name for path in FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """A file of cases."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    knows(found, "about", "live", "cases")
    return found


def knows(what: Mapping[str, Any], *names: str) -> None:
    """Fails for a member that the suite does not know: it would not be judged."""
    unknown = set(what) - set(names)
    assert not unknown, f"the suite does not know {', '.join(sorted(unknown))}"


def snake(name: str) -> str:
    """A name of the contract as Python spells it."""
    known = name.replace("WebAuthn", "Webauthn").replace("OpenApi", "Openapi")
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", known).lower()


def camel(name: str) -> str:
    """A name of Python's as the contract spells it."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def spelled(value: Any) -> Any:
    """Options as Python spells them."""
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if isinstance(value, dict):
        return {
            snake(name): member if name in STANDARD else spelled(member)
            for name, member in value.items()
        }
    return value


def arguments(case: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the keyword arguments of a call."""
    given = list(case["arguments"])
    named = spelled(given.pop()) if given and isinstance(given[-1], dict) else {}
    options = case.get("options", {})
    knows(options, "idempotencyKey", "timeout")
    return given, {**named, **spelled(options)}


def method(client: Any, name: str) -> Callable[..., Any]:
    """A method by its name in the contract."""
    found: Any = client
    for part in name.split("."):
        found = getattr(found, snake(part))
    assert callable(found), f"there is no method {name}"
    called: Callable[..., Any] = found
    return called


def json_of(value: Any) -> Any:
    """What a result is in JSON, read from what callers read: its attributes."""
    if isinstance(value, countersign.TokenClaims):
        return value.to_json()
    if isinstance(value, Model):
        told = value.to_json()
        names = {member.name: member.json for member in value._members}
        seen = {
            names[field.name]: json_of(getattr(value, field.name))
            for field in dataclasses.fields(value)  # type: ignore[arg-type]
            if hasattr(value, field.name)
        }
        assert {name: told[name] for name in seen} == seen
        return {**told, **seen}
    if isinstance(value, datetime):
        assert value.utcoffset() == timezone.utc.utcoffset(None)
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, (list, tuple)):
        return [json_of(each) for each in value]
    if isinstance(value, dict):
        return {name: json_of(each) for name, each in value.items()}
    if isinstance(value, countersign.FieldError):
        return dataclasses.asdict(value)
    if isinstance(value, (countersign.Page, countersign.AsyncPage)):
        return {"data": json_of(value.data), "nextCursor": value.next_cursor}
    return value


def fails_as(
    expected: Mapping[str, Any], run: Callable[[], Any], secrets: tuple[str, ...] = ()
) -> None:
    """Fails unless `run` fails as expected."""
    try:
        value = run()
    except Exception as caught:
        error = caught
    else:
        raise AssertionError(f"it did not fail: {value!r}")
    members = {name: each for name, each in expected.items() if name not in {"type", "is"}}
    kind = expected["type"]
    assert type(error).__name__ == kind, f"{type(error).__name__}: {error}"
    for name in [kind, *expected.get("is", [])]:
        assert isinstance(error, getattr(countersign, name)), f"{kind} is no {name}"
    for name, member in members.items():
        found = str(error) if name == "message" else getattr(error, snake(name))
        fits(member, json_of(found), f"error.{name}")
    shown = [str(error), repr(error), str(error.args), _trace(error)]
    for secret in secrets:
        for text in shown:
            assert secret not in text, f"{secret} is shown: {text}"


def _trace(error: BaseException) -> str:
    """What a log has of an error."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))

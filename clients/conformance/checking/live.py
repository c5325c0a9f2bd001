"""The files whose cases run against a node: whether their steps can be taken at all."""

from __future__ import annotations

from typing import Any, Iterator

from .contract import OWN_CALLS, TOKEN_ERRORS, Contract, error_class
from .offline import TOKEN_REASONS, Case, error, expected_pattern, keys

PLACEHOLDERS = {"$fresh": "", "$saved": "", "$totp": "step", "$wrong": "", "$inbox": ""}
# Options of what a client does by itself.
OWN_OPTIONS = {"auth.verifyToken": {"acr", "maxAge", "issuer", "audience", "tenant", "timeout"}}


def positions(files: dict[str, dict[str, Any]]) -> dict[str, int]:
    """How many ids a call takes, by its cases in calls.json."""
    found: dict[str, int] = {"auth.verifyToken": 1}
    for case in files.get("calls.json", {}).get("cases", []):
        count = sum(not isinstance(each, dict) for each in case.get("arguments", []))
        found[case.get("call", "")] = max(found.get(case.get("call", ""), 0), count)
    return found


def live(contract: Contract, case: Case, ids: dict[str, int]) -> Iterator[str]:
    """A case of a live file."""
    yield from keys(case, "name steps")
    saved: dict[str, dict[str, Any] | None] = {}
    for number, step in enumerate(case.get("steps", []), 1):
        for wrong in taken(contract, step, saved, ids):
            yield f"step {number}: {wrong}"
    steps = case.get("steps", [])
    if not any("expect" in step or "error" in step for step in steps):
        yield "it expects nothing"


def taken(contract: Contract, step: Case, saved: dict, ids: dict[str, int]) -> Iterator[str]:
    """One step."""
    yield from keys(step, "call arguments", "options apiKey save expect error")
    call, arguments = step.get("call", ""), step.get("arguments", [])
    if call not in contract.by_call and call not in OWN_CALLS:
        yield f"the surface has no {call}"
        return
    yield from keys(step.get("options", {}), "", "idempotencyKey timeout")
    if "error" in step and ("expect" in step or "save" in step):
        yield "what fails gives nothing to expect or save"
    yield from placeholders(contract, [arguments, step.get("apiKey")], saved)
    given = [each for each in arguments if not is_options(each)]
    if len(given) != ids.get(call, 0):
        yield f"{call} takes {ids.get(call, 0)} ids, and not {len(given)}"
    if "error" not in step:
        for options in (each for each in arguments if is_options(each)):
            yield from known_options(contract, call, options)
    else:
        yield from failing(contract, call, step["error"])
    schema = contract.result(call) if call in contract.by_call else None
    if "expect" in step:
        yield from expected_pattern(step["expect"])
        if schema is not None:
            yield from known_members(contract, step["expect"], schema, "expect")
    if "save" in step:
        saved[step["save"]] = schema


def failing(contract: Contract, call: str, expected: Case) -> Iterator[str]:
    """An error that a step expects."""
    yield from expected_pattern(expected)
    if call in OWN_CALLS and expected.get("type") in TOKEN_ERRORS:
        yield from keys(expected, "type", "is reason message")
        if "reason" in expected and expected["reason"] not in TOKEN_REASONS:
            yield f"nobody knows the reason {expected['reason']}"
        return
    yield from error(expected)
    yield from documented(contract, call, expected)


def is_options(argument: Any) -> bool:
    return isinstance(argument, dict) and not any(name.startswith("$") for name in argument)


def placeholders(contract: Contract, what: Any, saved: dict) -> Iterator[str]:
    """That what stands for something known later is known by then."""
    if isinstance(what, list):
        for each in what:
            yield from placeholders(contract, each, saved)
    if not isinstance(what, dict):
        return
    names = [name for name in what if name.startswith("$")]
    if not names:
        for each in what.values():
            yield from placeholders(contract, each, saved)
        return
    name = names[0]
    if name not in PLACEHOLDERS:
        yield f"there is no {name}"
        return
    yield from keys(what, name, PLACEHOLDERS[name])
    if not isinstance(what[name], str):
        # README allows texts alone: what was saved is asked for by name.
        yield f"{name} takes a text, and not {what[name]!r}"
    elif name in ("$saved", "$totp", "$wrong"):
        first, *rest = what[name].split(".")
        if first not in saved:
            yield f"nothing was saved as {first}"
        elif saved[first] is not None:
            yield from reachable(contract, saved[first], rest, what[name])


def reachable(contract: Contract, schema: dict, parts: list[str], where: str) -> Iterator[str]:
    """That a result has the part that is asked for."""
    for part in parts:
        items, members = contract.schemas.items(schema), contract.schemas.members(schema)
        if part.isdigit() and items is not None:
            schema = items
        elif members is not None and part in members:
            schema = members[part]
        elif members is not None or items is not None:
            yield f"{where}: a result has no {part}"
            return
        else:
            return


def known_options(contract: Contract, call: str, options: Case) -> Iterator[str]:
    """That options are such that the operation has a place for."""
    if call in OWN_OPTIONS:
        for name in set(options) - OWN_OPTIONS[call]:
            yield f"{call} has no option {name}"
        return
    operation = contract.operations[contract.by_call[call]]
    members = (contract.schemas.members(operation.body) or {}) if operation.body else {}
    for name, value in options.items():
        if name in operation.named("query"):
            continue
        if name not in members:
            yield f"{operation.id} has no option {name}"
        else:
            yield from known_members(contract, value, members[name], f"option {name}")


def known_members(contract: Contract, what: Any, schema: dict, where: str) -> Iterator[str]:
    """That names and words are those of a schema."""
    if isinstance(what, dict):
        if any(name.startswith("$") for name in what):
            return
        members = contract.schemas.members(schema)
        for name, value in what.items():
            if members is None:
                return
            if value == {"$absent": True}:
                continue
            if name not in members:
                # A request may say more where the document leaves that open; what is expected of
                # an answer must be something that it tells.
                if where.startswith("expect") or contract.schemas.is_closed(schema):
                    yield f"{where}: there is no {name}"
            else:
                yield from known_members(contract, value, members[name], f"{where}.{name}")
    elif isinstance(what, list):
        items = contract.schemas.items(schema)
        for index, each in enumerate(what):
            if items is not None:
                yield from known_members(contract, each, items, f"{where}.{index}")
    elif isinstance(what, str):
        words = contract.schemas.words(schema)
        if words and what not in words:
            yield f"{where}: {what} is none of {', '.join(map(str, words))}"


def documented(contract: Contract, call: str, expected: Case) -> Iterator[str]:
    """That an error is one that the operation's page tells of."""
    if call not in contract.by_call:
        return
    operation = contract.operations[contract.by_call[call]]
    status, code = expected.get("status"), expected.get("code")
    statuses = [status] if status is not None else [int(each) for each in operation.responses]
    if status is not None and str(status) not in operation.responses:
        yield f"{operation.id} does not answer {status}"
    elif isinstance(code, str) and not any(code in operation.codes(each) for each in statuses):
        yield f"{operation.id} does not answer {status or ''} {code}"
    elif isinstance(code, str):
        fitting = {error_class(each, code) for each in statuses if code in operation.codes(each)}
        if expected.get("type") not in fitting | {"ProblemError", "CountersignError"}:
            yield f"{code} is a {' or '.join(sorted(fitting))}"

"""Every operation of the contract has its method, in both clients, and none is unlisted."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any, get_type_hints

import pytest
from support.cases import FOLDER, snake

import countersign
from countersign import AsyncCountersign, Countersign
from countersign._wire import SHAPES

CONTRACT = FOLDER.parent
SURFACE: dict[str, str] = json.loads((CONTRACT / "surface.json").read_text("utf-8"))
DOCUMENT: dict[str, Any] = json.loads((CONTRACT / "openapi.json").read_text("utf-8"))

OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {**operation, "path": path, "method": method}
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

#: Methods that are no operation.
HELPERS = {"auth.verify_token", "webhooks.verify"}
#: What concerns the call alone.
OPTIONS = {"timeout", "idempotency_key"}
#: Short lists are given whole: their pages are this client's own business.
WHOLE = {"listFactors", "listTrustedDevices"}

SYNC = Countersign(base_url="http://node", api_key="csk_1")
ASYNC = AsyncCountersign(base_url="http://node", api_key="csk_1")


def found(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, snake(part))
    return client


def parameters_of(operation: str) -> list[dict[str, Any]]:
    """What an operation takes in its path and its query."""
    given = OPERATIONS[operation].get("parameters", [])
    kept = DOCUMENT["components"].get("parameters", {})
    return [kept[each["$ref"].rsplit("/", 1)[1]] if "$ref" in each else each for each in given]


def body_of(operation: str) -> str:
    """The schema of an operation's body."""
    content = OPERATIONS[operation].get("requestBody", {}).get("content", {})
    schema: str = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return schema.rpartition("/")[2]


def methods(client: Any, before: str = "") -> set[str]:
    """All methods of a client's resources."""
    names: set[str] = set()
    for name, member in vars(client).items():
        if not name.startswith("_"):
            names |= {
                f"{before}{name}.{each}"
                for each, _ in inspect.getmembers(member, inspect.ismethod)
                if not each.startswith("_")
            } | methods(member, f"{before}{name}.")
    return names


def test_the_surface_names_every_operation() -> None:
    assert set(SURFACE) == set(OPERATIONS)


@pytest.mark.parametrize("client", [SYNC, ASYNC])
def test_there_is_a_method_for_every_operation_and_no_other(client: Any) -> None:
    listed = {".".join(snake(part) for part in name.split(".")) for name in SURFACE.values()}
    assert methods(client) == listed | HELPERS


@pytest.mark.parametrize("operation", sorted(SURFACE))
def test_a_method_takes_what_its_operation_takes(operation: str) -> None:
    contract = OPERATIONS[operation]
    given = parameters_of(operation)
    ids = [snake(each["name"]) for each in given if each["in"] == "path"]
    rest = {snake(each["name"]) for each in given if each["in"] == "query"}
    rest |= set(SHAPES.get(body_of(operation), {}))
    if operation in WHOLE:
        rest -= {"limit", "cursor"}
    if operation == "createChallenge":
        ids, rest = ["user_id"], rest - {"user_id"}
    options = {"timeout"} if contract["method"] == "get" else OPTIONS

    parameters = inspect.signature(found(SYNC, SURFACE[operation])).parameters
    kinds = inspect.Parameter
    positional = [n for n, p in parameters.items() if p.kind is kinds.POSITIONAL_OR_KEYWORD]
    named = {n for n, p in parameters.items() if p.kind is kinds.KEYWORD_ONLY}
    assert positional == ids
    assert named == rest | options


@pytest.mark.parametrize("operation", sorted(name for name in SURFACE if body_of(name)))
def test_what_is_required_is_required(operation: str) -> None:
    schema = DOCUMENT["components"]["schemas"][body_of(operation)]
    required = {snake(name) for name in schema.get("required", [])}
    given = parameters_of(operation)
    ids = {snake(each["name"]) for each in given if each["in"] == "path"}
    parameters = inspect.signature(found(SYNC, SURFACE[operation])).parameters
    demanded = {n for n, p in parameters.items() if p.default is inspect.Parameter.empty}
    assert demanded == required | ids


@pytest.mark.parametrize("name", sorted({*SURFACE.values(), *HELPERS}))
def test_both_clients_take_the_same(name: str) -> None:
    one = inspect.signature(found(SYNC, name))
    other = inspect.signature(found(ASYNC, name))
    assert one.parameters == other.parameters
    result = re.sub(r"\bAsyncList\b", "Page", str(other.return_annotation))
    assert str(one.return_annotation) == result
    assert inspect.getdoc(found(SYNC, name))


def test_both_clients_are_made_of_the_same() -> None:
    one = inspect.signature(Countersign).parameters
    other = inspect.signature(AsyncCountersign).parameters
    assert list(one) == list(other)
    assert [each.default for each in one.values()] == [each.default for each in other.values()]


def test_everything_public_says_what_it_is() -> None:
    silent: list[str] = []
    for module in (countersign, countersign.types, countersign.params, countersign.resources):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found):
                members = [m for m in vars(found) if not m.startswith("_")]
                silent += [
                    f"{module.__name__}.{name}.{member}"
                    for member in members
                    if inspect.isfunction(getattr(found, member))
                    and not inspect.getdoc(getattr(found, member))
                ]
                if not found.__doc__:
                    silent.append(f"{module.__name__}.{name}")
    assert silent == []


def test_what_types_are_can_be_asked_at_run_time() -> None:
    # As FastAPI and pydantic do, on every Python.
    for module in (countersign.types, countersign.params):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found):
                assert get_type_hints(found)


def test_an_example_awaits_in_the_asynchronous_client_alone() -> None:
    for name in ("updatePolicy", "createChallenge", "verifyChallenge"):
        assert "await client." in (inspect.getdoc(found(ASYNC, SURFACE[name])) or "")
        assert "await" not in (inspect.getdoc(found(SYNC, SURFACE[name])) or "")

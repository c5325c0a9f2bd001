"""What the cases are held to: the server's document, the clients' surface, and the words that
README.md here and the one above it give to things."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import unquote

from .schema import Schemas

CLIENTS = Path(__file__).resolve().parents[2]

PROBLEMS = {
    "InvalidRequestError", "AuthenticationError", "PermissionDeniedError", "NotFoundError",
    "ConflictError", "ExpiredError", "InvalidCodeError", "RateLimitError", "ServerError",
    "UnavailableError",
}  # fmt: skip
ERRORS = PROBLEMS | {"CountersignError", "ConnectionError", "TimeoutError", "ProblemError"}
# Of `auth.verifyToken` alone, which asks the service for keys and for nothing else.
TOKEN_ERRORS = {"TokenError"}
WRONG_PROOFS = {
    "invalid_code", "code_already_used", "invalid_assertion", "authenticator_clock_off",
    "authenticator_settings_ignored",
}  # fmt: skip
ERROR_MEMBERS = {
    "type", "is", "code", "status", "detail", "requestId", "retryAfter", "errors",
    "attemptsRemaining", "clockOffsetSeconds", "reason", "message",
}  # fmt: skip
# What a client does by itself, and live cases may call.
OWN_CALLS = {"auth.verifyToken"}


def error_class(status: int, code: str) -> str:
    """The class that a status and a code become, by the table in ../README.md."""
    if code in WRONG_PROOFS and status == 422:
        return "InvalidCodeError"
    named = {
        401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
        409: "ConflictError", 410: "ExpiredError", 429: "RateLimitError", 503: "UnavailableError",
    }  # fmt: skip
    return named.get(status, "ServerError" if status >= 500 else "InvalidRequestError")


def as_sent(text: str, schema: dict[str, Any]) -> Any:
    """What the text in an address means for a schema: digits are a number where one is due."""
    return int(text) if "integer" in schema.get("type", "string") and text.isdigit() else text


@dataclass
class Operation:
    """An operation of the document."""

    id: str
    method: str
    path: str
    parameters: list[dict[str, Any]]
    body: dict[str, Any] | None
    body_required: bool
    responses: dict[str, Any]

    def named(self, place: str) -> dict[str, dict[str, Any]]:
        """Parameters of the path or the query."""
        return {each["name"]: each for each in self.parameters if each["in"] == place}

    def success(self) -> dict[str, Any] | None:
        """The schema of the answer that tells of success; None if it has no JSON."""
        for status, response in self.responses.items():
            content = response.get("content", {}).get("application/json")
            if status.startswith("2") and content:
                return content["schema"]
        return None

    def codes(self, status: int) -> set[str]:
        """The codes that problems of a status may have."""
        content = self.responses[str(status)].get("content", {})
        return set(content.get("application/problem+json", {}).get("examples", {}))


class Contract:
    """Document and surface."""

    def __init__(self, document: dict[str, Any], surface: dict[str, str]):
        self.document = document
        self.schemas = Schemas(document)
        self.surface = surface
        self.operations = {each.id: each for each in self._operations()}
        self.by_call = {call: operation for operation, call in surface.items()}
        self.problem = {"$ref": "#/components/schemas/Problem"}
        problem = self.schemas.resolve(self.problem)
        self.problem_codes: set[str] = set(self.schemas.words(problem["properties"]["code"]))

    @classmethod
    def read(cls) -> Contract:
        """Those that lie above the cases."""
        document = json.loads((CLIENTS / "openapi.json").read_text(encoding="utf-8"))
        surface = json.loads((CLIENTS / "surface.json").read_text(encoding="utf-8"))
        return cls(document, surface)

    def _operations(self) -> Iterator[Operation]:
        for path, methods in self.document["paths"].items():
            for method, found in methods.items():
                body = found.get("requestBody", {})
                yield Operation(
                    id=found["operationId"],
                    method=method.upper(),
                    path=path,
                    parameters=[self.schemas.resolve(each) for each in found["parameters"]],
                    body=body["content"]["application/json"]["schema"] if body else None,
                    body_required=body.get("required", False),
                    responses={
                        status: self.schemas.resolve(each)
                        for status, each in found["responses"].items()
                    },
                )

    def misfits(self, value: Any, schema: dict[str, Any], what: str) -> Iterator[str]:
        """In what a value does not fit a schema."""
        for misfit in self.schemas.misfits(value, schema):
            yield f"{what} {misfit}"

    def path_misfits(self, operation: Operation, path: str) -> Iterator[str]:
        """In what a path as it is sent does not fit an operation's template."""
        template = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", operation.path)
        )
        found = re.fullmatch(template, path)
        if found is None:
            yield f"path {path} does not fit {operation.path}"
            return
        for name, sent in found.groupdict().items():
            schema = self.schemas.resolve(operation.named("path")[name]["schema"])
            value = as_sent(unquote(sent), schema)
            yield from self.misfits(value, schema, f"path parameter {name}")

    def query_misfits(self, operation: Operation, query: dict[str, str]) -> Iterator[str]:
        """In what a query does not fit an operation."""
        known = operation.named("query")
        for name, sent in query.items():
            if name not in known:
                yield f"query: {operation.id} has no parameter {name}"
            elif not isinstance(sent, str):
                yield f"query: {name} is {sent!r}, and not the text that is sent"
            else:
                schema = self.schemas.resolve(known[name]["schema"])
                value = as_sent(sent, schema)
                yield from self.misfits(value, schema, f"query parameter {name}")
        for name, parameter in known.items():
            if parameter.get("required") and name not in query:
                yield f"query: {operation.id} demands {name}"

    def result(self, call: str) -> dict[str, Any] | None:
        """The schema of what a call gives; None if that is nothing, or no JSON."""
        schema = self.operations[self.by_call[call]].success()
        if schema is None:
            return None
        members = self.schemas.members(schema) or {}
        if call in ("auth.mfa.listFactors", "auth.mfa.listDevices"):
            return members["data"]
        if call in ("auth.mfa.generateRecoveryCodes", "auth.mfa.regenerateRecoveryCodes"):
            return members["codes"]
        return schema

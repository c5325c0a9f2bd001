"""The files whose cases need no node: calls, errors, retries, tokens, webhooks."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator

from .contract import ERRORS, ERROR_MEMBERS, PROBLEMS, Contract, Operation, error_class

Case = dict[str, Any]
Checks = Callable[[Contract, Case], Iterator[str]]

TOKEN_REASONS = {
    "malformed", "algorithm", "unknown_key", "signature", "expired", "not_yet_valid", "issuer",
    "audience", "tenant", "acr", "too_old", "keys_unavailable",
}  # fmt: skip
WEBHOOK_REASONS = {"missing_header", "malformed", "timestamp", "signature"}

# Problems that no operation answers yet, and clients know nevertheless.
RESERVED = {"rate_limited"}

# Answers that are not the service's, for which the document has no word: those of a newer version,
# and of what stands between.
NOT_OURS = {
    "a code of a newer service keeps its name",
    "a status of a newer service is a wrong request",
    "field errors of a shape that nobody knows are left out",
    "an answer of a newer service is taken as it is",
    "a factor of a newer service is taken as it is",
}


def keys(what: Case, needed: str, allowed: str = "") -> Iterator[str]:
    """Members that are missing, and such that nobody reads."""
    for name in needed.split():
        if name not in what:
            yield f"there is no {name}"
    for name in what:
        if name not in needed.split() + allowed.split():
            yield f"nobody knows the key {name}"


def one_of(what: Case, *names: str) -> Iterator[str]:
    """That a case expects one thing."""
    if sum(name in what for name in names) != 1:
        yield f"it needs either {' or '.join(names)}"


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def known_call(contract: Contract, what: Case) -> Iterator[str]:
    """That the surface has the method, and that arguments are a list."""
    if what.get("call") not in contract.by_call:
        yield f"the surface has no {what.get('call')}"
    if not isinstance(what.get("arguments"), list):
        yield "arguments are no array"


def error(expected: Any) -> Iterator[str]:
    """That an expected error has a class, and members that errors have."""
    if expected.get("type") not in ERRORS:
        yield f"error: there is no class {expected.get('type')}"
    for name in expected.get("is", []):
        if name not in ERRORS:
            yield f"error: there is no class {name}"
    for name in set(expected) - ERROR_MEMBERS:
        yield f"error: errors have no {name}"
    if expected.get("type") not in PROBLEMS:
        for name in set(expected) & {"code", "status", "retryAfter", "errors", "attemptsRemaining"}:
            yield f"error: {expected.get('type')} is no problem and has no {name}"


def expected_pattern(what: Any) -> Iterator[str]:
    """That every matcher in an expectation is one of README's, with an argument that fits."""
    if isinstance(what, list):
        for each in what:
            yield from expected_pattern(each)
    if not isinstance(what, dict):
        return
    for name, argument in what.items():
        if not name.startswith("$"):
            yield from expected_pattern(argument)
            continue
        fits = {
            "$type": argument in ("string", "number", "boolean", "array", "object"),
            "$matches": isinstance(argument, str),
            "$length": isinstance(argument, int),
            "$atMost": isinstance(argument, (int, float)),
            "$atLeast": isinstance(argument, (int, float)),
            "$absent": argument is True,
        }
        if not fits.get(name, False):
            yield f"there is no matcher {name} of {argument!r}"
        elif name == "$matches":
            try:
                re.compile(argument)
            except re.error as cause:
                yield f"$matches: {argument}: {cause}"


def problem(contract: Contract, answer: Case) -> Iterator[str]:
    """That a problem is one of the service's."""
    status, body = answer["status"], answer["body"]
    if body.get("code") not in contract.problem_codes:
        yield f"answer: nobody knows the problem {body.get('code')}"
    elif not 400 <= status <= 599 or str(body.get("status")) != str(status):
        yield f"answer: a problem of status {body.get('status')} came with {status}"
    else:
        yield from contract.misfits(body, contract.problem, "answer")
        if body.get("type") != f"/problems/{body['code'].replace('_', '-')}":
            yield f"answer: {body.get('type')} is no page of {body['code']}"


def is_problem(answer: Case) -> bool:
    """Whether an answer says of itself that it is a problem."""
    return "problem+json" in answer.get("headers", {}).get("content-type", "")


def calls(contract: Contract, case: Case) -> Iterator[str]:
    """A case of calls.json."""
    yield from keys(case, "name operation call arguments request answer", "result error iterate")
    yield from one_of(case, "result", "error")
    yield from known_call(contract, case)
    operation = contract.operations.get(case.get("operation", ""))
    if operation is None:
        yield f"the document has no operation {case.get('operation')}"
        return
    if contract.surface.get(operation.id) != case["call"]:
        yield f"{operation.id} is {contract.surface.get(operation.id)}, and not {case['call']}"
    requests, answers = many(case["request"]), many(case["answer"])
    if len(requests) != len(answers):
        yield f"{len(requests)} requests have {len(answers)} answers"
    for request in requests:
        yield from sent(contract, operation, request)
    for answer in answers:
        yield from answered(contract, operation, answer, case)
    if "error" in case:
        yield from error(case["error"])
    yield from expected_pattern(case.get("result"))


def sent(contract: Contract, operation: Operation, request: Case) -> Iterator[str]:
    """A request of calls.json."""
    yield from keys(request, "method path query body idempotent")
    if request["method"] != operation.method:
        yield f"{operation.id} is asked by {operation.method}, and not {request['method']}"
    yield from contract.path_misfits(operation, request["path"])
    yield from contract.query_misfits(operation, request["query"])
    if operation.body is None:
        if request["body"] is not None:
            yield f"{operation.id} takes no body"
    elif request["body"] is None:
        if operation.body_required:
            yield f"{operation.id} demands a body"
    else:
        yield from contract.misfits(request["body"], operation.body, "body")
    takes_key = "Idempotency-Key" in operation.named("header")
    if request["idempotent"] is not takes_key:
        yield f"{operation.id} takes {'a' if takes_key else 'no'} key of idempotency"


def answered(contract: Contract, operation: Operation, answer: Case, case: Case) -> Iterator[str]:
    """An answer of calls.json."""
    yield from keys(answer, "status", "headers body")
    response = operation.responses.get(str(answer["status"]))
    if response is None:
        yield f"{operation.id} does not answer {answer['status']}"
        return
    if case["name"] in NOT_OURS:
        return
    content: Case = response.get("content", {})
    body: Any = answer.get("body")
    if answer["status"] >= 400 and not isinstance(body, dict):
        yield "answer: a refusal is a problem"
        return
    if answer["status"] >= 400:
        yield from problem(contract, answer)
        if body.get("code") not in operation.codes(answer["status"]):
            yield f"{operation.id} does not answer {answer['status']} {body.get('code')}"
    elif "application/json" in content:
        yield from contract.misfits(body, content["application/json"]["schema"], "answer")
    elif not content and body not in (None, ""):
        yield f"{operation.id} answers {answer['status']} without a body"
    elif content and not isinstance(body, str):
        yield f"{operation.id} answers text"


def errors(contract: Contract, case: Case) -> Iterator[str]:
    """A case of errors.json."""
    yield from keys(case, "name call arguments answer error", "secrets")
    yield from known_call(contract, case)
    yield from error(case["error"])
    yield from expected_pattern(case["error"])
    answer = case["answer"]
    yield from keys(answer, "status", "headers body")
    if is_problem(answer) and case["name"] not in NOT_OURS:
        yield from problem(contract, answer)
        status, code = answer["status"], answer["body"]["code"]
        if case["error"]["type"] != error_class(status, code):
            yield f"{status} {code} is a {error_class(status, code)}"
        answers = [each for each in contract.operations.values() if str(status) in each.responses]
        if code not in RESERVED and not any(code in each.codes(status) for each in answers):
            yield f"no operation answers {status} {code}"
    for secret in case.get("secrets", []):
        if not isinstance(secret, str) or not secret:
            yield f"{secret!r} is no secret"


def retries(contract: Contract, case: Case) -> Iterator[str]:
    """A case of retries.json."""
    more = "client options result error then random now"
    yield from keys(case, "name call arguments exchanges client", more)
    yield from keys(case.get("client", {}), "baseUrls", "maxRetries timeout")
    for index, step in enumerate([case, *case.get("then", [])]):
        if index > 0:
            yield from keys(step, "call arguments exchanges", "options result error")
        yield from known_call(contract, step)
        yield from one_of(step, "result", "error")
        yield from keys(step.get("options", {}), "", "idempotencyKey timeout")
        if "error" in step:
            yield from error(step["error"])
            yield from expected_pattern(step["error"])
        for exchange in step["exchanges"]:
            yield from exchanged(contract, step, case["client"]["baseUrls"], exchange)


def exchanged(contract: Contract, step: Case, urls: list[str], exchange: Case) -> Iterator[str]:
    """An attempt of retries.json."""
    yield from keys(exchange, "to outcome", "waited attemptTimeout key")
    if exchange["to"].rstrip("/") not in [url.rstrip("/") for url in urls]:
        yield f"the client does not know {exchange['to']}"
    yield from expected_pattern(exchange.get("waited"))
    yield from expected_pattern(exchange.get("attemptTimeout"))
    outcome = exchange["outcome"]
    yield from one_of(outcome, "refused", "broken", "silent", "status")
    if "status" in outcome:
        yield from keys(outcome, "status", "headers body")
        if is_problem(outcome):
            code = outcome["body"].get("code")
            if code not in contract.problem_codes:
                yield f"nobody knows the problem {code}"
            operation = contract.operations[contract.by_call[step["call"]]]
            if outcome["status"] != outcome["body"].get("status"):
                yield f"a problem of {outcome['body'].get('status')} came with {outcome['status']}"
            if str(outcome["status"]) not in operation.responses:
                yield f"{operation.id} does not answer {outcome['status']}"
    else:
        yield from keys(outcome, "", "refused broken silent")


def tokens(contract: Contract, case: Case) -> Iterator[str]:
    """A case of tokens.json."""
    more = "options claims reason fetches steps headers"
    yield from keys(case, "name facts jwks token now", more)
    if case["facts"] is not None:
        schema = {"$ref": "#/components/schemas/TokenFacts"}
        yield from contract.misfits(case["facts"], schema, "facts")
    for index, step in enumerate([case, *case.get("steps", [])]):
        if index > 0:
            yield from keys(step, "token now", "options claims reason fetches")
        yield from one_of(step, "claims", "reason")
        if "reason" in step and step["reason"] not in TOKEN_REASONS:
            yield f"nobody knows the reason {step['reason']}"
        yield from keys(step.get("options", {}), "", "acr maxAge issuer audience tenant timeout")


def webhooks(contract: Contract, case: Case) -> Iterator[str]:
    """A case of webhooks.json."""
    yield from keys(case, "name secrets headers body now", "event reason")
    yield from one_of(case, "event", "reason")
    if "reason" in case and case["reason"] not in WEBHOOK_REASONS:
        yield f"nobody knows the reason {case['reason']}"
    if not isinstance(case["body"], str):
        yield "the body is no text"


FILES: dict[str, Checks] = {
    "calls.json": calls,
    "errors.json": errors,
    "retries.json": retries,
    "tokens.json": tokens,
    "webhooks.json": webhooks,
}


def coverage(contract: Contract, files: dict[str, dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """What the files must have a case of, and whether they have."""
    cases = {name: files.get(name, {}).get("cases", []) for name in FILES}
    tried = {case.get("operation") for case in cases["calls.json"]}
    for operation in contract.operations:
        yield f"calls.json has a case of {operation}", operation in tried
    for operation in contract.operations:
        yield f"surface.json has a method for {operation}", operation in contract.surface
    for operation in contract.surface:
        yield f"{operation} of surface.json exists", operation in contract.operations
    answers = [case.get("answer", {}).get("body") for case in cases["errors.json"]]
    codes = {body.get("code") for body in answers if isinstance(body, dict)}
    for code in sorted(contract.problem_codes):
        yield f"errors.json has a case of {code}", code in codes
    types = {
        case["error"]["type"]
        for name in ("errors.json", "retries.json")
        for case in cases[name]
        if "error" in case
    }
    for name in sorted(PROBLEMS | {"ConnectionError", "TimeoutError"}):
        yield f"a case expects {name}", name in types
    for name, reasons in (("tokens.json", TOKEN_REASONS), ("webhooks.json", WEBHOOK_REASONS)):
        steps = [step for case in cases[name] for step in [case, *case.get("steps", [])]]
        for reason in sorted(reasons):
            found = any(step.get("reason") == reason for step in steps)
            yield f"{name} has a case of {reason}", found

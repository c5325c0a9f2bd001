"""Every case of clients/conformance that needs no service, with both kinds of clients."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Callable

import httpx
import pytest
from support.cases import arguments, fails_as, files, json_of, knows, method, read, spelled
from support.match import fits
from support.stage import KEY, Face, Hands, allowed, answer, play

from countersign import TokenError, WebhookSignatureError

Case = Mapping[str, Any]

DOCUMENTS = re.compile(r"/(healthz|readyz|metrics|openapi|docs|problems|\.well-known)")


def sent(request: httpx.Request) -> dict[str, Any]:
    """What was sent."""
    raw_path = request.url.raw_path.decode("ascii").partition("?")[0]
    is_document = DOCUMENTS.match(raw_path)
    expected = None if is_document else f"Bearer {KEY}"
    assert request.headers.get("authorization") == expected
    assert re.search(r"json|\*/\*", request.headers["accept"])
    assert request.headers["user-agent"].startswith("countersign-")
    return {
        "method": request.method,
        "path": raw_path,
        "query": dict(request.url.params),
        "body": json.loads(request.content) if request.content else None,
        "idempotent": "idempotency-key" in request.headers,
    }


def many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def calls(case: Case, face: Face) -> None:
    knows(
        case,
        *("name", "operation", "call", "arguments", "options", "iterate"),
        *("request", "answer", "result", "error"),
    )
    answers, requests = many(case["answer"]), list[Any]()

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(sent(request))
        assert len(requests) <= len(answers), "more was asked than the case answers"
        return answer(answers[len(requests) - 1])

    client = face.client(handle, Hands(), base_url="http://node")
    positional, named = arguments(case)

    def run() -> Any:
        result = method(client, case["call"])(*positional, **named)
        return json_of(face.rows(result) if case.get("iterate") else face.run(result))

    if "error" in case:
        fails_as(case["error"], run)
    else:
        fits(case["result"], run())
    assert requests == many(case["request"])


def errors(case: Case, face: Face) -> None:
    knows(case, "name", "call", "arguments", "options", "answer", "error", "secrets")

    def handle(request: httpx.Request) -> httpx.Response:
        del request
        return answer(case["answer"])

    client = face.client(handle, Hands(), base_url="http://node", max_retries=0)
    positional, named = arguments(case)

    def run() -> Any:
        return face.run(method(client, case["call"])(*positional, **named))

    fails_as(case["error"], run, tuple(case.get("secrets", [])))


def retries(case: Case, face: Face) -> None:
    knows(
        case,
        *("name", "client", "call", "arguments", "options", "exchanges"),
        *("result", "error", "random", "now", "then"),
    )
    knows(case["client"], "baseUrls", "maxRetries", "timeout")
    clock = Hands(case.get("now", 1_764_000_000), case.get("random", 0.5))
    exchanges, keys = list[Any](), list[Any]()

    def handle(request: httpx.Request) -> httpx.Response:
        assert len(keys) < len(exchanges), "there was one attempt too many"
        expected = exchanges[len(keys)]
        knows(expected, "to", "waited", "attemptTimeout", "key", "outcome")
        url = str(request.url)
        assert url.startswith(f"{expected['to']}/v1/"), f"{url} is not at {expected['to']}"
        if "waited" in expected:
            fits(expected["waited"], clock.waited, "waited")
        if "attemptTimeout" in expected:
            fits(expected["attemptTimeout"], allowed(request, clock), "attemptTimeout")
        key = request.headers.get("idempotency-key")
        if "key" in expected:
            assert key == expected["key"]
        keys.append(key)
        clock.waited = 0.0
        return play(expected["outcome"], request, clock)

    options = spelled(case["client"])
    client = face.client(handle, clock, base_url=options.pop("base_urls"), **options)
    seen = set[Any]()
    for step in [case, *case.get("then", [])]:
        exchanges[:], keys[:] = step["exchanges"], []
        clock.waited = 0.0
        positional, named = arguments(step)

        def run(step: Any = step, args: Any = (positional, named)) -> Any:
            return json_of(face.run(method(client, step["call"])(*args[0], **args[1])))

        if "error" in step:
            fails_as(step["error"], run)
        else:
            fits(step["result"], run())
        assert len(keys) == len(exchanges), "there were too few attempts"
        assert len(set(keys)) == 1, "the key changed between attempts"
        assert keys[0] is None or keys[0] not in seen, "two calls had one key"
        seen.add(keys[0])


def tokens(case: Case, face: Face) -> None:
    members = ("token", "now", "options", "claims", "reason", "fetches")
    knows(case, "name", "facts", "jwks", "headers", "steps", *members)
    clock = Hands(case["now"])
    fetched = list[str]()

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/tokens":
            return answer({"status": 500} if case["facts"] is None else {"body": case["facts"]})
        assert request.url.path == "/.well-known/jwks.json"
        assert len(fetched) < len(case["jwks"]), "the keys were fetched once too often"
        published = case["jwks"][len(fetched)]
        fetched.append("")
        if isinstance(published, int):
            return answer({"status": published})
        return answer({"body": published, "headers": case.get("headers", {})})

    client = face.client(handle, clock, base_url="http://node", max_retries=0)
    for step in [case, *case.get("steps", [])]:
        if step is not case:
            knows(step, *members)
        clock.move_to(step["now"])
        named = spelled(step.get("options") or {})
        if "reason" in step:
            with pytest.raises(TokenError) as found:
                face.run(client.auth.verify_token(step["token"], **named))
            assert found.value.reason == step["reason"], str(found.value)
            assert len(step["token"]) < 8 or step["token"] not in str(found.value)
        else:
            claims = face.run(client.auth.verify_token(step["token"], **named))
            fits(step["claims"], claims.to_json())
            for name, value in step["claims"].items():
                assert getattr(claims, name) == value
        if "fetches" in step:
            assert len(fetched) == step["fetches"], "fetches"


def webhooks(case: Case, face: Face) -> None:
    knows(case, "name", "secrets", "headers", "body", "now", "event", "reason")
    client = face.client(None, Hands(case["now"]), base_url="http://node")
    content = case["body"].encode()
    for body in (case["body"], content, bytearray(content), memoryview(content)):
        for headers in (case["headers"], httpx.Headers(case["headers"])):
            if "reason" in case:
                with pytest.raises(WebhookSignatureError) as found:
                    client.webhooks.verify(body, headers, case["secrets"])
                assert found.value.reason == case["reason"], str(found.value)
            else:
                event = client.webhooks.verify(body, headers, case["secrets"])
                assert json_of(event) == case["event"]


KINDS: dict[str, Callable[[Case, Face], None]] = {
    "calls.json": calls,
    "errors.json": errors,
    "retries.json": retries,
    "tokens.json": tokens,
    "webhooks.json": webhooks,
}

FILES = [name for name in files() if not read(name).get("live")]
CASES = [
    pytest.param(name, case, id=f"{name}: {case['name']}")
    for name in FILES
    for case in read(name)["cases"]
]


def test_every_file_is_known() -> None:
    assert set(FILES) == set(KINDS)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name: str, case: Case, face: Face) -> None:
    KINDS[name](case, face)

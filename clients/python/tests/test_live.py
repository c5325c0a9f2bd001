"""Every case of clients/conformance that needs a node, against `countersign dev`."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from support.cases import arguments, fails_as, files, json_of, knows, method, read
from support.match import fits
from support.people import Inbox, totp, wrong_code
from support.stage import Face
from support.stand import Stand

from countersign import AsyncCountersign, Countersign


@pytest.fixture(scope="module")
def stands() -> Iterator[dict[str, Stand]]:
    """A node for each kind of client: what one does counts for the other's limits."""
    started: dict[str, Stand] = {}
    yield started
    for each in started.values():
        each.stop()


TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Memory:
    """What a case has come to know."""

    def __init__(self, inbox: Inbox) -> None:
        self._saved: dict[str, Any] = {}
        self._fresh: dict[str, str] = {}
        self._inbox = inbox

    def save(self, name: str, value: Any) -> None:
        """Remembers a result."""
        self._saved[name] = value

    def fill(self, value: Any) -> Any:
        """Arguments with everything filled in that is known only now."""
        if isinstance(value, list):
            return [self.fill(each) for each in value]
        if not isinstance(value, dict):
            return value
        first = next(iter(value), "")
        if first.startswith("$"):
            return self._known(first, value)
        return {name: self.fill(member) for name, member in value.items()}

    def _known(self, kind: str, value: Mapping[str, Any]) -> Any:
        text = value[kind]
        if kind == "$fresh":
            knows(value, "$fresh")
            return self._fresh.setdefault(text, f"{text}-{uuid.uuid4()}")
        if kind == "$saved":
            knows(value, "$saved")
            return self._part(text)
        if kind == "$totp":
            knows(value, "$totp", "step")
            return totp(self._part(text), value.get("step", 0))
        if kind == "$wrong":
            knows(value, "$wrong")
            return wrong_code(self._part(text))
        if kind == "$inbox":
            knows(value, "$inbox")
            return self._inbox.code(self.fill(text))
        raise AssertionError(f"the suite does not know {kind}")

    def _part(self, where: str) -> Any:
        found: Any = self._saved
        for name in where.split("."):
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found


CASES = [
    pytest.param(case, id=f"{name}: {case['name']}")
    for name in files()
    if read(name).get("live")
    for case in read(name)["cases"]
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: Mapping[str, Any], face: Face, stands: dict[str, Stand]) -> None:
    knows(case, "name", "steps")
    if face.name not in stands:
        stands[face.name] = Stand("dev")
    stand = stands[face.name]
    memory = Memory(Inbox(stand.url))
    clients: dict[str, Any] = {}
    is_sync = face.name == "sync"
    # Without the certificates of the world, which take longer to read than a case to run.
    http: Any = (httpx.Client if is_sync else httpx.AsyncClient)(verify=TRUST)

    def caller(key: str) -> Any:
        kind: Any = Countersign if is_sync else AsyncCountersign
        if key not in clients:
            clients[key] = kind(base_url=stand.url, api_key=key, http_client=http)
        return clients[key]

    try:
        for step in case["steps"]:
            knows(step, "call", "arguments", "options", "apiKey", "save", "expect", "error")
            client = caller(memory.fill(step["apiKey"]) if "apiKey" in step else stand.key)
            positional, named = arguments({**step, "arguments": memory.fill(step["arguments"])})
            called = method(client, step["call"])

            def run(called: Any = called, args: Any = (positional, named)) -> Any:
                return json_of(face.run(called(*args[0], **args[1])))

            if "error" in step:
                fails_as(step["error"], run)
                continue
            result = run()
            if "expect" in step:
                fits(step["expect"], result, step["call"])
            if "save" in step:
                memory.save(step["save"], result)
    finally:
        face.run(http.close() if is_sync else http.aclose())

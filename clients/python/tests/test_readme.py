"""Every block of the README is right by mypy, and runs against answers of the contract's shape."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.cases import read
from support.stage import KEY

from countersign import Countersign

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCKS: list[str] = (
    re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if README.exists()
    else []
)

#: What the blocks take from the application around them.
AROUND = """
from typing import Any
import countersign
from countersign import Countersign
from countersign.types import Challenge
user_id: str
ip: str
browser: str
code: str
factor_id: str
token: str
secret: str
credential: dict[str, Any]
assertion: dict[str, Any]
cookies: dict[str, str]
request: Any
response: Any
challenge: Challenge
client: Countersign
def sign_in(token: str) -> None: ...
"""


class Anything:
    """An object of a framework."""

    def __init__(self, **members: Any) -> None:
        self.__dict__.update(members)

    def set_cookie(self, *args: Any, **options: Any) -> None:
        """As frameworks have it."""


def answered(request: httpx.Request) -> httpx.Response:
    """What the cases of conformance have as an answer to such a request."""
    path, token = request.url.path, read("tokens.json")["cases"][0]
    if path in {"/v1/tokens", "/.well-known/jwks.json"}:
        found = token["facts"] if path == "/v1/tokens" else token["jwks"][0]
        return httpx.Response(200, content=json.dumps(found))
    for case in read("calls.json")["cases"]:
        asked = case["request"]
        if isinstance(asked, dict) and asked["method"] == request.method:
            pattern = re.sub(r"chl_\w+", r"[^/]+", re.escape(asked["path"]))
            if re.fullmatch(pattern, path):
                return httpx.Response(200, content=json.dumps(case["answer"]["body"]))
    raise AssertionError(f"no case asks {request.method} {path}")


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The application around the blocks, and the service before them."""

    def handle(self: Any, request: httpx.Request) -> httpx.Response:
        del self
        return answered(request)

    async def handle_async(self: Any, request: httpx.Request) -> httpx.Response:
        del self
        return answered(request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async)
    webhook, token = read("webhooks.json")["cases"][0], read("tokens.json")["cases"][0]
    monkeypatch.setattr(time, "time", lambda: float(webhook["now"]))
    monkeypatch.setenv("COUNTERSIGN_URL", "http://node")
    monkeypatch.setenv("COUNTERSIGN_API_KEY", KEY)
    client = Countersign()
    result = client.auth.mfa.create_challenge("ann")
    return {
        "Countersign": Countersign,
        "client": client,
        "challenge": result.challenge,
        "user_id": "ann",
        "ip": "203.0.113.7",
        "browser": "Mozilla/5.0",
        "code": "123456",
        "factor_id": "fac_1",
        "token": token["token"],
        "secret": webhook["secrets"][0],
        "credential": {},
        "assertion": {"id": "AQ"},
        "cookies": {"mfa_device": "dvt_1"},
        "request": Anything(
            body=webhook["body"].encode(),
            headers=webhook["headers"],
            query={"countersign_result": "pcd_1"},
        ),
        "response": Anything(),
        "sign_in": lambda _: None,
    }


@pytest.mark.skipif(not BLOCKS, reason="there is no README here")
def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("at", range(len(BLOCKS)))
def test_a_block_runs(at: int, around: dict[str, Any]) -> None:
    exec(compile(BLOCKS[at], f"README.md, block {at}", "exec"), around)
    if "second_factor" in around:
        assert asyncio.run(around["second_factor"]("chl_1", "fac_1", "123456")) is True


@pytest.mark.skipif(not BLOCKS, reason="there is no README here")
def test_every_block_is_right_by_mypy(tmp_path: Path) -> None:
    for at, block in enumerate(BLOCKS):
        (tmp_path / f"block_{at}.py").write_text(AROUND + block, "utf-8")
    cache, config = f"--cache-dir={tmp_path / 'cache'}", f"--config-file={os.devnull}"
    made = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", cache, config, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MYPYPATH": str(README.parent / "src")},
    )
    assert made.returncode == 0, made.stdout + made.stderr

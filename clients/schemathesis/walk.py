"""Starts a node, puts a few things into it, lets schemathesis loose on it three times, and counts.

As `owner`, with the key of `countersign dev`: every operation, in every phase. As a `stranger`
without a key, and as a `forger` with one that nobody made: everything that needs a key is refused.

Each operation in each phase of each run is one case. Nothing is excluded. Standard library only,
but for what schemathesis itself needs.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CLIENTS = HERE.parent
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ignored_auth",
    "problem_conformance",
    "request_id",
    "strangers_learn_nothing",
]


@dataclass
class Walk:
    """A run of schemathesis."""

    name: str
    key: str | None
    phases: str
    examples: int
    seconds: int


class Service:
    """The node, as far as it is filled with something."""

    def __init__(self, url: str, key: str):
        self.url, self.key = url, key

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What a call answers; it must not fail."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=30) as answer:
                said = answer.read()
        except urllib.error.HTTPError as refused:
            sys.exit(f"walk: {method} {path}: {refused.code} {refused.read().decode()[:500]}")
        return json.loads(said) if said else None

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def totp(secret: str) -> str:
    """The code of a secret now (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def seed(service: Service) -> dict[str, list[str]]:
    """Something to be met: `user_42`, whom the document's examples name, with all that a user can
    have; and what a tenant can have. The names are those of parameters and of members of bodies."""
    user = "/v1/users/user_42"
    profile = {"email": "ann@acme.example", "emailVerified": True, "groups": ["admins"]}
    service.call("PUT", user, profile)
    enrollment = service.call("POST", f"{user}/mfa/totp", {"name": "Phone"})
    code = totp(enrollment["secret"])
    factor = service.call("POST", f"{user}/mfa/totp/verify", {"code": code})
    recovery = service.call("POST", f"{user}/mfa/recovery-codes")["codes"]
    login = {"userId": "user_42", "context": {"ipAddress": "203.0.113.7"}}
    opened = service.call("POST", "/v1/mfa/challenges", login)["challenge"]["id"]
    answer = {"challengeId": opened, "recoveryCode": recovery[0], "rememberDevice": True}
    service.call("POST", "/v1/mfa/challenges/verify", answer)
    devices = service.call("GET", f"{user}/mfa/devices")["data"]
    service.call("POST", f"{user}/mfa/sms", {"phoneNumber": "+14155550123"})
    service.call("POST", f"{user}/mfa/email", {})
    service.call("POST", f"{user}/mfa/totp", {})
    pending = service.call("POST", "/v1/mfa/challenges", login)["challenge"]["id"]
    hook = {"url": "https://hooks.acme.example/countersign", "events": ["mfa.user.locked"]}
    return {
        "userId": ["user_42"],
        "factorId": [factor["id"]],
        "challengeId": [pending, opened],
        "deviceId": [device["id"] for device in devices],
        "webhookId": [service.call("POST", "/v1/webhooks", hook)["id"]],
    }


def run(walk: Walk, url: str, met: dict[str, list[str]], tally: Path, rest: list[str]) -> int:
    """Lets schemathesis loose. Its own report goes to the terminal; the count goes to a file."""
    command = [str(HERE / ".venv/bin/schemathesis")]
    command += ["--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [str(CLIENTS / "openapi.json"), "--url", url, "--phases", walk.phases]
    command += ["--checks", ",".join(CHECKS), "--max-examples", str(walk.examples), "--no-color"]
    if walk.key is not None:
        command += ["--header", f"Authorization: Bearer {walk.key}"]
    told = {"WALK_AS": walk.name, "WALK_SEED": json.dumps(met), "WALK_TALLY": str(tally)}
    environment = {**os.environ, **told}
    try:
        return subprocess.run(
            [*command, *rest], env=environment, cwd=HERE, timeout=walk.seconds, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"walk: {walk.name}: it did not end within {walk.seconds} s")
        return 1


def operations() -> list[str]:
    """All that the document has, as schemathesis calls them."""
    document = json.loads((CLIENTS / "openapi.json").read_text(encoding="utf-8"))
    return [
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    ]


def judge(walk: Walk, ended: int, tally: dict[str, Any], seconds: float) -> Counter[str]:
    """Tells how a run went, and counts it."""
    statuses: dict[str, str] = tally.get("statuses", {})
    answers: dict[str, int] = tally.get("answers", {})
    count: Counter[str] = Counter()
    for name, status in statuses.items():
        if status == "skip":
            # Nothing to try: an operation without examples, in the phase of examples.
            continue
        word = "passed" if status == "success" else "failed"
        count[word] += 1
        if word == "failed":
            print(f"walk: {walk.name}: {name}: {status}")
    for phase in ("coverage", "fuzzing"):
        for operation in operations():
            if statuses.get(f"{phase}: {operation}", "skip") == "skip":
                print(f"walk: {walk.name}: {phase}: {operation}: it was not tried")
                count["failed"] += 1
    # A run that died, or that tried nothing, has failed even if nothing failed in it.
    if not count["failed"] and (ended != 0 or not count["passed"]):
        print(f"walk: {walk.name}: it ended with {ended}")
        count["failed"] += 1
    told = ", ".join(f"{status} {answers[status]}" for status in sorted(answers))
    print(
        f"walk: {walk.name}: {sum(answers.values())} requests in {seconds:.0f} s ({told}); "
        f"{len(tally.get('reached', []))} operations did what they are for"
    )
    return count


def walk_all(service: Service, options: argparse.Namespace, rest: list[str]) -> Counter[str]:
    """All three runs."""
    few = max(options.examples // 4, 2)
    walks = [
        # Strangers first: they must find everything in its place.
        Walk("stranger", None, "coverage,fuzzing", few, 600),
        Walk("forger", f"csk_{'x' * 43}", "coverage,fuzzing", few, 600),
        Walk("owner", service.key, "examples,coverage,fuzzing,stateful", options.examples, 900),
    ]
    met = seed(service)
    count: Counter[str] = Counter()
    for walk in walks:
        if options.only not in (None, walk.name):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            tally = Path(scratch) / "tally.json"
            ended = run(walk, service.url, met, tally, rest)
            told = json.loads(tally.read_text(encoding="utf-8")) if tally.exists() else {}
        count += judge(walk, ended, told, time.monotonic() - started)
        if not service.is_up():
            print(f"walk: {walk.name}: the node is not ready any more")
            count["failed"] += 1
    return count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["owner", "stranger", "forger"], help="one run of three")
    parser.add_argument("--examples", type=int, default=12, help="requests an operation and phase")
    options, rest = parser.parse_known_args()
    command = [sys.executable, str(CLIENTS / "stand.py"), "dev"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stand:
        assert stand.stdin is not None and stand.stdout is not None
        try:
            line = stand.stdout.readline()
            if not line:
                print("walk: no node started")
                count = Counter(failed=1)
            else:
                told = json.loads(line)
                count = walk_all(Service(told["urls"][0], told["key"]), options, rest)
        finally:
            # The node ends with the stand, and the stand with its input.
            stand.stdin.close()
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

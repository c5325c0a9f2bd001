"""What the runs demand beyond what schemathesis does by itself, and how they are counted.

schemathesis loads this file (`hooks` of schemathesis.toml). `walk.py` tells it by variables who
calls (`WALK_AS`), what there is in the service to be met (`WALK_SEED`), and where the count goes
(`WALK_TALLY`).
"""

from __future__ import annotations

import itertools
import json
import os
import zlib
from collections import Counter
from pathlib import Path

import schemathesis
from schemathesis import cli
from schemathesis.engine import events

AS = os.environ.get("WALK_AS", "owner")
SEED: dict[str, list[str]] = json.loads(os.environ.get("WALK_SEED", "{}"))
TALLY = Path(os.environ.get("WALK_TALLY", "/dev/null"))

TURNS = itertools.count()
CALLERS = itertools.count(1)

# What these take away from a user would be missed by all that come after.
SPARED = {"deleteUser", "resetMfa", "deleteFactor", "revokeTrustedDevices", "deleteWebhook"}

# The codes that the service answers before it knows which operation is asked for.
ANYWHERE = {"method_not_allowed", "not_found", "invalid_request"}


def definition(case) -> dict:
    return case.operation.definition.raw


def is_open(case) -> bool:
    """Whether an operation serves those who have no key."""
    return {} in definition(case).get("security", [])


def known(name: str, value: object) -> object:
    """An id that exists in the place of every second that is asked for."""
    ids, roll = SEED.get(name, []), zlib.crc32(repr(value).encode())
    return ids[roll // 2 % len(ids)] if ids and isinstance(value, str) and roll % 2 == 0 else value


@schemathesis.hook
def before_call(context, case, **_):
    """Lets requests that are right get further than to the first refusal. Wrong ones stay as they
    are: what is judged is whether they are refused."""
    # Every request comes from another address: one that sends so many without a key is told to come
    # again later, and nothing else would be seen.
    turn = next(CALLERS)
    address = f"203.{turn >> 16 & 255}.{turn >> 8 & 255}.{turn & 255}"
    case.headers = {**(case.headers or {}), "X-Forwarded-For": address}
    if case.meta is not None and not case.meta.generation.mode.is_positive:
        return
    operation = definition(case)["operationId"]
    if operation not in SPARED:
        for part in (case.path_parameters, case.body):
            if isinstance(part, dict):
                part.update({name: known(name, value) for name, value in part.items()})
    # Under one key, all requests that differ would be refused for that alone; one of eight is.
    for name, value in (case.headers or {}).items():
        if name.lower() == "idempotency-key":
            turn = next(TURNS)
            case.headers[name] = f"walk-{turn}" if turn % 8 else value
    # Where nobody may have a second factor, all that follows is refused. That it is has its own
    # cases in ../conformance/policy.json.
    wish = case.body if operation == "updatePolicy" and isinstance(case.body, dict) else {}
    if wish.get("requirement") == "DISABLED":
        wish["requirement"] = "OPTIONAL"


@schemathesis.check
def problem_conformance(ctx, response, case):
    """A refusal is a problem whose code the operation's page names, and agrees with its headers."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind.startswith("application/problem+json"), f"a refusal of type {kind!r}"
    problem, status = response.json(), response.status_code
    code, raw = problem["code"], definition(case)
    named = raw["responses"].get(str(status), {})
    if "$ref" not in named:
        examples = named.get("content", {}).get("application/problem+json", {}).get("examples", {})
        assert code in examples or code in ANYWHERE, f"{status} {code} is not documented"
    assert problem["status"] == status, f"the body says {problem['status']} to {status}"
    assert problem["type"] == f"/problems/{code.replace('_', '-')}", problem["type"]
    sent = response.headers.get("x-request-id", [""])[0]
    assert problem["requestId"] == sent, f"{problem['requestId']!r} came under {sent!r}"
    wait, header = problem.get("retryAfterSeconds"), response.headers.get("retry-after", [None])[0]
    assert (wait is None) == (header is None), f"the body says {wait}, Retry-After {header}"
    assert wait is None or str(wait) == header, f"the body says {wait}, Retry-After {header}"
    if code == "validation_failed":
        assert problem.get("errors"), "validation_failed without a field"


@schemathesis.check
def request_id(ctx, response, case):
    """Every answer has an id."""
    assert response.headers.get("x-request-id", [""])[0], "an answer without X-Request-Id"


@schemathesis.check
def strangers_learn_nothing(ctx, response, case):
    """Who has no key, or a wrong one, is refused before anything else is looked at, and is not
    refused for that where the document asks for none."""
    status = response.status_code
    if is_open(case):
        assert status != 401, "the document asks for no key here"
    if AS == "owner" or is_open(case):
        return
    assert status in (401, 405), f"a stranger was answered {status}"


@cli.handler()
class Tally(cli.EventHandler):
    """Counts what was tried, an operation in a phase being one."""

    def __init__(self, *args, **params):
        self.statuses: dict[str, str] = {}
        self.answers: Counter[str] = Counter()
        self.reached: set[str] = set()

    def handle_event(self, ctx, event) -> None:
        if isinstance(event, events.ScenarioFinished):
            self.count(event)
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            self.statuses[f"error: {getattr(event, 'label', '')} {event}"[:300]] = "error"

    def count(self, event) -> None:
        recorder = event.recorder
        labels = {node.value.operation.label for node in recorder.cases.values()}
        ranks = ["skip", "success", "interrupted", "failure", "error"]
        for label in labels or {event.label}:
            name, status = f"{event.phase.value}: {label}", str(event.status.value)
            worst = max(self.statuses.get(name, "skip"), status, key=ranks.index)
            self.statuses[name] = worst
        for id_, node in recorder.cases.items():
            interaction = recorder.interactions.get(id_)
            if interaction is not None and interaction.response is not None:
                status = interaction.response.status_code
                self.answers[str(status)] += 1
                if status < 400:
                    self.reached.add(node.value.operation.definition.raw["operationId"])

    def shutdown(self, ctx) -> None:
        told = {
            "statuses": self.statuses,
            "answers": dict(self.answers),
            "reached": sorted(self.reached),
        }
        TALLY.write_text(json.dumps(told), encoding="utf-8")

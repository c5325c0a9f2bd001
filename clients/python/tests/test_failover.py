"""Three real nodes, of which one dies at the worst moment: nobody who uses the client notices."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from support.people import totp, wrong_code
from support.stage import Face
from support.stand import Stand

from countersign import AsyncCountersign, Countersign
from countersign.types import Challenge

VERIFY = "/challenges/verify"


@pytest.fixture(scope="module")
def running() -> Iterator[Stand]:
    with Stand("cluster") as stand:
        yield stand


@pytest.fixture
def stand(running: Stand) -> Stand:
    """Three nodes that are all there."""
    running.restart_dead()
    return running


def beginning_with(stand: Stand, at: int) -> list[str]:
    return stand.urls[at:] + stand.urls[:at]


class Fatal:
    """Lets a node answer what ends in a path, and kills it before the answer arrives."""

    def __init__(self, stand: Stand, victim: str, path: str) -> None:
        self._stand = stand
        self._victim = victim
        self._path = path
        self.answered: list[Any] = []
        self.keys: set[str | None] = set()

    def is_meant(self, request: httpx.Request) -> bool:
        """Whether the request is of the kind; whoever asks has seen it."""
        if not request.url.path.endswith(self._path):
            return False
        self.keys.add(request.headers.get("idempotency-key"))
        return str(request.url).startswith(self._victim) and not self.answered

    def lose(self, response: httpx.Response, content: bytes) -> None:
        """The node dies, and its answer with it."""
        assert response.status_code < 500, content
        self.answered.append(json.loads(content))
        self._stand.kill(self._victim)
        raise httpx.ReadError("the connection ended", request=response.request)


class SyncFatal(httpx.HTTPTransport):
    def __init__(self, fatal: Fatal) -> None:
        super().__init__()
        self._fatal = fatal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if self._fatal.is_meant(request):
            response.request = request
            self._fatal.lose(response, response.read())
        return response


class AsyncFatal(httpx.AsyncHTTPTransport):
    def __init__(self, fatal: Fatal) -> None:
        super().__init__()
        self._fatal = fatal

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self._fatal.is_meant(request):
            response.request = request
            self._fatal.lose(response, await response.aread())
        return response


@dataclass
class Person:
    """Someone with an authenticator app, in the middle of a login."""

    user_id: str
    secret: str
    challenge: Challenge

    @property
    def proof(self) -> dict[str, str]:
        return {
            "challenge_id": self.challenge.id,
            "factor_id": self.challenge.factors[0].id,
        }


def person(client: Countersign) -> Person:
    user_id = f"user_{uuid.uuid4()}"
    enrollment = client.auth.mfa.enroll_totp(user_id)
    client.auth.mfa.verify_totp(user_id, code=totp(enrollment.secret))
    result = client.auth.mfa.create_challenge(user_id)
    assert result.challenge
    return Person(user_id, enrollment.secret, result.challenge)


class Doomed:
    """A client whose first node dies with its answer under way, and one that only looks."""

    def __init__(self, face: Face, stand: Stand, at: int, path: str) -> None:
        urls = beginning_with(stand, at)
        self.fatal = Fatal(stand, urls[0], path)
        self._face = face
        self.http: Any
        if face.name == "sync":
            self.http = httpx.Client(transport=SyncFatal(self.fatal))
            self.client: Any = Countersign(base_url=urls, api_key=stand.key, http_client=self.http)
        else:
            self.http = httpx.AsyncClient(transport=AsyncFatal(self.fatal))
            self.client = AsyncCountersign(base_url=urls, api_key=stand.key, http_client=self.http)
        self.watcher = Countersign(base_url=urls, api_key=stand.key)

    def __enter__(self) -> Doomed:
        return self

    def __exit__(self, *_: object) -> None:
        self._face.run(self.http.aclose() if self._face.name == "async" else self.http.close())
        self.watcher.close()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_right_code_gives_one_verification_as_if_nothing_had_been(
    face: Face, stand: Stand, at: int
) -> None:
    with Doomed(face, stand, at, VERIFY) as doomed:
        one = person(doomed.watcher)
        verified = face.run(
            doomed.client.auth.mfa.verify(
                **one.proof, code=totp(one.secret, 1), remember_device=True
            )
        )
        assert verified, "the code was right"
        assert len(doomed.fatal.answered) == 1
        assert len(doomed.fatal.keys) == 1
        assert verified.to_json() == doomed.fatal.answered[0]
        claims = face.run(doomed.client.auth.verify_token(verified.tokens.access_token))
        assert (claims.sub, claims.acr) == (one.user_id, "aal2")
        assert len(doomed.watcher.auth.mfa.list_devices(one.user_id)) == 1


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_wrong_code_gives_none_and_costs_one_attempt(face: Face, stand: Stand, at: int) -> None:
    with Doomed(face, stand, at, VERIFY) as doomed:
        one = person(doomed.watcher)
        mistyped = doomed.client.auth.mfa.verify(**one.proof, code=wrong_code(one.secret))
        assert face.run(mistyped) is None
        assert len(doomed.fatal.answered) == 1
        challenge = doomed.watcher.auth.mfa.get_challenge(one.challenge.id)
        assert challenge.attempts_remaining == one.challenge.attempts_remaining - 1
        assert doomed.watcher.auth.mfa.get_status(one.user_id).failed_attempts == 1
        again = doomed.client.auth.mfa.verify(**one.proof, code=totp(one.secret, 1))
        assert face.run(again), "the login goes on"


def test_an_enrollment_whose_answer_was_lost_is_the_same_enrollment(
    face: Face, stand: Stand
) -> None:
    with Doomed(face, stand, 0, "/mfa/totp") as doomed:
        user_id = f"user_{uuid.uuid4()}"
        enrollment = face.run(doomed.client.auth.mfa.enroll_totp(user_id))
        assert enrollment.to_json() == doomed.fatal.answered[0]
        code = totp(enrollment.secret)
        factor = face.run(doomed.client.auth.mfa.verify_totp(user_id, code=code))
        assert factor.id == enrollment.factor_id


def leader(client: Countersign, stand: Stand) -> str:
    """The address of the node that leads most."""
    cluster = client.cluster.get()
    led = {node.name: 0 for node in cluster.nodes}
    names = {node.id: node.name for node in cluster.nodes}
    for shard in cluster.shards:
        if shard.leader is not None:
            led[names[shard.leader]] += 1
    return stand.url_of(max(led, key=lambda name: led[name]))


def test_no_call_fails_while_a_node_is_killed_and_comes_back(stand: Stand) -> None:
    wrong: list[str] = []
    calls = [0, 0, 0]
    over = threading.Event()

    def work(at: int) -> None:
        user_id, number = f"user_{uuid.uuid4()}", 0
        try:
            with Countersign(base_url=beginning_with(stand, at), api_key=stand.key) as client:
                while not over.is_set():
                    number += 1
                    name = f"round {number}"
                    client.auth.users.put(user_id, display_name=name)
                    assert client.auth.users.get(user_id).display_name == name
                    # A login from its beginning; each of its writes is done once, or it fails.
                    one = person(client)
                    login, code = one.challenge, totp(one.secret, 1)
                    verified = client.auth.mfa.verify(
                        challenge_id=login.id, factor_id=login.factors[0].id, code=code
                    )
                    assert verified, "the code was right"
                    claims = client.auth.verify_token(verified.tokens.access_token, acr="aal2")
                    assert claims.sub == one.user_id
                    assert client.auth.mfa.get_status(one.user_id).failed_attempts == 0
                    calls[at] += 7
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")

    def until(more: int) -> None:
        """Waits until every thread has done so many more calls."""
        then, deadline = list(calls), time.monotonic() + 60
        while any(now < before + more for now, before in zip(calls, then)) and not wrong:
            assert time.monotonic() < deadline, f"after {calls} calls it went no further"
            time.sleep(0.01)

    with Countersign(base_url=stand.urls, api_key=stand.key) as watcher:
        victim = leader(watcher, stand)
    threads = [threading.Thread(target=work, args=(at,)) for at in range(3)]
    for each in threads:
        each.start()
    try:
        until(35)
        stand.kill(victim)
        until(70)
        stand.restart_dead()
        until(70)
    finally:
        over.set()
        for each in threads:
            each.join(30)
    assert wrong == []

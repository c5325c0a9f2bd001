"""Keys are fetched once for all who wait for them, and whoever gives up keeps nobody waiting."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from typing import Any

import httpx
import pytest
from support.cases import read
from support.mint import Mint, text
from support.stage import KEY, Face, Hands, allowed

from countersign import AsyncCountersign, Countersign, TokenError

CASE: dict[str, Any] = read("tokens.json")["cases"][0]
TOKEN: str = CASE["token"]


class Service:
    """Publishes keys, slowly."""

    def __init__(self, seconds: float, status: int = 200) -> None:
        self._seconds = seconds
        self._status = status
        self.asked: list[str] = []

    def sync(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        time.sleep(self._seconds)
        return self._answer(request)

    async def asynchronous(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        await asyncio.sleep(self._seconds)
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        found = CASE["facts"] if request.url.path == "/v1/tokens" else CASE["jwks"][0]
        return httpx.Response(self._status, content=json.dumps(found))


def sync_client(service: Service) -> Countersign:
    kind: Any = type("Countersign", (Countersign,), {"_clock": Frozen()})
    http = httpx.Client(transport=httpx.MockTransport(service.sync))
    made: Countersign = kind(base_url="http://node", api_key=KEY, http_client=http, max_retries=0)
    return made


def async_client(service: Service) -> AsyncCountersign:
    kind: Any = type("AsyncCountersign", (AsyncCountersign,), {"_clock": Frozen()})
    http = httpx.AsyncClient(transport=httpx.MockTransport(service.asynchronous))
    made: AsyncCountersign = kind(
        base_url="http://node", api_key=KEY, http_client=http, max_retries=0
    )
    return made


class Frozen(Hands):
    """The day of the case's token."""

    def __init__(self) -> None:
        super().__init__(CASE["now"])


def in_threads(count: int, work: Any) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)


def test_threads_that_verify_at_once_fetch_once() -> None:
    service, subjects = Service(0.1), list[str]()
    client = sync_client(service)
    in_threads(10, lambda: subjects.append(client.auth.verify_token(TOKEN).sub))
    assert subjects == ["ann"] * 10
    assert sorted(service.asked) == ["/.well-known/jwks.json", "/v1/tokens"]


def test_threads_that_wait_for_a_service_that_is_away_do_not_wait_in_turn() -> None:
    service, reasons = Service(0.3, 500), list[str]()
    client = sync_client(service)

    def work() -> None:
        with pytest.raises(TokenError) as found:
            client.auth.verify_token(TOKEN)
        reasons.append(found.value.reason)

    began = time.monotonic()
    in_threads(10, work)
    assert reasons == ["keys_unavailable"] * 10
    assert time.monotonic() - began < 2.5


def test_tasks_that_verify_at_once_fetch_once() -> None:
    async def main() -> None:
        service = Service(0.05)
        client = async_client(service)
        found = await asyncio.gather(*(client.auth.verify_token(TOKEN) for _ in range(20)))
        assert [each.sub for each in found] == ["ann"] * 20
        assert sorted(service.asked) == ["/.well-known/jwks.json", "/v1/tokens"]

    asyncio.run(main())


def test_a_task_that_is_cancelled_takes_the_keys_from_nobody() -> None:
    async def main() -> None:
        service = Service(0.1)
        client = async_client(service)
        first = asyncio.ensure_future(client.auth.verify_token(TOKEN))
        second = asyncio.ensure_future(client.auth.verify_token(TOKEN))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second).sub == "ann"
        with pytest.raises(asyncio.CancelledError):
            await first
        assert sorted(service.asked) == ["/.well-known/jwks.json", "/v1/tokens"]

    asyncio.run(main())


def test_a_failure_that_nobody_waits_for_is_silent() -> None:
    async def main() -> None:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        client = async_client(Service(0.05, 500))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.auth.verify_token(TOKEN), 0.01)
        await asyncio.sleep(0.2)
        del client
        gc.collect()
        assert told == []

    asyncio.run(main())


def test_one_client_verifies_in_one_event_loop_after_another() -> None:
    client = async_client(Service(0))

    async def main() -> str:
        return (await client.auth.verify_token(TOKEN)).sub

    assert [asyncio.run(main()) for _ in range(3)] == ["ann"] * 3


def test_a_loop_that_stopped_within_a_fetch_holds_nobody_up() -> None:
    client = async_client(Service(0.1))
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()

    async def give_up() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.auth.verify_token(TOKEN), 0.02)

    async def main() -> str:
        return (await client.auth.verify_token(TOKEN)).sub

    try:
        first.run_until_complete(give_up())
        assert second.run_until_complete(asyncio.wait_for(main(), 5)) == "ann"
        first.run_until_complete(asyncio.sleep(0.2))
    finally:
        first.close()
        second.close()


def claims(**changed: Any) -> dict[str, Any]:
    now = CASE["now"]
    told = {"iss": "i", "aud": "a", "tenant": "t", "sub": "ann", "iat": now, "exp": now + 60}
    return {name: value for name, value in {**told, **changed}.items() if value is not None}


def verifier(face: Face, mint: Mint, facts: dict[str, Any]) -> Any:
    def handle(request: httpx.Request) -> httpx.Response:
        found = facts if request.url.path == "/v1/tokens" else mint.jwks
        return httpx.Response(200, content=json.dumps(found))

    return face.client(handle, Frozen(), base_url="http://node").auth


FACTS = {"issuer": "i", "audience": "a", "tenantId": "t", "ttlSeconds": 60}


@pytest.mark.parametrize(
    ("fact", "claim"), [("issuer", "iss"), ("audience", "aud"), ("tenantId", "tenant")]
)
def test_what_the_service_does_not_tell_no_token_can_say(face: Face, fact: str, claim: str) -> None:
    mint = Mint()
    missing = {name: value for name, value in FACTS.items() if name != fact}
    for facts in (missing, {**FACTS, fact: None}, {**FACTS, fact: ""}):
        auth = verifier(face, mint, facts)
        for told in (claims(), claims(**{claim: None}), claims(**{claim: ""})):
            with pytest.raises(TokenError) as found:
                face.run(auth.verify_token(mint.token(told)))
            assert found.value.reason == "keys_unavailable"
    auth = verifier(face, mint, FACTS)
    named = {"issuer": "i", "audience": "a", "tenant": "t"}
    for told in (claims(**{claim: None}), claims(**{claim: ""})):
        with pytest.raises(TokenError) as found:
            face.run(auth.verify_token(mint.token(told), **named))
        assert found.value.reason == {"iss": "issuer", "aud": "audience"}.get(claim, claim)
    for subject in (None, "", 7):
        with pytest.raises(TokenError, match="it has no sub"):
            face.run(auth.verify_token(mint.token(claims(sub=subject)), **named))
    assert face.run(auth.verify_token(mint.token(claims()))).sub == "ann"


def test_facts_that_cannot_be_renewed_are_not_asked_for_with_every_token(face: Face) -> None:
    mint, clock, is_away = Mint(), Frozen(), False
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if is_away:
            clock.pass_time(allowed(request, clock))
            raise httpx.ReadTimeout("silence", request=request)
        found = FACTS if request.url.path == "/v1/tokens" else mint.jwks
        return httpx.Response(200, content=json.dumps(found))

    client = face.client(handle, clock, base_url="http://node", max_retries=0)
    token = mint.token(claims(exp=CASE["now"] + 1_000_000))

    def waited() -> float:
        """How long it takes to verify the token."""
        began = clock.now()
        assert face.run(client.auth.verify_token(token)).sub == "ann"
        return clock.now() - began

    assert waited() == 0
    is_away = True
    clock.pass_time(60 * 60)
    # Keys and facts, each once for the whole deadline; then for half a minute nobody waits.
    asked.clear()
    assert waited() == 20
    assert [waited() for _ in range(5)] == [0] * 5
    assert sorted(asked) == ["/.well-known/jwks.json", "/v1/tokens"]
    clock.pass_time(31)
    assert waited() == 20
    clock.pass_time(31)
    is_away = False
    asked.clear()
    assert waited() == 0
    assert sorted(asked) == ["/.well-known/jwks.json", "/v1/tokens"]


def test_a_signature_has_one_right_length(face: Face) -> None:
    mint = Mint()
    auth = verifier(face, mint, FACTS)
    # One whose second number would fit in a byte less.
    signed, r, s = next(
        made
        for made in (mint.sign(claims(jti=str(number))) for number in range(10_000))
        if made[2] < 2**248
    )
    whole = text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert face.run(auth.verify_token(f"{signed}.{whole}")).sub == "ann"
    short = text(r.to_bytes(32, "big") + s.to_bytes(31, "big"))
    with pytest.raises(TokenError, match="signature is wrong"):
        face.run(auth.verify_token(f"{signed}.{short}"))


def test_a_token_is_written_in_one_right_way(face: Face) -> None:
    mint = Mint()
    auth = verifier(face, mint, FACTS)
    token = mint.token(claims())
    assert face.run(auth.verify_token(token)).sub == "ann"
    # The last digit has bits that belong to no byte.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = token[:-1] + alphabet[alphabet.index(token[-1]) | 1]
    assert other != token
    with pytest.raises(TokenError, match="no signed JWT"):
        face.run(auth.verify_token(other))


def test_a_number_that_no_float_holds_is_no_time(face: Face) -> None:
    mint = Mint()
    auth = verifier(face, mint, FACTS)
    for wrong in (10**400, True, "1", float("inf")):
        with pytest.raises(TokenError) as found:
            face.run(auth.verify_token(mint.token(claims(iat=wrong))))
        assert found.value.reason in {"malformed", "not_yet_valid"}


@pytest.mark.parametrize(
    ("max_age", "error"),
    [
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        (-1, ValueError),
        (-0.5, ValueError),
        (True, TypeError),
        ("60", TypeError),
        ([], TypeError),
    ],
)
def test_an_age_that_demands_nothing_is_refused_before_anything_is_fetched(
    face: Face, max_age: Any, error: type[Exception]
) -> None:
    service = Service(0)
    client = face.client(service.sync, Frozen(), base_url="http://node")
    with pytest.raises(error, match=r"^max_age "):
        face.run(client.auth.verify_token(TOKEN, max_age=max_age))
    assert service.asked == []


@pytest.mark.parametrize("name", ["issuer", "audience", "tenant", "acr"])
def test_a_demand_that_is_no_text_is_refused_before_anything_is_fetched(
    face: Face, name: str
) -> None:
    service = Service(0)
    client = face.client(service.sync, Frozen(), base_url="http://node")
    for wrong, error in (("", ValueError), (7, TypeError), (["a"], TypeError)):
        with pytest.raises(error, match=f"^{name} "):
            face.run(client.auth.verify_token(TOKEN, **{name: wrong}))
    assert service.asked == []


def test_an_age_is_compared_however_large_the_numbers_are(face: Face) -> None:
    mint = Mint()
    auth = verifier(face, mint, FACTS)
    now = CASE["now"]
    for proven, max_age in (
        (now - 60, 30),
        (now - 60.5, 30.5),
        (0, 10**400),
        (10**400, 1.5),
        (now, 0),
    ):
        token = mint.token(claims(auth_time=proven))
        assert face.run(auth.verify_token(token, max_age=max_age)).sub == "ann"
    token = mint.token(claims(auth_time=now - 61))
    with pytest.raises(TokenError) as found:
        face.run(auth.verify_token(token, max_age=30))
    assert found.value.reason == "too_old"


def test_without_cryptography_it_is_named(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    client = face.client(None, Hands(), base_url="http://node")
    with pytest.raises(ImportError, match="pip install cryptography"):
        face.run(client.auth.verify_token(TOKEN))


def test_claims_that_are_not_known_are_kept_and_those_that_are_not_told_are_named(
    face: Face,
) -> None:
    service = Service(0)
    client = face.client(service.sync, Frozen(), base_url="http://node")
    claims = face.run(client.auth.verify_token(TOKEN))
    assert claims.to_json()["sub"] == claims.sub == "ann"
    with pytest.raises(AttributeError, match="TokenClaims has no scope"):
        _ = claims.scope

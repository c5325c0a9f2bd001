"""What a client is made of, what calls refuse to send, and how lists are walked."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from support.cases import read
from support.stage import KEY, Face, Hands, answer

import countersign
from countersign import OMIT, AsyncCountersign, Countersign
from countersign.types import GroupRule


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSIGN_URL", raising=False)
    monkeypatch.delenv("COUNTERSIGN_API_KEY", raising=False)


TOKEN: str = read("tokens.json")["cases"][0]["token"]
KINDS: list[Any] = [Countersign, AsyncCountersign]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"base_url": None}, ValueError, "Give base_url, or set COUNTERSIGN_URL"),
        ({"base_url": []}, ValueError, "Give base_url, or set COUNTERSIGN_URL"),
        ({"base_url": " , "}, ValueError, "Give base_url, or set COUNTERSIGN_URL"),
        ({"base_url": "mfa.example"}, ValueError, '"mfa.example" is no http or https address'),
        ({"base_url": "ftp://a"}, ValueError, "no http or https address"),
        ({"base_url": "http://"}, ValueError, "no http or https address"),
        ({"base_url": "http://a?x=1"}, ValueError, "no http or https address"),
        ({"base_url": "http://a#x"}, ValueError, "no http or https address"),
        ({"base_url": "http://a:b"}, ValueError, "no http or https address"),
        ({"base_url": "http://a b"}, ValueError, "no http or https address"),
        ({"base_url": "http://[a"}, ValueError, "no http or https address"),
        ({"base_url": "http://me:pass@a"}, ValueError, "a name or a password in an address"),
        ({"base_url": [7]}, TypeError, "base_url is a text, or a list of texts"),
        ({"api_key": None}, ValueError, "Give api_key, or set COUNTERSIGN_API_KEY"),
        ({"api_key": " "}, ValueError, "Give api_key, or set COUNTERSIGN_API_KEY"),
        ({"api_key": "sk_secret"}, ValueError, "an API key begins with csk_ and has no spaces"),
        ({"api_key": "csk_a\nb"}, ValueError, "an API key begins with csk_ and has no spaces"),
        ({"api_key": b"csk_1"}, TypeError, "api_key is a text"),
        ({"timeout": 0}, ValueError, "timeout must be more than 0"),
        ({"timeout": -1}, ValueError, "timeout must be more than 0"),
        ({"timeout": float("nan")}, ValueError, "timeout must be more than 0"),
        ({"timeout": "10"}, TypeError, "timeout is a number of seconds"),
        ({"timeout": True}, TypeError, "timeout is a number of seconds"),
        ({"max_retries": -1}, ValueError, "max_retries must be a whole number from 0"),
        ({"max_retries": 1.5}, TypeError, "max_retries is a whole number"),
        ({"http_client": object()}, TypeError, "http_client is an httpx"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(
    kind: Any, options: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why) as found:
        kind(**{"base_url": "http://a", "api_key": KEY, **options})
    assert "secret" not in str(found.value)
    assert "pass@" not in str(found.value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_environment_says_where_and_with_which_key(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_URL", "http://a/, https://b.example:8443/mfa//")
    monkeypatch.setenv("COUNTERSIGN_API_KEY", f" {KEY}\n")
    assert repr(kind()) == f"{kind.__name__}(http://a, https://b.example:8443/mfa)"


def test_a_client_of_the_other_kind_is_refused() -> None:
    with pytest.raises(TypeError, match=r"http_client is an httpx\.Client"):
        Countersign(base_url="http://a", api_key=KEY, http_client=httpx.AsyncClient())  # type: ignore[arg-type]


class Heard:
    """What a service heard."""

    def __init__(self, face: Face, *answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = answers or ({},)
        self.client = face.client(self._hear, Hands(), base_url="http://node")

    def _hear(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return answer({"body": self._answers[min(len(self.requests), len(self._answers)) - 1]})

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)


@pytest.mark.parametrize("user_id", ["", ".", ".."])
def test_an_id_that_would_mean_another_place_is_not_sent(face: Face, user_id: str) -> None:
    heard = Heard(face)
    with pytest.raises(ValueError, match="an id must be a text that is not empty"):
        face.run(heard.client.auth.users.get(user_id))
    with pytest.raises(TypeError, match="an id is a text, not NoneType"):
        face.run(heard.client.auth.users.get(None))
    assert heard.requests == []


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("an id", lambda client: client.auth.users.get("7K3M\ud800")),
        ("query", lambda client: client.auth.users.list(query="7K3M\udfff")),
        (
            "a text in the body",
            lambda client: client.auth.mfa.use_recovery_code("ann", code="7K3M\ud800"),
        ),
        (
            "a text in the body",
            lambda client: client.auth.mfa.update_policy(triggers={"7K3M\ud800": True}),
        ),
        (
            "a text in the body",
            lambda client: client.auth.mfa.verify(
                challenge_id="chl_1", assertion=r'{"id": "7K3M\ud800"}'
            ),
        ),
    ],
)
def test_half_a_pair_of_surrogates_is_refused_and_not_repeated(
    face: Face, what: str, call: Any
) -> None:
    heard = Heard(face)
    with pytest.raises(
        ValueError, match=rf"^{what} is no(ne|) .*half a pair of surrogates"
    ) as found:
        face.rows(call(heard.client)) if what == "query" else face.run(call(heard.client))
    error: BaseException | None = found.value
    assert type(error) is ValueError
    while error is not None:
        assert "7K3M" not in repr(error)
        assert "7K3M" not in repr(vars(error))
        error = error.__cause__ or error.__context__
    assert heard.requests == []


def test_a_pair_of_surrogates_in_json_is_one_character(face: Face) -> None:
    heard = Heard(face)
    assertion = r'{"id": "\ud83d\ude00"}'
    face.run(heard.client.auth.mfa.verify(challenge_id="chl_1", assertion=assertion))
    assert heard.body["assertion"] == {"id": "\U0001f600"}


@pytest.mark.parametrize("user_id", ["a/b", "a b", "ü", "a%2Fb", "a?b#c", "{}", "a\\b", "+1"])
def test_an_id_stays_one_part_of_the_path(face: Face, user_id: str) -> None:
    heard = Heard(face)
    face.run(heard.client.auth.users.get(user_id))
    raw = heard.requests[0].url.raw_path.decode()
    assert raw.count("/") == 3
    assert httpx.URL(f"http://x{raw}").path == f"/v1/users/{user_id}"
    assert heard.requests[0].url.query == b""


def test_what_is_not_given_is_not_sent_and_none_is_null(face: Face) -> None:
    heard = Heard(face)
    face.run(heard.client.auth.users.put("ann", email=None, display_name="Ann", groups=OMIT))
    assert heard.body == {"email": None, "displayName": "Ann"}


def test_nested_dictionaries_are_translated_and_data_is_not(face: Face) -> None:
    heard = Heard(face)
    rule = GroupRule.from_json({"group": "staff", "requirement": "REQUIRED", "allowedFactors": []})
    face.run(
        heard.client.auth.mfa.update_policy(
            grace_period={"value": 7, "unit": "DAYS"},
            groups=[{"group": "admins", "allowed_factors": ("WEBAUTHN",)}, rule],
            sends={"per_day": 3, "conversion": {"min_percent": 5}},
            triggers={"something_new": True},
        )
    )
    assert heard.body == {
        "gracePeriod": {"value": 7, "unit": "DAYS"},
        "groups": [
            {"group": "admins", "allowedFactors": ["WEBAUTHN"]},
            {"group": "staff", "requirement": "REQUIRED", "allowedFactors": []},
        ],
        "sends": {"perDay": 3, "conversion": {"minPercent": 5}},
        "triggers": {"something_new": True},
    }


def test_what_cannot_be_json_is_refused(face: Face) -> None:
    heard = Heard(face)
    for context, error in (
        ({"location": {"latitude": float("nan"), "longitude": 0.0}}, ValueError),
        ({"ip_address": object()}, TypeError),
    ):
        with pytest.raises(error):
            face.run(heard.client.auth.mfa.create_challenge("ann", context=context))
    assert heard.requests == []


def test_times_may_be_given_as_such(face: Face) -> None:
    heard = Heard(face, {"data": [], "nextCursor": None})
    at = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert face.rows(heard.client.audit.list(since=at)) == []
    assert heard.requests[-1].url.params["since"] == "2026-01-31T12:00:00.000Z"
    face.run(heard.client.auth.users.password_changed("ann", at=at))
    assert heard.body == {"at": "2026-01-31T12:00:00.000Z"}
    with pytest.raises(ValueError, match="a time needs a time zone"):
        face.run(heard.client.auth.users.password_changed("ann", at=at.replace(tzinfo=None)))


CREDENTIAL = {"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"clientDataJSON": "e"}}


@pytest.mark.parametrize(
    "given", [CREDENTIAL, json.dumps(CREDENTIAL), json.dumps(CREDENTIAL).encode()]
)
def test_a_credential_is_taken_as_the_browser_sent_it(face: Face, given: Any) -> None:
    heard = Heard(face)
    face.run(heard.client.auth.mfa.verify_webauthn("ann", credential=given, name="Key"))
    assert heard.body == {"credential": CREDENTIAL, "name": "Key"}
    face.run(heard.client.auth.mfa.verify(challenge_id="chl_1", assertion=given))
    assert heard.body == {"challengeId": "chl_1", "assertion": CREDENTIAL}


@pytest.mark.parametrize("given", ["secret{", b"\xff", "[]", [], 7])
def test_a_credential_that_is_none_is_refused_and_not_repeated(face: Face, given: Any) -> None:
    heard = Heard(face)
    with pytest.raises(ValueError, match=r"^a credential is a JSON object$"):
        face.run(heard.client.auth.mfa.verify_webauthn("ann", credential=given))
    assert heard.requests == []


def test_options_for_a_browser_are_json_as_they_are(face: Face) -> None:
    options = {"challenge": "AQID", "user": {"id": "YW5u", "displayName": "Ann"}, "new": [1]}
    heard = Heard(face, options)
    found = face.run(heard.client.auth.mfa.get_webauthn_registration_options("ann"))
    assert json.loads(json.dumps(found)) == options


@pytest.mark.parametrize("key", ["", "a\r\nx: y", "ü", "x" * 256, " a"])
def test_an_idempotency_key_that_no_header_can_carry_is_refused(face: Face, key: str) -> None:
    heard = Heard(face)
    with pytest.raises(ValueError, match="idempotency_key is 1 to 255 printable ASCII"):
        face.run(heard.client.auth.mfa.unlock("ann", idempotency_key=key))
    assert heard.requests == []


def test_a_timeout_of_a_call_is_judged_too(face: Face) -> None:
    heard = Heard(face)
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        face.run(heard.client.auth.users.get("ann", timeout=0))
    face.run(heard.client.auth.users.get("ann", timeout=float("inf")))
    assert len(heard.requests) == 1


STRANGE: dict[str, Any] = {
    "a page": {"status": 200, "body": "<h1>Welcome</h1>"},
    "no object": {"status": 200, "body": [1]},
    "nothing": {"status": 200},
    "another object": {"status": 200, "body": {"remaining": 9, "enrolledAt": 7, "data": 7}},
    "a redirect": {"status": 307, "headers": {"location": "https://elsewhere.example/v1"}},
    "no such page": {"status": 404, "body": "<h1>Not found</h1>"},
    "no permission": {"status": 401, "body": {"error": "unauthorized"}},
    "a failure of its own": {"status": 500},
}


class Nodes:
    """Two addresses, of which the first is something else than this service."""

    def __init__(self, face: Face, strange: Any, second: Any) -> None:
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self.clock = Hands()

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request.url.host)
            self.keys.add(request.headers.get("idempotency-key", ""))
            return answer(strange if request.url.host == "n1" else second)

        urls = ["http://n1", "http://n2"]
        self.client = face.client(handle, self.clock, base_url=urls)


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_an_address_that_is_not_this_service_is_passed_over(face: Face, strange: Any) -> None:
    nodes = Nodes(face, strange, {"body": {"data": [], "nextCursor": None}})
    for _ in range(2):
        assert face.rows(nodes.client.auth.users.list()) == []
    assert nodes.asked == ["n1", "n2", "n2"]
    assert nodes.clock.waited == 0


def test_a_write_that_something_else_answered_goes_on_under_its_key(face: Face) -> None:
    nodes = Nodes(face, STRANGE["a page"], {"status": 201, "body": {"factorId": "fac_1"}})
    assert face.run(nodes.client.auth.mfa.enroll_totp("ann")).factor_id == "fac_1"
    assert nodes.asked == ["n1", "n2"]
    assert len(nodes.keys) == 1


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_addresses_that_are_all_not_this_service_are_each_asked_once(
    face: Face, strange: Any
) -> None:
    nodes = Nodes(face, strange, strange)
    for _ in range(2):
        with pytest.raises(
            countersign.CountersignError, match="what answered was not this service"
        ):
            face.rows(nodes.client.auth.users.list())
    assert nodes.asked == ["n1", "n2"] * 2
    assert nodes.clock.waited == 0


def test_what_answers_with_a_page_has_removed_nothing(face: Face) -> None:
    nodes = Nodes(face, STRANGE["a page"], {"status": 204})
    assert face.run(nodes.client.auth.users.delete("ann")) is None
    assert nodes.asked == ["n1", "n2"]
    nodes = Nodes(face, STRANGE["a page"], STRANGE["a page"])
    with pytest.raises(countersign.ConnectionError, match="no JSON object"):
        face.run(nodes.client.auth.users.delete("ann"))


def test_a_list_is_fetched_page_by_page_as_it_is_walked(face: Face) -> None:
    pages = [
        {"data": [{"id": "a"}, {"id": "b"}], "nextCursor": "2"},
        {"data": [], "nextCursor": "3"},
        {"data": [{"id": "c"}], "nextCursor": None},
    ]
    heard = Heard(face, *pages)
    rows = face.rows(heard.client.auth.users.list(query="x", limit=2))
    assert [row.id for row in rows] == ["a", "b", "c"]
    asked = [dict(request.url.params) for request in heard.requests]
    assert asked == [
        {"query": "x", "limit": "2"},
        {"query": "x", "limit": "2", "cursor": "2"},
        {"query": "x", "limit": "2", "cursor": "3"},
    ]


def test_a_page_has_its_rows_and_the_next_page(face: Face) -> None:
    pages = [
        {"data": [{"id": "a"}], "nextCursor": "2"},
        {"data": [{"id": "b"}], "nextCursor": None},
    ]
    heard = Heard(face, *pages)
    first = face.run(heard.client.auth.users.list())
    assert ([row.id for row in first.data], first.next_cursor) == (["a"], "2")
    assert first.has_next_page()
    assert len(heard.requests) == 1
    second = face.run(first.next_page())
    assert [row.id for row in second.data] == ["b"]
    assert not second.has_next_page()
    assert (second.next_page() if face.name == "sync" else face.run(second.next_page())) is None


def test_nothing_is_asked_of_a_list_that_nobody_waits_for_and_its_first_page_once() -> None:
    heard: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        heard.append(str(request.url))
        return answer({"body": {"data": [{"id": "a"}], "nextCursor": None}})

    async def main() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        client = AsyncCountersign(base_url="http://node", api_key=KEY, http_client=http)
        users = client.auth.users.list()
        assert heard == []
        assert [user.id for user in (await users).data] == ["a"]
        assert [user.id async for user in users] == ["a"]
        assert len(heard) == 1

    asyncio.run(main())


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": [], "nextCursor": 7}])
def test_a_page_that_is_none_is_not_this_service(face: Face, body: Any) -> None:
    heard = Heard(face, body)
    with pytest.raises(countersign.ConnectionError, match=r"is no (list|text)"):
        face.rows(heard.client.auth.users.list())


def test_a_list_that_comes_back_to_where_it_was_ends(face: Face) -> None:
    again = {"data": [], "nextCursor": "2"}
    # The last one ends the walk of a client that does not notice.
    pages = [again, again, {"data": [], "nextCursor": None}]
    why = "what answered was not this service: the service gave the same cursor twice"
    for walk in (
        lambda auth: face.rows(auth.users.list()),
        lambda auth: face.run(auth.mfa.list_factors("ann")),
        lambda auth: face.run(auth.mfa.list_devices("ann")),
    ):
        heard = Heard(face, *pages)
        with pytest.raises(countersign.ConnectionError, match=why):
            walk(heard.client.auth)
        assert len(heard.requests) == 2
    heard = Heard(face, *pages[1:])
    with pytest.raises(countersign.ConnectionError, match=why):
        face.rows(heard.client.auth.users.list(cursor="2"))
    assert len(heard.requests) == 1


def test_a_client_closes_what_it_opened_and_nothing_else() -> None:
    mine = httpx.Client()
    with Countersign(base_url="http://a", api_key=KEY, http_client=mine):
        pass
    assert not mine.is_closed
    mine.close()


@pytest.mark.parametrize("by", ["itself", "itself, and the other is mine", "the owner"])
def test_a_call_of_a_closed_client_says_so(face: Face, by: str) -> None:
    is_sync = face.name == "sync"
    kind: Any = Countersign if is_sync else AsyncCountersign
    mine: Any = None
    if by != "itself":
        mine = httpx.Client() if is_sync else httpx.AsyncClient()
    client = kind(base_url=["http://a", "http://b"], api_key=KEY, http_client=mine)
    closing = mine if by == "the owner" else client
    face.run(closing.close() if is_sync else closing.aclose())
    for method, argument in ((client.auth.users.get, "ann"), (client.auth.verify_token, TOKEN)):
        with pytest.raises(RuntimeError, match=r"^the client is closed$"):
            face.run(method(argument))
    if mine is not None:
        face.run(mine.close() if is_sync else mine.aclose())


def test_a_webhook_that_was_parsed_already_is_refused(face: Face) -> None:
    client = face.client(None, Hands(), base_url="http://node")
    with pytest.raises(TypeError, match="over its raw body"):
        client.webhooks.verify({"type": "x"}, {}, "whsec_AAAA")
    for secret in ("", "AAAA", "whsec_", "whsec_!!"):
        with pytest.raises(ValueError, match="a webhook's secret is whsec_ and base64"):
            client.webhooks.verify(b"{}", {}, secret)
    with pytest.raises(ValueError, match="a webhook's secret is needed"):
        client.webhooks.verify(b"{}", {}, [])


@pytest.mark.parametrize(("body", "webhook_id"), [("{}\ud800", "msg_1"), ("{}", "msg_\udfff")])
def test_a_webhook_that_is_no_text_is_malformed(face: Face, body: str, webhook_id: str) -> None:
    clock = Hands()
    client = face.client(None, clock, base_url="http://node")
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(clock.wall())),
        "webhook-signature": "v1,AAAA",
    }
    with pytest.raises(countersign.WebhookSignatureError) as found:
        client.webhooks.verify(body, headers, "whsec_AAAA")
    assert found.value.reason == "malformed"
    assert found.value.__context__ is None

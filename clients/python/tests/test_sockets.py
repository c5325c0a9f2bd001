"""What becomes of calls when a real connection misbehaves."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from support.server import STATUS, Server, answering, http, refusing, request, silent
from support.stage import KEY, Face

import countersign
from countersign import AsyncCountersign, Countersign


@contextmanager
def client_of(face: Face, *urls: str, **options: Any) -> Iterator[Any]:
    kind: Any = Countersign if face.name == "sync" else AsyncCountersign
    made = kind(base_url=list(urls), api_key=KEY, **options)
    try:
        yield made
    finally:
        face.run(made.aclose() if face.name == "async" else made.close())


def test_an_answer_over_a_socket_is_read(face: Face) -> None:
    with Server(answering(http())) as server, client_of(face, server.url) as client:
        for _ in range(3):
            assert face.run(client.auth.mfa.get_status("ann")).enabled is True
        assert server.connections == 1, "the connection was not used again"


def test_a_connection_that_is_refused_leads_to_the_next_node(face: Face) -> None:
    with (
        refusing() as away,
        Server(answering(http())) as server,
        client_of(face, away, server.url) as client,
    ):
        assert face.run(client.auth.mfa.get_status("ann")).enabled is True


def test_a_node_that_cannot_be_reached_is_named_with_the_reason(face: Face) -> None:
    with refusing() as away, client_of(face, away, max_retries=0) as client:
        with pytest.raises(countersign.ConnectionError) as found:
            face.run(client.auth.mfa.get_status("ann"))
        assert str(found.value) == f"getMfaStatus: {away} cannot be reached (ECONNREFUSED)"
        assert isinstance(found.value, ConnectionError)
        assert isinstance(found.value.__cause__, httpx.ConnectError)


def test_a_node_that_is_silent_leaves_time_for_the_next(face: Face) -> None:
    with (
        Server(silent) as first,
        Server(answering(http())) as second,
        client_of(face, first.url, second.url, timeout=3.0) as client,
    ):
        began = time.monotonic()
        assert face.run(client.auth.mfa.get_status("ann")).enabled is True
        assert 1.4 < time.monotonic() - began < 2.9
        if face.name == "async":
            # A loop closes a connection in its next round.
            face.run(asyncio.sleep(0.01))
        assert first.closed.acquire(timeout=5), "the silent connection was kept"


def test_a_call_ends_when_time_is_up(face: Face) -> None:
    with Server(silent) as server, client_of(face, server.url) as client:
        began = time.monotonic()
        with pytest.raises(countersign.TimeoutError, match=r"no answer within 0\.4 s") as found:
            face.run(client.auth.mfa.get_status("ann", timeout=0.4))
        assert time.monotonic() - began < 3
        assert isinstance(found.value, TimeoutError)


def test_a_body_that_trickles_does_not_outlast_the_deadline(face: Face) -> None:
    def trickle(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    with Server(trickle) as server, client_of(face, server.url, max_retries=0) as client:
        began = time.monotonic()
        with pytest.raises(countersign.TimeoutError):
            face.run(client.auth.mfa.get_status("ann", timeout=0.5))
        assert time.monotonic() - began < 3


def test_headers_that_trickle_past_the_deadline_are_too_late_whatever_comes_of_them(
    face: Face,
) -> None:
    def trickle(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
        for _ in range(20):
            connection.sendall(b"x")
            time.sleep(0.05)

    with Server(trickle) as server, client_of(face, server.url, max_retries=0) as client:
        with pytest.raises(countersign.TimeoutError, match=r"no answer within 0\.4 s"):
            face.run(client.auth.mfa.get_status("ann", timeout=0.4))


def test_a_name_whose_addresses_are_all_silent_leaves_time_for_the_next_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up, connect = socket.getaddrinfo, socket.socket.connect
    tried: list[str] = []

    def two_addresses(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host != "dual.example":
            return look_up(host, port, *rest, **options)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (each, port)) for each in ("192.0.2.1", "192.0.2.2")]

    def silence(self: socket.socket, address: Any) -> None:
        if not address[0].startswith("192.0.2."):
            connect(self, address)
            return
        tried.append(address[0])
        timeout = self.gettimeout()
        assert timeout is not None, "it would wait for ever"
        time.sleep(timeout)
        raise socket.timeout("timed out")

    monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
    monkeypatch.setattr(socket.socket, "connect", silence)
    with Server(answering(http())) as second:
        urls = ["http://dual.example", second.url]
        with Countersign(base_url=urls, api_key=KEY, timeout=2.0) as client:
            began = time.monotonic()
            assert client.auth.mfa.get_status("ann").enabled is True
            assert 0.9 < time.monotonic() - began < 1.6
    assert tried == ["192.0.2.1", "192.0.2.2"]


def test_an_answer_that_stops_halfway_has_no_more_time_than_one_that_does_not_begin(
    face: Face,
) -> None:
    def halfway(connection: socket.socket) -> None:
        request(connection)
        time.sleep(1.0)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        silent(connection)

    with Server(halfway) as server, client_of(face, server.url, max_retries=0) as client:
        began = time.monotonic()
        with pytest.raises(countersign.TimeoutError):
            face.run(client.auth.mfa.get_status("ann", timeout=1.4))
        assert time.monotonic() - began < 2.1


def test_a_connection_that_ends_within_the_body_is_tried_elsewhere_with_the_same_key(
    face: Face,
) -> None:
    seen: list[bytes] = []

    def broken(connection: socket.socket) -> None:
        seen.append(request(connection))
        connection.sendall(http()[:-5])

    def whole(connection: socket.socket) -> None:
        seen.append(request(connection))
        connection.sendall(http(body=b'{"verified":true,"remaining":9}'))

    with (
        Server(broken) as first,
        Server(whole) as second,
        client_of(face, first.url, second.url) as client,
    ):
        used = face.run(client.auth.mfa.use_recovery_code("ann", code="7K3M-9QTX-B2WD"))
        assert used.remaining == 9
    keys = {
        line
        for sent in seen
        for line in sent.split(b"\r\n")
        if line.lower().startswith(b"idempotency-key:")
    }
    assert len(seen) == 2
    assert len(keys) == 1


def test_a_redirect_is_not_followed_and_the_key_stays_here(face: Face) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(request(connection))
        connection.sendall(http())

    with Server(listen) as elsewhere:
        redirect = http("307 Temporary Redirect", b"", f"location: {elsewhere.url}/v1/")
        with Server(answering(redirect)) as server, client_of(face, server.url) as client:
            with pytest.raises(countersign.ConnectionError, match="it redirects"):
                face.run(client.auth.mfa.get_status("ann"))
    assert heard == []


def test_cookies_are_not_kept(face: Face) -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        while sent := request(connection):
            heard.append(sent)
            connection.sendall(http("200 OK", STATUS, "set-cookie: balancer=n1; Path=/"))

    with Server(talk) as server, client_of(face, server.url) as client:
        for _ in range(2):
            face.run(client.auth.mfa.get_status("ann"))
    assert len(heard) == 2
    assert not any(b"\r\ncookie:" in sent.lower() for sent in heard)


def test_an_http_client_that_follows_redirects_does_not_do_so_here(face: Face) -> None:
    with Server(answering(http())) as elsewhere:
        redirect = http("307 Temporary Redirect", b"", f"location: {elsewhere.url}/v1/")
        with Server(answering(redirect)) as server:
            kind: Any = httpx.Client if face.name == "sync" else httpx.AsyncClient
            mine = kind(follow_redirects=True, auth=("me", "secret"))
            with client_of(face, server.url, http_client=mine) as client:
                with pytest.raises(countersign.ConnectionError, match="it redirects"):
                    face.run(client.auth.mfa.get_status("ann"))
            assert not mine.is_closed, "it is its owner's"
            face.run(mine.aclose() if face.name == "async" else mine.close())
        assert elsewhere.connections == 0


def test_an_http_client_with_a_password_of_its_own_sends_the_key_nevertheless(face: Face) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(request(connection))
        connection.sendall(http())

    kind: Any = httpx.Client if face.name == "sync" else httpx.AsyncClient
    mine = kind(auth=("me", "secret"))
    with Server(listen) as server, client_of(face, server.url, http_client=mine) as client:
        face.run(client.auth.mfa.get_status("ann"))
    face.run(mine.aclose() if face.name == "async" else mine.close())
    assert f"authorization: bearer {KEY}".encode() in heard[0].lower()


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b"", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_not_this_service(face: Face, body: bytes) -> None:
    with Server(answering(http(body=body))) as server, client_of(face, server.url) as client:
        with pytest.raises(countersign.ConnectionError, match="no JSON object"):
            face.run(client.auth.mfa.get_status("ann"))


def test_a_body_without_an_end_is_not_read_to_its_end(face: Face) -> None:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 1_000_000)

    with Server(talk) as server, client_of(face, server.url) as client:
        why = "200: what answered was not this service: its body is longer than 16777216 bytes"
        with pytest.raises(countersign.ConnectionError, match=why):
            face.run(client.auth.mfa.get_status("ann"))


def test_what_is_no_http_is_a_connection_error(face: Face) -> None:
    def talk(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")

    with Server(talk) as server:
        with client_of(face, server.url, max_retries=0) as client:
            with pytest.raises(countersign.ConnectionError, match="cannot be reached"):
                face.run(client.auth.mfa.get_status("ann"))


def test_many_threads_use_one_client() -> None:
    def talk(connection: socket.socket) -> None:
        while sent := request(connection):
            user = sent.split()[1].rsplit(b"/", 1)[1].decode()
            connection.sendall(http(body=f'{{"id":"{user}"}}'.encode()))

    with Server(talk) as server, Countersign(base_url=server.url, api_key=KEY) as client:
        wrong: list[str] = []

        def work(thread: int) -> None:
            for at in range(20):
                user = f"user-{thread}-{at}"
                if client.auth.users.get(user).id != user:
                    wrong.append(user)

        threads = [threading.Thread(target=work, args=(each,)) for each in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
        assert wrong == []


def test_who_is_cancelled_stops_and_leaves_no_connection() -> None:
    async def main() -> None:
        with Server(silent) as server:
            async with AsyncCountersign(base_url=server.url, api_key=KEY) as client:
                task = asyncio.ensure_future(client.auth.mfa.get_status("ann"))
                while server.connections == 0:
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                closed = await asyncio.get_running_loop().run_in_executor(
                    None, lambda: server.closed.acquire(timeout=5)
                )
                assert closed, "the connection stayed behind"
                assert server.connections == 1, "a call that was cancelled was tried again"
                left = asyncio.all_tasks() - {asyncio.current_task()}
                assert not left

    asyncio.run(main())


def test_no_attempt_that_is_given_up_keeps_its_connection() -> None:
    async def main() -> None:
        with Server(silent) as first, Server(answering(http())) as second:
            urls = [first.url, second.url]
            async with AsyncCountersign(base_url=urls, api_key=KEY, timeout=2.0) as client:
                for _ in range(3):
                    # As if this one had answered last.
                    transport: Any = client.auth.mfa
                    transport._transport._addresses.current = 0
                    await client.auth.mfa.get_status("ann")
                    await asyncio.sleep(0.02)
                    assert first.closed.acquire(timeout=2), "the silent connection was kept"

    asyncio.run(main())


def test_who_is_cancelled_while_waiting_to_try_again_stops() -> None:
    async def main() -> None:
        answer = http("503 Service Unavailable", b"{}", "retry-after: 5")
        with Server(answering(answer)) as server:
            async with AsyncCountersign(base_url=server.url, api_key=KEY) as client:
                began = time.monotonic()
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.auth.mfa.get_status("ann"), 0.3)
                assert time.monotonic() - began < 2

    asyncio.run(main())


def test_many_calls_of_one_client_go_at_the_same_time() -> None:
    async def main() -> None:
        def slow(connection: socket.socket) -> None:
            while request(connection):
                time.sleep(0.2)
                connection.sendall(http())

        with Server(slow) as server:
            async with AsyncCountersign(base_url=server.url, api_key=KEY) as client:
                began = time.monotonic()
                found = await asyncio.gather(
                    *(client.auth.mfa.get_status("ann") for _ in range(20))
                )
                assert all(each.enabled for each in found)
                assert time.monotonic() - began < 3

    asyncio.run(main())


def test_a_client_can_be_used_in_one_event_loop_after_another() -> None:
    client = AsyncCountersign(
        api_key=KEY,
        base_url="http://node",
        http_client=httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _: httpx.Response(200, content=STATUS))
        ),
    )
    for _ in range(2):
        assert asyncio.run(_status(client))


async def _status(client: AsyncCountersign) -> bool:
    return (await client.auth.mfa.get_status("ann")).enabled

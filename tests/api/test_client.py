import base64
import contextlib
import http.server
import inspect
import itertools
import json
import logging
import multiprocessing
import os
import pickle
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn, get_args

import pytest

from django_klarna.api import (
    Call,
    Environment,
    KlarnaAPIError,
    KlarnaAuthenticationError,
    KlarnaBadRequestError,
    KlarnaClient,
    KlarnaConflictError,
    KlarnaConnectionError,
    KlarnaNotFoundError,
    KlarnaRateLimitError,
    KlarnaResponseError,
    KlarnaServerError,
    KlarnaTimeoutError,
    KlarnaValidationError,
    Region,
    Session,
)
from django_klarna.sandbox import Sandbox, SandboxServer
from tests.api.conftest import (
    CERTIFICATE,
    Behaviour,
    MakeClient,
    Peer,
    answer,
    drips,
    is_silent,
    leaves,
    says_and_leaves,
)
from tests.api.payloads import CREATED, order_line, session_create

SECRETS = ("planted-password", "planted-client-token", "planted-name", "planted@example.com")


def head(request: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return first, dict(line.lower().split(": ", 1) for line in lines)


# What is sent


def test_create_sends_the_session_as_compact_json_and_reads_the_answer(
    peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(200, CREATED))
    created = klarna_client.sessions.create_credit_session(session_create(merchant_reference1="Å"))
    assert (created.session_id, created.client_token) == ("0b1d9815", "planted-client-token")
    first, headers = head(peer.requests[0])
    body = peer.requests[0].partition(b"\r\n\r\n")[2]
    assert first == "POST /payments/v1/sessions HTTP/1.1"
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert body == session_create(merchant_reference1="Å").to_json()
    assert json.loads(body)["merchant_reference1"] == "Å"


def test_read_and_update_name_the_session_in_the_path(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, {"status": "incomplete", "order_amount": 5, "brand_new": [1]}), answer(204))
    read = klarna_client.sessions.read_credit_session("a/b?c")
    assert (read.status, read.order_amount) == ("incomplete", 5)
    klarna_client.sessions.update_credit_session("a/b?c", Session(order_amount=0))
    lines = [head(request)[0] for request in peer.requests]
    path = "/payments/v1/sessions/a%2Fb%3Fc"
    assert lines == [f"GET {path} HTTP/1.1", f"POST {path} HTTP/1.1"]
    assert peer.requests[1].endswith(b'\r\n\r\n{"order_amount":0}')


@pytest.mark.parametrize("session_id", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(
    peer: Peer, klarna_client: KlarnaClient, session_id: str
) -> None:
    with pytest.raises(ValueError, match="session id"):
        klarna_client.sessions.read_credit_session(session_id)
    assert peer.requests == []


def test_input_is_checked_before_anything_is_sent(peer: Peer, klarna_client: KlarnaClient) -> None:
    with pytest.raises(KlarnaValidationError) as caught:
        klarna_client.sessions.create_credit_session(session_create(purchase_country="Sweden"))
    assert [(v.path, v.rule) for v in caught.value.violations] == [("/purchase_country", "pattern")]
    with pytest.raises(KlarnaValidationError):
        klarna_client.sessions.update_credit_session("s", Session(order_lines=[]))
    assert peer.connections == 0


def test_the_wrong_type_is_refused_and_the_way_out_named(peer: Peer, klarna_client: KlarnaClient) -> None:
    with pytest.raises(TypeError, match="from_dict"):
        klarna_client.sessions.create_credit_session(session_create().to_dict())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="to_session"):
        klarna_client.sessions.update_credit_session("s", session_create())  # type: ignore[arg-type]
    assert peer.connections == 0


def test_both_kinds_of_credentials(peer: Peer, make_client: MakeClient) -> None:
    make_client(username="Ké", password="p:w").sessions.update_credit_session("s", Session())
    make_client(api_key="klarna_test_api_x").sessions.update_credit_session("s", Session())
    basic, raw = (head_of.partition(b"Authorization: ")[2].split(b"\r\n")[0] for head_of in peer.requests)
    assert basic == b"Basic " + base64.b64encode("Ké:p:w".encode())
    assert raw == b"Basic klarna_test_api_x"


def test_user_agent_names_us_and_the_shop(peer: Peer, make_client: MakeClient) -> None:
    make_client(user_agent="Shop/2").sessions.update_credit_session("s", Session())
    agent = head(peer.requests[0])[1]["user-agent"]
    assert agent.startswith("django_klarna/")
    assert "python/" in agent
    assert agent.endswith(" shop/2")


def test_netrc_and_proxies_of_the_environment_are_not_looked_at(
    peer: Peer, klarna_client: KlarnaClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused_url: str
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", refused_url)
    monkeypatch.setenv("http_proxy", refused_url)
    klarna_client.sessions.update_credit_session("s", Session())
    sent = peer.requests[0].partition(b"Authorization: Basic ")[2].split(b"\r\n")[0]
    assert base64.b64decode(sent) == b"K123:planted-password"


def test_a_proxy_given_is_used(peer: Peer, make_client: MakeClient) -> None:
    client = make_client(base_url="http://localhost:1", proxies={"http": peer.url})
    client.sessions.update_credit_session("s", Session())
    assert peer.requests[0].startswith(b"POST http://localhost:1/payments/v1/sessions/s HTTP/1.1")


def test_a_refusing_tunnel_is_not_taken_for_a_sent_request(peer: Peer, make_client: MakeClient) -> None:
    peer.behaves(says_and_leaves(answer(407)))
    client = make_client(base_url="https://localhost:1", proxies={"https": peer.url})
    with pytest.raises(KlarnaConnectionError) as caught:
        client.sessions.update_credit_session("s", Session())
    assert caught.value.sent is False
    assert peer.requests[0].startswith(b"CONNECT localhost:1 ")


# Connections


def test_one_connection_serves_many_calls(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, CREATED), answer(204), answer(404, {"error_code": "NOT_FOUND"}), answer(200, {}))
    klarna_client.sessions.create_credit_session(session_create())
    klarna_client.sessions.update_credit_session("s", Session())
    with pytest.raises(KlarnaNotFoundError):
        klarna_client.sessions.read_credit_session("s")
    klarna_client.sessions.read_credit_session("s")
    assert (peer.connections, len(peer.requests)) == (1, 4)


def test_a_closed_idle_connection_is_replaced(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(says_and_leaves(answer(204)))
    klarna_client.sessions.update_credit_session("s", Session())
    time.sleep(0.05)
    klarna_client.sessions.update_credit_session("s", Session())
    assert (peer.connections, len(peer.requests)) == (2, 2)


def test_threads_share_one_client(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, CREATED))
    tokens = []

    def create() -> None:
        tokens.append(klarna_client.sessions.create_credit_session(session_create()).client_token)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tokens == ["planted-client-token"] * 8


def test_threads_get_their_own_answers(klarna: Sandbox, sandbox_server: SandboxServer) -> None:
    def there_and_back(number: int) -> bool:
        line = order_line(tax_rate=0, total_tax_amount=0)
        session = session_create(merchant_reference1=f"cart-{number}", order_tax_amount=0, order_lines=[line])
        created = client.sessions.create_credit_session(session)
        reads = [client.sessions.read_credit_session(created.session_id) for _ in range(3)]
        return all(read.merchant_reference1 == f"cart-{number}" for read in reads)

    with (
        KlarnaClient(
            username="K1", password="secret-of-k1", base_url=sandbox_server.url, pool_maxsize=2
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        assert all(pool.map(there_and_back, range(40)))
    assert len(klarna.sessions) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_in_the_middle_of_a_call_disturbs_neither(peer: Peer, klarna_client: KlarnaClient) -> None:
    forked = threading.Event()

    def waits(connection: socket.socket) -> bool:
        forked.wait(30)
        connection.sendall(answer(200, {"merchant_reference1": "of the parent"}))
        return True

    peer.behaves(waits, answer(200, {"merchant_reference1": "of the child"}))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(klarna_client.sessions.read_credit_session, "s", timeout=60)
        while not peer.requests:
            time.sleep(0.01)
        child = multiprocessing.get_context("fork").Process(target=reads_as_the_child, args=(klarna_client,))
        child.start()
        child.join(30)
        forked.set()
        assert call.result().merchant_reference1 == "of the parent"
    assert child.exitcode == 0
    assert (peer.connections, len(peer.requests)) == (2, 2)


def reads_as_the_child(client: KlarnaClient) -> None:
    assert client.sessions.read_credit_session("s", timeout=60).merchant_reference1 == "of the child"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_its_own_connection(peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client.sessions.update_credit_session("s", Session())
    child = multiprocessing.get_context("fork").Process(
        target=klarna_client.sessions.update_credit_session, args=("s", Session())
    )
    child.start()
    child.join(10)
    klarna_client.sessions.update_credit_session("s", Session())
    assert child.exitcode == 0
    assert (peer.connections, len(peer.requests)) == (2, 3)


def test_cookies_are_not_sent_back(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(204, Set_Cookie="a=b; Path=/"))
    klarna_client.sessions.update_credit_session("s", Session())
    klarna_client.sessions.update_credit_session("s", Session())
    assert b"cookie" not in peer.requests[1].lower()
    assert list(klarna_client._transport._session().cookies) == []


def test_a_closed_client_can_be_used_again(peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client.sessions.update_credit_session("s", Session())
    klarna_client.close()
    klarna_client.sessions.update_credit_session("s", Session())
    assert peer.connections == 2


def says_later(*parts: bytes, pause: float = 0.1) -> Behaviour:
    def behave(connection: socket.socket) -> bool:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        return True

    return behave


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_an_interim_answer_is_not_taken_for_the_answer(
    peer: Peer, klarna_client: KlarnaClient, status: int
) -> None:
    interim = f"HTTP/1.1 {status} Wait\r\nLink: </a>\r\n\r\n".encode()
    peer.behaves(says_later(interim, interim, answer(204)), answer(400, {"error_code": "BAD_VALUE"}))
    klarna_client.sessions.update_credit_session("A", Session())
    with pytest.raises(KlarnaBadRequestError):
        klarna_client.sessions.update_credit_session("B", Session(order_amount=1))
    assert (peer.connections, len(peer.requests)) == (1, 2)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\nX: %d\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nX: %d\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nX: %d\r\n\r\n",
    ],
)
def test_a_body_where_none_may_be_is_not_the_next_answer(
    peer: Peer, klarna_client: KlarnaClient, start: bytes
) -> None:
    smuggled = answer(200, {**CREATED, "session_id": "smuggled"})
    peer.behaves(says_later(start % len(smuggled), smuggled), answer(200, CREATED))
    with contextlib.suppress(KlarnaServerError):
        klarna_client.sessions.update_credit_session("A", Session())
    assert klarna_client.sessions.create_credit_session(session_create()).session_id == "0b1d9815"
    assert peer.connections == 2


def test_a_body_that_may_not_be_is_not_waited_for(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")
    started = time.monotonic()
    klarna_client.sessions.update_credit_session("A", Session(), timeout=2)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("part", ["sessions", "orders", "order_management"])
def test_credentials_do_not_get_into_a_pickle(klarna_client: KlarnaClient, part: str) -> None:
    for whole in (klarna_client, getattr(klarna_client, part)):
        with pytest.raises(TypeError, match="credentials"):
            pickle.dumps(whole)


# TLS


def test_tls_is_verified_and_a_bad_certificate_is_not_tried_again(
    tls_peer: Peer, make_client: MakeClient
) -> None:
    with pytest.raises(KlarnaConnectionError, match="SSLCertVerificationError") as caught:
        make_client(base_url=tls_peer.url).sessions.update_credit_session("s", Session())
    assert caught.value.sent is False
    assert (tls_peer.connections, tls_peer.requests) == (1, [])


def test_a_certificate_authority_of_ones_own(tls_peer: Peer, make_client: MakeClient) -> None:
    client = make_client(base_url=tls_peer.url, verify=str(CERTIFICATE))
    client.sessions.update_credit_session("s", Session())
    client.sessions.update_credit_session("s", Session())
    assert (tls_peer.connections, len(tls_peer.requests)) == (1, 2)


def test_a_missing_certificate_authority_sends_nothing(tls_peer: Peer, make_client: MakeClient) -> None:
    with pytest.raises(KlarnaConnectionError) as caught:
        make_client(base_url=tls_peer.url, verify="/nowhere.pem").sessions.update_credit_session(
            "s", Session()
        )
    assert caught.value.sent is False


def test_a_handshake_that_never_ends_is_not_a_sent_request(peer: Peer, make_client: MakeClient) -> None:
    peer.behaves(is_silent)
    started = time.monotonic()
    client = make_client(base_url=peer.url.replace("http", "https"), timeout=0.3)
    with pytest.raises(KlarnaTimeoutError) as caught:
        client.sessions.update_credit_session("s", Session())
    assert caught.value.sent is False
    assert 0.3 <= time.monotonic() - started < 3


# No answer


def test_refused_is_tried_again_and_not_sent(make_client: MakeClient, refused_url: str) -> None:
    started = time.monotonic()
    with pytest.raises(
        KlarnaConnectionError, match=r"\(ConnectionRefusedError\); nothing was sent"
    ) as caught:
        make_client(base_url=refused_url).sessions.update_credit_session("s", Session())
    assert type(caught.value) is KlarnaConnectionError
    assert caught.value.sent is False
    assert 0.2 <= time.monotonic() - started < 3


def test_a_server_that_comes_back_gets_the_request_once(make_client: MakeClient, refused_url: str) -> None:
    port = int(refused_url.rpartition(":")[2])
    seen = []

    def come_back() -> None:
        time.sleep(0.05)
        server = http.server.HTTPServer(("127.0.0.1", port), Handler)
        server.handle_request()
        server.server_close()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    thread = threading.Thread(target=come_back)
    thread.start()
    make_client(base_url=refused_url).sessions.update_credit_session("s", Session())
    thread.join()
    assert seen == ["/payments/v1/sessions/s"]


def test_silence_ends_after_the_read_timeout_and_is_not_repeated(peer: Peer, make_client: MakeClient) -> None:
    peer.behaves(is_silent)
    started = time.monotonic()
    with pytest.raises(KlarnaTimeoutError, match="may have reached Klarna") as caught:
        make_client(read_timeout=0.2).sessions.create_credit_session(session_create())
    assert caught.value.sent is True
    assert 0.2 <= time.monotonic() - started < 3
    assert len(peer.requests) == 1


def test_the_timeout_of_a_call_is_above_all_others(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(is_silent)
    started = time.monotonic()
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.sessions.read_credit_session("s", timeout=0.2)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_left_sends_nothing(peer: Peer, klarna_client: KlarnaClient, timeout: float) -> None:
    with pytest.raises(KlarnaTimeoutError) as caught:
        klarna_client.sessions.read_credit_session("s", timeout=timeout)
    assert caught.value.sent is False
    assert peer.connections == 0


def test_no_time_left_on_an_open_connection_sends_nothing(peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client.sessions.update_credit_session("s", Session())
    with pytest.raises(KlarnaTimeoutError) as caught:
        klarna_client.sessions.update_credit_session("s", Session(), timeout=0)
    assert caught.value.sent is False
    assert len(peer.requests) == 1


@pytest.mark.parametrize("where", ["status line", "headers", "body", "chunks"])
def test_a_dripping_answer_does_not_outlive_the_timeout(
    peer: Peer, make_client: MakeClient, where: str
) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = answer(200, CREATED)
    start, rest = {
        "status line": (b"", whole),
        "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 50),
        "body": (whole[:60], whole[60:]),
        "chunks": (chunked, b"1\r\n \r\n" * 100),
    }[where]

    def behave(connection: socket.socket) -> bool:
        connection.sendall(start)
        return drips(rest)(connection)

    peer.behaves(behave)
    started = time.monotonic()
    with pytest.raises(KlarnaTimeoutError) as caught:
        make_client(timeout=0.4).sessions.create_credit_session(session_create())
    assert caught.value.sent is True
    assert 0.4 <= time.monotonic() - started < 3
    assert len(peer.requests) == 1


def test_a_dripping_answer_over_tls_does_not_outlive_the_timeout(
    tls_peer: Peer, make_client: MakeClient
) -> None:
    tls_peer.behaves(drips(answer(200, CREATED)))
    started = time.monotonic()
    client = make_client(base_url=tls_peer.url, verify=str(CERTIFICATE), timeout=0.4)
    with pytest.raises(KlarnaTimeoutError):
        client.sessions.create_credit_session(session_create())
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("content", [b"", b"HTTP/1.", answer(200, CREATED)[:-5], b"nonsense\r\n\r\n"])
def test_a_dropped_connection_is_sent_and_not_repeated(
    peer: Peer, klarna_client: KlarnaClient, content: bytes
) -> None:
    peer.behaves(leaves if not content else says_and_leaves(content))
    with pytest.raises(KlarnaConnectionError) as caught:
        klarna_client.sessions.create_credit_session(session_create())
    assert caught.value.sent is True
    assert len(peer.requests) == 1


# Answers that cannot be read


@pytest.mark.parametrize(
    "content",
    [
        answer(200, b"<html>"),
        answer(200, b"\xff\xfe\xfa"),
        answer(200, b""),
        answer(200, b"[" * 100_000),
        answer(200, []),
        answer(200, {"session_id": "x"}),
        answer(200, {**CREATED, "session_id": 5}),
        answer(200, b"not gzip", Content_Encoding="gzip"),
    ],
)
def test_a_success_that_cannot_be_read(peer: Peer, klarna_client: KlarnaClient, content: bytes) -> None:
    peer.behaves(content.replace(b"\r\n\r\n", b"\r\nKlarna-Correlation-Id: c-1\r\n\r\n", 1))
    with pytest.raises(KlarnaResponseError) as caught:
        klarna_client.sessions.create_credit_session(session_create())
    assert (caught.value.status_code, caught.value.correlation_id) == (200, "c-1")
    assert caught.value.__context__ is None
    assert "c-1" in str(caught.value)


def test_a_success_whose_body_is_not_needed_is_a_success(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(
        answer(200, b"<html>"), answer(201, b"x" * 2_000_000), says_and_leaves(answer(202, b"x", length=9))
    )
    for _ in range(3):
        klarna_client.sessions.update_credit_session("s", Session())
    assert len(peer.requests) == 3


def test_an_oversized_answer_is_not_read_on(peer: Peer, make_client: MakeClient) -> None:
    peer.behaves(answer(200, {**CREATED, "padding": "x" * 200_000}), answer(200, CREATED))
    client = make_client(max_response_bytes=4_096)
    with pytest.raises(KlarnaResponseError, match="4096 bytes"):
        client.sessions.create_credit_session(session_create())
    assert client.sessions.create_credit_session(session_create()).session_id == "0b1d9815"
    assert peer.connections == 2


def test_an_endless_chunk_is_not_read_on(peer: Peer, make_client: MakeClient) -> None:
    sent = []

    def behave(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
        for _ in range(100):
            connection.sendall(b"x" * 1_000_000)
            sent.append(1_000_000)
        return False

    peer.behaves(behave, answer(200, CREATED))
    client = make_client(max_response_bytes=4_096)
    with pytest.raises(KlarnaResponseError, match="4096 bytes"):
        client.sessions.create_credit_session(session_create())
    assert client.sessions.create_credit_session(session_create()).session_id == "0b1d9815"
    assert sum(sent) < 20_000_000


def test_an_endless_head_is_not_read_on(peer: Peer, make_client: MakeClient) -> None:
    peer.behaves(says_and_leaves(b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000 + answer(200, CREATED)))
    with pytest.raises(KlarnaConnectionError) as caught:
        make_client().sessions.create_credit_session(session_create())
    assert caught.value.sent is True


# Errors that Klarna tells


@pytest.mark.parametrize(
    ("status", "expected", "retryable"),
    [
        (301, KlarnaServerError, False),
        (400, KlarnaBadRequestError, False),
        (401, KlarnaAuthenticationError, False),
        (403, KlarnaAuthenticationError, False),
        (404, KlarnaNotFoundError, False),
        (409, KlarnaConflictError, False),
        (413, KlarnaBadRequestError, False),
        (422, KlarnaBadRequestError, False),
        (429, KlarnaRateLimitError, True),
        (500, KlarnaServerError, True),
        (503, KlarnaServerError, True),
    ],
)
def test_each_status_has_its_class_and_is_seen_once(
    peer: Peer, klarna_client: KlarnaClient, status: int, expected: type[KlarnaAPIError], retryable: bool
) -> None:
    body = {"error_code": "BAD_VALUE", "error_messages": ["Bad value: locale", 5], "correlation_id": "c-2"}
    peer.behaves(answer(status, body, Retry_After="x"))
    with pytest.raises(KlarnaAPIError) as caught:
        klarna_client.sessions.create_credit_session(session_create())
    error = caught.value
    assert type(error) is expected
    assert (error.status_code, error.error_code, error.correlation_id) == (status, "BAD_VALUE", "c-2")
    assert error.error_messages == ("Bad value: locale",)
    assert (error.retryable, error.retry_after) == (retryable, None)
    assert str(error) == (f"create_credit_session: {status} BAD_VALUE Bad value: locale (correlation id c-2)")
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "body", [b"<html>401</html>", b"", b"\xff", b"[1]", b'{"error_code": ["x"], "error_messages": 3}']
)
def test_an_error_without_json_is_told_by_its_status(
    peer: Peer, klarna_client: KlarnaClient, body: bytes
) -> None:
    peer.behaves(answer(401, body, Klarna_Correlation_Id="c-3"))
    with pytest.raises(KlarnaAuthenticationError, match="no error code") as caught:
        klarna_client.sessions.read_credit_session("s")
    assert (caught.value.error_code, caught.value.error_messages) == (None, ())
    assert caught.value.correlation_id == "c-3"


def test_one_error_message_instead_of_a_list(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(400, {"error_message": "Bad\nvalue"}))
    with pytest.raises(KlarnaBadRequestError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.error_messages == ("Bad value",)


def test_what_cannot_be_stored_or_shown_is_taken_out_of_an_error(
    peer: Peer, klarna_client: KlarnaClient
) -> None:
    told = {
        "error_code": "BAD\x1b[2JVALUE",
        "error_messages": ["a\ud800b\0c\x1b[31md", " new\n\tline \u202e Å"],
        "correlation_id": "c\ud800",
    }
    peer.behaves(answer(400, told))
    with pytest.raises(KlarnaBadRequestError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.error_messages == ("a?b?c?[31md", "new line ? Å")
    assert (caught.value.error_code, caught.value.correlation_id) == (None, None)


def test_no_more_is_kept_of_an_error_than_can_be_read(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(400, {"error_messages": ["x" * 501] * 51}))
    with pytest.raises(KlarnaAPIError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.error_messages == ("x" * 500,) * 50


def test_an_error_is_told_by_its_status_even_if_its_body_is_cut(
    peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(says_and_leaves(answer(400, b"{", length=100)))
    with pytest.raises(KlarnaBadRequestError):
        klarna_client.sessions.create_credit_session(session_create())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "1700000000"}, 1_700_000_000),
        ({"Retry_After": "abc", "X_Ratelimit_Reset": "1.5"}, 1.5),
        ({"X_Ratelimit_Reset": "0"}, 0),
        ({"X_Ratelimit_Reset": "1700000000"}, 0),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "inf"}, None),
        ({"Retry_After": "1e3"}, None),
        ({"Retry_After": "9" * 400}, None),
        ({}, None),
    ],
)
def test_when_to_try_again(
    peer: Peer, klarna_client: KlarnaClient, headers: dict[str, Any], expected: float | None
) -> None:
    peer.behaves(answer(429, **headers))
    with pytest.raises(KlarnaRateLimitError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.retry_after == expected


def test_a_moment_at_which_to_try_again_is_so_many_seconds_away(
    peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(429, X_Ratelimit_Reset=str(int(time.time()) + 3600)))
    with pytest.raises(KlarnaRateLimitError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.retry_after == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(("headers", "expected"), [({}, None), ({"Retry_After": "7"}, 7)])
def test_the_reset_of_a_limit_that_is_not_reached_is_no_reason_to_wait(
    peer: Peer, klarna_client: KlarnaClient, headers: dict[str, Any], expected: float | None
) -> None:
    peer.behaves(answer(503, X_Ratelimit_Reset="60", X_Ratelimit_Remaining="199", **headers))
    with pytest.raises(KlarnaServerError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert caught.value.retry_after == expected


def test_a_redirect_is_not_followed(peer: Peer, klarna_client: KlarnaClient) -> None:
    other = Peer()
    peer.behaves(answer(307, b"x" * 10, Location=other.url))
    with pytest.raises(KlarnaServerError):
        klarna_client.sessions.create_credit_session(session_create())
    assert (other.connections, len(peer.requests)) == (0, 1)
    other.close()


# What is told about a call, and what is not


def test_each_call_is_told(peer: Peer, make_client: MakeClient, refused_url: str) -> None:
    calls: list[Call] = []
    peer.behaves(
        answer(200, CREATED, Klarna_Correlation_Id="c-4"),
        answer(404, {"error_code": "NOT_FOUND", "correlation_id": "c-5"}),
        leaves,
    )
    client = make_client(on_call=calls.append)
    client.sessions.create_credit_session(session_create())
    for _ in range(2):
        with pytest.raises((KlarnaNotFoundError, KlarnaConnectionError)):
            client.sessions.read_credit_session("s")
    with pytest.raises(KlarnaConnectionError):
        make_client(on_call=calls.append, base_url=refused_url).sessions.read_credit_session("s")
    told = [(c.operation, c.method, c.status_code, c.error_code, c.correlation_id, c.sent) for c in calls]
    assert told == [
        ("create_credit_session", "POST", 200, None, "c-4", True),
        ("read_credit_session", "GET", 404, "NOT_FOUND", "c-5", True),
        ("read_credit_session", "GET", None, None, None, True),
        ("read_credit_session", "GET", None, None, None, False),
    ]
    assert [(call.failure, call.attempts) for call in calls] == [
        (None, 1),
        ("KlarnaNotFoundError", 1),
        ("KlarnaConnectionError", 1),
        ("KlarnaConnectionError", 3),
    ]
    assert all(0 < call.duration < 5 for call in calls)


def test_a_failing_hook_does_not_fail_the_call(
    peer: Peer, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(call: Call) -> NoReturn:
        raise LookupError("the hook's own trouble")

    peer.behaves(answer(200, CREATED))
    created = make_client(on_call=fail).sessions.create_credit_session(session_create())
    assert created.session_id == "0b1d9815"
    assert "on_call failed for create_credit_session" in caplog.text


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, CREATED),
        answer(200, {**CREATED, "session_id": 5}),
        answer(500, b"<html>"),
        leaves,
        answer(200, CREATED)[:-3],
    ],
)
def test_secrets_and_personal_data_are_nowhere(
    peer: Peer, make_client: MakeClient, caplog: pytest.LogCaptureFixture, behaviour: Behaviour | bytes
) -> None:
    peer.behaves(says_and_leaves(behaviour) if isinstance(behaviour, bytes) else behaviour)
    caplog.set_level(logging.DEBUG)
    client = make_client()
    basic = base64.b64encode(b"K123:planted-password").decode()
    try:
        told = repr(client.sessions.create_credit_session(session_create()))
    except (KlarnaAPIError, KlarnaConnectionError, KlarnaResponseError) as error:
        told = f"{error} {error!r} {vars(error)} {error.__context__!r} {pickle.dumps(error)!r}" + frames(
            error
        )
    told += caplog.text + repr(client) + repr(vars(client)) + repr(session_create())
    assert [secret for secret in (*SECRETS, basic) if secret in told] == []


def frames(error: BaseException) -> str:
    """What a debug page shows: the variables of every frame of the client's."""
    found, here = "", error.__traceback__
    while here:
        if here.tb_frame.f_globals["__name__"].startswith("django_klarna."):
            found += repr(here.tb_frame.f_locals)
        here = here.tb_next
    return found


def test_log_line_names_operation_status_and_correlation_id(
    peer: Peer, klarna_client: KlarnaClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django_klarna.api")
    peer.behaves(answer(200, {}, Klarna_Correlation_Id="c-6"))
    klarna_client.sessions.read_credit_session("planted-session-id")
    record = next(record for record in caplog.records if record.name == "django_klarna.api")
    assert "read_credit_session" in record.getMessage()
    assert "200" in record.getMessage()
    assert "c-6" in record.getMessage()
    assert "planted-session-id" not in record.getMessage()


# Options


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"username": "u"},
        {"password": "p"},
        {"username": "u", "password": ""},
        {"api_key": "k", "username": "u"},
        {"api_key": "k", "username": "u", "password": "p"},
        {"username": "a:b", "password": "p"},
        {"username": "u", "password": "planted\r\nX: y"},
        {"api_key": "planted\nX: y"},
        {"api_key": "plantedé"},
        {"api_key": "k", "user_agent": "a\r\nb"},
        {"api_key": "k", "base_url": "http://klarna.example"},
        {"api_key": "k", "base_url": "https://u:planted@klarna.example"},
        {"api_key": "k", "base_url": "https://klarna.example/?x=1"},
        {"api_key": "k", "base_url": "klarna.example"},
        {"api_key": "planted", "base_url": "http://localhost:99999"},
        {"api_key": "planted", "base_url": "http://localhost:0"},
        {"api_key": "planted", "base_url": "https://u:planted"},
        {"api_key": "planted", "base_url": "https://u:planted@klarna.example:x"},
        {"api_key": "planted", "base_url": "https://[planted"},
        {"api_key": "planted\ud800"},
        {"username": "u", "password": "planted\ud800"},
        {"api_key": "k", "region": "mars"},
        {"api_key": "k", "environment": "test"},
        {"api_key": "k", "timeout": 0},
        {"username": "u", "password": "planted", "timeout": 0},
        {"username": "planted", "password": "planted", "api_key": "planted"},
        {"api_key": "k", "timeout": float("inf")},
        {"api_key": "k", "read_timeout": float("nan")},
        {"api_key": "k", "connect_timeout": -1},
        {"api_key": "k", "max_response_bytes": True},
        {"api_key": "k", "proxies": {"https": "socks5://127.0.0.1:1"}},
        {"api_key": "planted", "proxies": {"https": "socks5://u:planted@127.0.0.1:1"}},
        {"api_key": "planted", "proxies": {"https": "http://u:planted@[x"}},
        {"api_key": "planted", "user_agent": 5},
        {"username": "u", "password": b"planted"},
        {"username": b"planted", "password": "planted"},
        {"api_key": "planted", "timeout": "15"},
        {"api_key": "planted", "proxies": "planted"},
        {"api_key": "planted", "base_url": 5},
        {"api_key": "planted", "pool_maxsize": 10**400},
        {"api_key": "planted", "pasword": "planted"},
    ],
)
def test_options_that_cannot_work_are_refused_without_being_shown(options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        KlarnaClient(**options)
    assert str(caught.value)
    assert "planted" not in str(caught.value)
    assert "planted" not in frames(caught.value)
    assert caught.value.__context__ is None


def test_the_constructor_keeps_its_signature() -> None:
    names = set(inspect.signature(KlarnaClient).parameters)
    assert {"username", "password", "api_key", "base_url", "on_call"} < names
    with pytest.raises(TypeError, match="'pasword'"):
        KlarnaClient(pasword="planted")  # type: ignore[call-arg]


def test_address_by_region_and_environment() -> None:
    hosts = {
        KlarnaClient(api_key="k", region=region, environment=environment).base_url
        for region, environment in itertools.product(get_args(Region), get_args(Environment))
    }
    assert hosts == {
        "https://api.klarna.com",
        "https://api-na.klarna.com",
        "https://api-oc.klarna.com",
        "https://api.playground.klarna.com",
        "https://api-na.playground.klarna.com",
        "https://api-oc.playground.klarna.com",
    }
    assert KlarnaClient(api_key="k").base_url == "https://api.playground.klarna.com"


@pytest.mark.parametrize(
    "url", ["http://localhost:8100/", "http://127.0.0.2", "http://[::1]:8100", "https://k.example/p"]
)
def test_http_is_for_this_machine_only(url: str) -> None:
    assert KlarnaClient(api_key="k", base_url=url).base_url == url.rstrip("/")


def test_repr_shows_the_address_only() -> None:
    client = KlarnaClient(api_key="planted")
    assert repr(client) == "KlarnaClient(base_url='https://api.playground.klarna.com')"

"""The sandbox behind a socket."""

import http.client
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from django_klarna.sandbox import Request, Response, Sandbox, SandboxServer

SESSIONS = "/payments/v1/sessions"
AUTH = ("K123_shop", "secret")


def raw(server: SandboxServer, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes the connection."""
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_session_over_http(server: SandboxServer, cart: dict[str, Any]) -> None:
    created = requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5)
    assert created.status_code == 200
    session_id = created.json()["session_id"]
    path = f"{server.url}{SESSIONS}/{session_id}"
    changed = requests.post(path, json={"locale": "sv-SE"}, auth=AUTH, timeout=5)
    assert (changed.status_code, changed.content) == (204, b"")
    assert requests.get(path, auth=AUTH, timeout=5).json()["locale"] == "sv-SE"
    assert [call.status for call in server.sandbox.calls] == [200, 204, 200]
    assert created.json()["payment_method_categories"][0]["asset_urls"]["standard"].startswith(server.url)


def test_connection_is_kept(server: SandboxServer, cart: dict[str, Any]) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
    for path in (SESSIONS, "/nowhere", "/_sandbox/faults"):
        connection.request("POST", path, json.dumps(cart), {"Authorization": "Basic klarna_test_api_x"})
        connection.getresponse().read()
        used = connection.sock
        assert used is not None
        connection.request("HEAD", "/")
        assert connection.getresponse().read() == b""
        assert connection.sock is used
    connection.close()


def test_dropped_connection_gets_no_byte(server: SandboxServer, cart: dict[str, Any]) -> None:
    server.sandbox.fail_next(drop="after")
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5)
    assert len(server.sandbox.sessions) == 1
    assert raw(server, b"GET /nowhere HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404")


def test_late_request_is_applied_after_the_client_gave_up(
    server: SandboxServer, cart: dict[str, Any]
) -> None:
    server.sandbox.fail_next(drop="late", delay=0.3)
    start = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5)
    assert not server.sandbox.sessions
    assert time.monotonic() - start < 0.3
    time.sleep(0.4)
    (call,) = requests.get(f"{server.url}/_sandbox/calls", timeout=5).json()
    assert call["session_id"] in server.sandbox.sessions


def test_delayed_answer_comes_late(server: SandboxServer, cart: dict[str, Any]) -> None:
    server.sandbox.fail_next(delay=0.3)
    start = time.monotonic()
    assert requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5).status_code == 200
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("keep", [True, False])
def test_truncated_body_ends_in_the_middle(server: SandboxServer, keep: bool) -> None:
    server.sandbox.fail_next(body="truncated", status=500)
    close = b"" if keep else b"Connection: close\r\n"
    answer = raw(server, b"GET /payments/v1/sessions/x HTTP/1.1\r\n" + close + b"\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    (length,) = re.findall(rb"Content-Length: (\d+)", head)
    assert len(body) == int(length) // 2


def test_truncated_answer_is_an_error_for_its_client(server: SandboxServer, cart: dict[str, Any]) -> None:
    server.sandbox.fail_next(body="truncated", count=2)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5)
    (session_id,) = server.sandbox.sessions
    changed = requests.post(f"{server.url}{SESSIONS}/{session_id}", json={}, auth=AUTH, timeout=5)
    assert (changed.status_code, changed.content) == (204, b"")


def test_body_drips(server: SandboxServer, cart: dict[str, Any]) -> None:
    server.sandbox.fail_next(drip=0.4)
    start = time.monotonic()
    with requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5, stream=True) as response:
        arrivals = [time.monotonic() - start for _ in iter(lambda: response.raw.read1(65536), b"")]
    assert response.status_code == 200
    assert len(arrivals) > 2
    assert arrivals[-1] >= 0.35


def test_dripping_body_is_whole(server: SandboxServer, cart: dict[str, Any]) -> None:
    server.sandbox.fail_next(drip=0.1)
    created = requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=5).json()
    assert created["session_id"] in server.sandbox.sessions
    server.sandbox.fail_next(drip=0.1)
    path = f"{server.url}{SESSIONS}/{created['session_id']}"
    assert requests.post(path, json={}, auth=AUTH, timeout=5).status_code == 204


def test_answer_without_a_body_is_one(server: SandboxServer) -> None:
    server.sandbox.fail_next(status=403, body="empty")
    answer = raw(server, b"GET /payments/v1/sessions/x HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"Content-Length: 0\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_client_that_gives_up_leaves_no_trace(
    server: SandboxServer, cart: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    server.sandbox.fail_next(delay=0.3)
    with pytest.raises(requests.ReadTimeout):
        requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=0.1)
    raw(server, b"POST /payments/v1/sessions HTTP/1.1\r\nContent-Length: 500\r\n\r\n{")
    time.sleep(0.4)
    assert requests.get(server.url, timeout=5).status_code == 200
    assert len(server.sandbox.calls) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"405"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b"404"),
    ],
)
def test_malformed_request(
    server: SandboxServer, sent: bytes, status: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert raw(server, sent).split(b" ", 2)[1] == status
    assert requests.get(server.url, timeout=5).status_code == 200
    assert capfd.readouterr() == ("", "")


def test_huge_body_is_refused_and_not_kept(server: SandboxServer) -> None:
    head = b"POST /payments/v1/sessions HTTP/1.1\r\nAuthorization: Basic klarna_test_api_x\r\n"
    answer = raw(server, head + b"Content-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)
    assert answer.startswith(b"HTTP/1.1 413")
    (call,) = server.sandbox.calls
    assert (call.status, call.body) == (413, None)


def test_many_threads_create_at_once(server: SandboxServer, cart: dict[str, Any]) -> None:
    def create(_number: int) -> object:
        return requests.post(server.url + SESSIONS, json=cart, auth=AUTH, timeout=10).json()["session_id"]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(40)))
    assert set(made) == set(server.sandbox.sessions)
    assert len(set(made)) == len(server.sandbox.calls) == 40


def test_stopped_server_cuts_kept_connections_and_can_start_again(
    server: SandboxServer, cart: dict[str, Any]
) -> None:
    with requests.Session() as session:
        session.auth = AUTH
        session_id = session.post(server.url + SESSIONS, json=cart, timeout=5).json()["session_id"]
        path = f"{server.url}{SESSIONS}/{session_id}"
        server.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(path, timeout=5)
        server.start()
        assert session.get(path, timeout=5).status_code == 200


def test_stop_does_not_wait_for_a_delay(server: SandboxServer) -> None:
    others = set(threading.enumerate())  # such as those of a server that the whole run shares
    server.sandbox.fail_next(delay=60)
    waiting = socket.create_connection((server.host, server.port), timeout=5)
    waiting.sendall(b"GET /payments/v1/sessions/x HTTP/1.1\r\n\r\n")
    while not server.sandbox.calls:
        time.sleep(0.01)
    start = time.monotonic()
    server.stop()
    assert time.monotonic() - start < 2
    assert waiting.recv(100) == b""
    waiting.close()
    for thread in set(threading.enumerate()) - others:
        thread.join(30)
        assert not thread.is_alive()


def test_start_and_stop_may_be_repeated(server: SandboxServer) -> None:
    url = server.url
    assert server.start().url == url
    assert requests.get(url, timeout=5).status_code == 200
    server.stop()
    server.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", "::", ""])
def test_other_hosts_are_refused(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        SandboxServer(host=host)


def test_localhost_is_served() -> None:
    with SandboxServer(host="localhost") as server:
        assert requests.get(server.url, timeout=5).status_code == 200


class BrokenSandbox(Sandbox):
    def handle(self, request: Request) -> Response:
        raise ZeroDivisionError


def test_mistake_in_the_sandbox_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with SandboxServer(BrokenSandbox()) as server, pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=5)
    assert "ZeroDivisionError" in capfd.readouterr().err

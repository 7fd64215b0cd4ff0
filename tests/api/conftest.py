"""A peer on a raw socket, which can misbehave in ways that no HTTP server offers."""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_klarna.api import KlarnaClient

CERTIFICATE = Path(__file__).with_name("localhost.pem")
Behaviour = Callable[[socket.socket], bool]
MakeClient = Callable[..., KlarnaClient]


def answer(status: int = 200, body: object = b"", *, length: int | None = None, **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def says(content: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> bool:
        connection.sendall(content)
        return True

    return behave


def says_and_leaves(content: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> bool:
        connection.sendall(content)
        return False

    return behave


def drips(content: bytes, *, pause: float = 0.05) -> Behaviour:
    def behave(connection: socket.socket) -> bool:
        for byte in content:
            connection.sendall(bytes([byte]))
            time.sleep(pause)
        return True

    return behave


def leaves(connection: socket.socket) -> bool:
    return False


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(5)
    connection.recv(1)
    return False


class Peer:
    """Behaves as told, one behaviour a request, the last one for ever; remembers what it was sent."""

    def __init__(self, *, tls: bool = False) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._behaviours: list[Behaviour] = [says(answer(204))]
        self._context = None
        if tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(CERTIFICATE)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def behaves(self, *behaviours: Behaviour | bytes) -> None:
        self._behaviours = [says(item) if isinstance(item, bytes) else item for item in behaviours]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            with connection:
                while request := _request(connection):
                    self.requests.append(request)
                    behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    if not behave(connection):
                        return


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def tls_peer() -> Iterator[Peer]:
    peer = Peer(tls=True)
    yield peer
    peer.close()


@pytest.fixture
def refused_url() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def make_client(peer: Peer) -> Iterator[MakeClient]:
    with contextlib.ExitStack() as stack:

        def make(**options: Any) -> KlarnaClient:
            if "api_key" not in options:
                options = {"username": "K123", "password": "planted-password", **options}
            options = {"base_url": peer.url, **options}
            return stack.enter_context(KlarnaClient(**options))

        yield make


@pytest.fixture
def klarna_client(make_client: MakeClient) -> KlarnaClient:
    return make_client()

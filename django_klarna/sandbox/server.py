"""The sandbox behind a loopback socket."""

import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import AddressValueError, IPv4Address
from socketserver import TCPServer
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from django_klarna.sandbox.gateway import MAX_BODY_BYTES
from django_klarna.sandbox.messages import Drop, Request, Response
from django_klarna.sandbox.sandbox import Sandbox

# Klarna closes idle requests after this many seconds.
IDLE_SECONDS: Final = 59
# A client that is still sending reads no answer; beyond this it is cut off without one.
MOST_BYTES_READ: Final = 16 * MAX_BODY_BYTES
CHUNK_BYTES: Final = 64 * 1024
GOODBYE_SECONDS: Final = 5
# In so many a dripping body comes.
PIECES: Final = 20


class SandboxServer:
    """Serve a sandbox from threads on a loopback address, and send its callbacks; port 0 takes a free one.

    `sandbox` may be steered directly while the server runs. Stopping cuts open connections as a crash would,
    and a stopped server can be started again on its port.

    Raises:
        ValueError: the host is not an IPv4 loopback address or localhost.

    """

    def __init__(self, sandbox: Sandbox | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        if not _is_loopback(host):
            raise ValueError(
                f"The sandbox has no protection and serves loopback addresses only, not {host!r}"
            )
        self.sandbox = sandbox or Sandbox()
        self.host = host
        self.port = port
        self._running: tuple[_Listener, Thread] | None = None

    @property
    def url(self) -> str:
        """Return the address, without a final slash; right once the server has started."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen, and serve from a daemon thread.

        Raises:
            OSError: the port is taken.

        """
        if self._running is None:
            listener = _Listener((self.host, self.port), self.sandbox)
            self.port = listener.server_address[1]
            self.sandbox.base_url = self.url
            thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self.sandbox.courier.start()
            self._running = listener, thread
        return self

    def stop(self) -> None:
        """Stop listening and cut every open connection."""
        if self._running is None:
            return
        listener, thread = self._running
        self._running = None
        listener.shutdown()
        thread.join()
        listener.server_close()
        listener.cut_connections()
        self.sandbox.courier.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or IPv4Address(host).is_loopback
    except AddressValueError:
        return False


def _pieces(response: Response) -> Iterator[bytes]:
    body = response.body[: len(response.body) // 2] if response.truncated else response.body
    size = -(-len(body) // PIECES) if response.drip else len(body)
    return (body[start : start + size] for start in range(0, len(body), max(size, 1)))


class _Listener(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = Event()
        self._open: set[Any] = set()
        self._closed = Condition()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks the host name up, which can take seconds on a machine without a network.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # typeshed: bytes

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        with self._closed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as in socketserver
        super().shutdown_request(request)
        with self._closed:
            self._open.discard(request)
            self._closed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in socketserver
        # A client that vanishes is no error of the sandbox.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def cut_connections(self) -> None:
        with self._closed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.stopping.set()
            self._closed.wait_for(lambda: not self._open, timeout=GOODBYE_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    server_version = "klarna-sandbox"
    sys_version = ""
    # So that even an unreadable request line is answered with a status line.
    default_request_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # Otherwise a body waits until the client has acknowledged the headers, some 40 ms.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        path = self.path.partition("?")[0]
        request = Request(method=self.command, path=path, headers=dict(self.headers), body=body)
        answer = self.server.sandbox.handle(request)
        if answer.delay:
            self.server.stopping.wait(answer.delay)
        if isinstance(answer, Drop):
            self.close_connection = True
        else:
            self._send(answer)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server looks for a method's `do_…`; which methods there are is for the sandbox to say.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self.send_error(411)
        elif not re.fullmatch("[0-9]{1,18}", length):
            self.send_error(400)
        else:
            return self._read(int(length))
        return None

    def _read(self, length: int) -> bytes | None:
        wanted = min(length, MAX_BODY_BYTES + 1)
        body = self.rfile.read(wanted)
        if length > wanted:
            self.close_connection = True
            self._discard(length - wanted)
        return body if len(body) == wanted else None

    def _discard(self, length: int) -> None:
        left = min(length, MOST_BYTES_READ)
        while left > 0 and (chunk := self.rfile.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        # The one status that has neither body nor length.
        if response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(response.body)))
        if response.truncated:
            self.close_connection = True
        elif self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self._write(response)

    def _write(self, response: Response) -> None:
        pieces = list(_pieces(response))
        for piece in pieces:
            self.wfile.write(piece)
            if response.drip:
                self.server.stopping.wait(response.drip / len(pieces))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in http.server
        """Say nothing: the calls are listed at `/_sandbox/calls`."""

"""A server that answers at once with what it has ready: what is measured is the client, not this.

It is a process of its own, so that it does not take turns with the client for one interpreter.
"""

import contextlib
import json
import multiprocessing
import socket
import threading
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def running(answers: Mapping[str, object]) -> Iterator[str]:
    """Run the server and give its base URL; `answers` holds a JSON body for each "METHOD /path"."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Spawned: a fork would also copy what is being measured.
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(listener, answers), daemon=True
        )
        process.start()
    # Closed here, so that a server that has died refuses instead of being waited for.
    try:
        yield url
    finally:
        process.terminate()
        process.join()


def _serve(listener: socket.socket, bodies: Mapping[str, object]) -> None:
    answers = {request.encode(): _answer(body) for request, body in bodies.items()}
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, answers), daemon=True).start()


def _answer(body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _converse(connection: socket.socket, answers: Mapping[bytes, bytes]) -> None:
    with connection:
        while head := _head(connection):
            connection.sendall(answers[head.partition(b" HTTP/1.1\r\n")[0]])


def _head(connection: socket.socket) -> bytes:
    """Read one request and return its head, or nothing at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(1_048_576)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    missing = _content_length(head) - len(body)
    while missing > 0:
        missing -= len(connection.recv(missing))
    return head


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)

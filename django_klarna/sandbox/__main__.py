"""Run the sandbox: `python -m django_klarna.sandbox [--port 8100] [--host 127.0.0.1]`."""

import argparse
import signal
import socket
import sys
from collections.abc import Callable

from django_klarna.sandbox.server import SandboxServer


def serve(host: str, port: int, announce: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM, announcing the address in one line when it answers.

    Raises:
        OSError: the port is taken or is none.
        ValueError: the host is not a loopback address.

    """
    # A lock would not do: the kernel may give the signal to another thread, and the main one would sleep on.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    with reader, writer, SandboxServer(host=host, port=port) as server:
        announce(f"Klarna sandbox ready at {server.url}")
        reader.recv(1)
        signal.set_wakeup_fd(-1)


def main() -> None:
    """Serve as the command line says; what makes that impossible is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m django_klarna.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default: 8100)")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    options = parser.parse_args()
    try:
        serve(options.host, options.port, lambda line: print(line, flush=True))  # noqa: T201  what it is for
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"The sandbox cannot serve on {options.host}:{options.port}: {error}")


if __name__ == "__main__":
    main()

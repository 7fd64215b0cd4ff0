"""Run the sandbox: `python -m django_klarna.sandbox [--port 8100] [--host 127.0.0.1] [--region eu]`."""

import argparse
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

from django_klarna.sandbox.sandbox import Sandbox
from django_klarna.sandbox.server import SandboxServer


def serve(announce: Callable[[str], object], *, host: str, port: int, region: str) -> None:
    """Serve until SIGINT or SIGTERM, announcing the address in one line when it answers.

    Raises:
        OSError: the port is taken or is none.
        ValueError: the host is not a loopback address, or the region is unknown.

    """
    listener = SandboxServer(Sandbox(region=region), host=host, port=port)
    # A lock would not do: the kernel may give the signal to another thread, and the main one would sleep on.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    _answer_signals(lambda _number, _frame: None)
    with reader, writer, listener as server:
        announce(f"Klarna sandbox ready at {server.url}")
        reader.recv(1)
        signal.set_wakeup_fd(-1)
        # Any other handler is taken away when Python ends, and a second signal would then be a death by signal.
        _answer_signals(signal.SIG_IGN)


def _answer_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def main() -> None:
    """Serve as the command line says; what makes that impossible is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m django_klarna.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default: 8100)")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    parser.add_argument(
        "--region", default="eu", help="of the host it stands in for: eu, na or oc (default: eu)"
    )
    options = parser.parse_args()
    try:
        serve(partial(print, flush=True), **vars(options))
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"The sandbox cannot serve on {options.host}:{options.port}: {error}")


if __name__ == "__main__":
    main()

"""Run the example shop against a local Klarna: ``python -m example_project.demo``.

Prepares an SQLite file (kept between runs), starts the sandbox, the shop and what finishes interrupted purchases, says
where they are, and stops all on Ctrl-C, on SIGTERM and when one dies. With Klarna credentials in ``.env`` no sandbox
is started.
"""

import argparse
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import django
from django.conf import settings
from django.core.management import call_command

HOST = "127.0.0.1"
MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
STAFF, STAFF_PASSWORD = "staff", "staff-demo"
# Seconds.
PATIENCE = 30.0
GRACE = 5.0
TICK = 0.1
# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


class DemoError(Exception):
    """What went wrong, in one line for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the processes of the demonstration."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Server(Part):
    """One that answers requests."""

    port: int
    variable: str

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}/"


#: Finishes purchases of which the browser went away, or which a crash has left half done.
RECONCILER = Part(name="reconciler", command=("klarna_reconcile", "--watch"))


def prepare() -> None:
    """Bring the database up to date; the catalogue and the staff login are made once and then left alone."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - models can be imported only after setup()

    from example_project.shop.models import Product  # noqa: PLC0415 - as above

    call_command("migrate", verbosity=0, interactive=False)
    if not Product.objects.exists():
        call_command("loaddata", "catalogue", verbosity=0)
    users = get_user_model()._default_manager  # noqa: SLF001 - Django's documented name for it
    if not users.filter(username=STAFF).exists():
        users.create_superuser(STAFF, password=STAFF_PASSWORD)


def needs_sandbox() -> bool:
    """Tell whether an account of the settings is the local sandbox."""
    return any(account.get("ENVIRONMENT") == "sandbox" for account in settings.KLARNA.values())


def servers(port: int, sandbox_port: int) -> list[Server]:
    """Name the servers to start, in order."""
    shop = Server(
        name="shop", port=port, command=("runserver", f"{HOST}:{port}", "--noreload"), variable="PORT"
    )
    sandbox = Server(
        name="sandbox",
        port=sandbox_port,
        command=("klarna_sandbox", "--port", str(sandbox_port)),
        variable="SANDBOX_PORT",
    )
    return [sandbox, shop] if needs_sandbox() else [shop]


def check_port(server: Server) -> None:
    """Raise `DemoError` if somebody else listens on the port of ``server``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, server.port))
        except OSError as error:
            advice = f"choose another one for the {server.name} with {server.variable}={server.port + 1}"
            raise DemoError(f"Port {server.port} cannot be used ({error.strerror}): {advice}") from None


def end_with_parent() -> None:
    """Ask Linux to end this process with its parent, even when that is killed and cannot do it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(part: Part) -> subprocess.Popen[bytes]:
    """Start ``part`` out of reach of the terminal's Ctrl-C: stopping the parts in order is our business."""
    command = [sys.executable, str(MANAGE), *part.command]
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no thread runs here yet
    )


def answers(server: Server) -> bool:
    """Tell whether ``server`` answers a request."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until ``server`` answers; `DemoError` if it stops or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not answers(server):
        check_alive({server.name: process})
        if time.monotonic() > deadline:
            raise DemoError(f"The {server.name} does not answer at {server.url}")
        time.sleep(TICK)


def check_alive(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Raise `DemoError` naming the first of ``processes`` that has ended."""
    for name, process in processes.items():
        if process.poll() is not None:
            raise DemoError(f"The {name} has stopped by itself (exit status {process.returncode})")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End ``process``, gently at first."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(wanted: Sequence[Server]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start all parts and give their processes once the servers answer; stop them at the end, whatever it is."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for part in (*wanted, RECONCILER):
            processes[part.name] = start(part)
        for server in wanted:
            wait_until_ready(server, processes[server.name])
        yield processes
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(processes.values()):
            stop(process)


def report(wanted: Sequence[Server]) -> None:
    """Say where everything is."""
    url = {server.name: server.url for server in wanted}
    print(
        f"""
  Shop      {url["shop"]}
  Checkout  {url["shop"]}checkout/
  Admin     {url["shop"]}admin/   (login {STAFF} / {STAFF_PASSWORD})
  Klarna    {url.get("sandbox", "your account, as .env says")}
  Behind    manage.py {" ".join(RECONCILER.command)}, which finishes interrupted purchases

  Ctrl-C stops everything.
""",
        flush=True,
    )


def interrupt(number: int, frame: FrameType | None) -> None:
    """Treat SIGTERM and a closed terminal like Ctrl-C."""
    raise KeyboardInterrupt


def run(port: int, sandbox_port: int) -> None:
    """Run the demonstration until it is interrupted; `DemoError` if a part cannot start or dies."""
    django.setup()
    wanted = servers(port, sandbox_port)
    for server in wanted:
        check_port(server)
    prepare()
    with running(wanted) as processes:
        report(wanted)
        while True:
            check_alive(processes)
            time.sleep(TICK)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration from the command line and give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m example_project.demo", description="Run the example shop."
    )
    parser.add_argument("--port", type=int, default=8000, help="port of the shop (default: %(default)s)")
    parser.add_argument(
        "--sandbox-port", type=int, default=8100, help="port of the sandbox (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.port == options.sandbox_port:
        parser.error("the shop and the sandbox need a port each")
    os.environ["PORT"] = str(options.port)
    os.environ["KLARNA_SANDBOX_URL"] = f"http://{HOST}:{options.sandbox_port}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    # Even Ctrl-C: a script that starts us in the background lets us ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    with suppress(KeyboardInterrupt):
        try:
            run(options.port, options.sandbox_port)
        except DemoError as error:
            print(f"{error}.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``manage.py klarna_reconcile``."""

import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure
from django.db import close_old_connections

from django_klarna import services

logger = logging.getLogger("django_klarna")


class Command(BaseCommand):
    """Finish what crashed, what lost its answer, and what nobody came back for."""

    help = (
        "Place orders of authorizations that wait, cancel those that nobody wants, let the shop record its orders, "
        "read pending ones, and send signals that are due. May run several times at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add ``--watch`` and ``--interval``."""
        parser.add_argument("--watch", action="store_true", help="go on until SIGTERM or Ctrl-C")
        parser.add_argument(
            "--interval", type=float, default=5.0, help="seconds between two passes (default: %(default)s)"
        )

    def handle(self, *args: object, watch: bool, interval: float, **options: Any) -> None:
        """Do one pass, or pass after pass."""
        if interval <= 0:
            raise CommandError("--interval must be greater than 0")
        if not watch:
            self.stdout.write(self.one_pass() or "Nothing was due.")
            return
        with stopped_by_signal() as stopped:
            while not stopped.is_set():
                close_old_connections()
                self.watch_pass()
                stopped.wait(interval)

    def watch_pass(self) -> None:
        """Do a pass that may fail, as when the database restarts."""
        try:
            if report := self.one_pass():
                self.stdout.write(report)
        except DatabaseFailure:
            logger.exception("A pass of klarna_reconcile has failed; there will be others")

    def one_pass(self) -> str:
        """Reconcile and say what was done."""
        return ", ".join(f"{what}: {count}" for what, count in services.reconcile().items())


@contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and Ctrl-C set: the pass that runs is finished first."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

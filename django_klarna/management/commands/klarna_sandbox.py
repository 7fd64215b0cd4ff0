"""Run the local stand-in for Klarna."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Serve the sandbox until SIGINT or SIGTERM."""

    help = "Run a local stand-in for Klarna Payments, for development and tests."
    # It needs neither the shop's settings nor its database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a port, a host and a region."""
        parser.add_argument("--port", type=int, default=8100, help="0 takes a free one (default: 8100)")
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
        parser.add_argument(
            "--region", default="eu", help="of the host it stands in for: eu, na or oc (default: eu)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, or say in one line why not."""
        host, port = options["host"], options["port"]
        try:
            from django_klarna.sandbox.__main__ import serve  # noqa: PLC0415 - the extra may not be installed

            serve(self._announce, host=host, port=port, region=options["region"])
        except ImportError as error:
            raise CommandError(str(error)) from None
        except (OSError, OverflowError, ValueError) as error:
            raise CommandError(f"The sandbox cannot serve on {host}:{port}: {error}") from None

    def _announce(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

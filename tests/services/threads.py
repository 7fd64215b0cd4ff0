from collections.abc import Callable

from django.db import connection


def in_thread(work: Callable[[], object]) -> Callable[[], None]:
    """Make the target of a thread that leaves no database connection behind."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run

"""What is written to the databases meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections

WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def recorded_writes() -> Iterator[list[str]]:
    """Give the list to which each statement is added that writes, on any database."""
    writes: list[str] = []

    def record(execute: Callable[..., Any], sql: object, *args: object) -> Any:  # noqa: ANN401 - the backend's
        if str(sql).lstrip().upper().startswith(WRITES):
            writes.append(str(sql))
        return execute(sql, *args)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(record))
        yield writes

"""Where transactions begin and end: short and durable around writes, none while we wait for Klarna."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, TransactionManagementError, non_atomic_requests
from django.http import HttpResponseBase

from django_klarna.models import KlarnaSession


def database() -> str:
    """Give the alias of the database that holds the sessions (and so the carts they point to)."""
    return router.db_for_write(KlarnaSession)


def is_in_block(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an ``atomic()`` block is open; that of Django's ``TestCase`` does not count, as for durable ones."""
    return connection.in_atomic_block and not is_of_test(connection.atomic_blocks[-1])


def is_of_test(block: Atomic) -> bool:
    """Tell whether Django's ``TestCase`` opened ``block``, by the mark that Django itself goes by."""
    return getattr(block, "_from_testcase", False)


def is_open(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether a transaction is open, by a block or by hand, without connecting to find out."""
    is_connected = connection.connection is not None
    by_hand = is_connected and not connection.in_atomic_block and not connection.autocommit
    return by_hand or is_in_block(connection)


def refuse_open_transaction(service: str) -> None:
    """Raise `TransactionManagementError` naming the cure when a transaction is open, on any database."""
    if any(is_open(connection) for connection in connections.all(initialized_only=True)):
        raise TransactionManagementError(
            f"{service}() commits what it does and may wait for Klarna: it cannot run inside an open transaction. "
            f"Call it after the atomic() block, or with transaction.on_commit(); in a view use @non_atomic_requests."
        )


def without_transaction(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """Exempt a view from ATOMIC_REQUESTS of every database: it would be open while we wait for Klarna."""
    for alias in connections:
        view = non_atomic_requests(using=alias)(view)
    return view


@contextmanager
def durable() -> Iterator[None]:
    """Commit what is written inside, or nothing of it, before going on."""
    with transaction.atomic(using=database(), durable=True):
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all reads inside see the database at one moment.

    SQLite does so in any transaction; Django lets PostgreSQL and MariaDB see each commit as it comes, unless the first
    statement asks for more.
    """
    connection = transaction.get_connection(database())
    outermost = not connection.in_atomic_block
    with durable():
        if outermost and connection.vendor in {"postgresql", "mysql"}:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def check_foreign_keys() -> None:
    """Check what was written so far: PostgreSQL would do so at the commit, and wait there for the rows pointed at."""
    connection = transaction.get_connection(database())
    if connection.vendor == "postgresql":
        connection.check_constraints()

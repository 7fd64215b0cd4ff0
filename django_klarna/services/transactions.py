"""Where transactions begin and end: short and durable around writes, none while we wait for Klarna."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

from django_klarna.models import KlarnaSession


def database() -> str:
    """Give the alias of the database that holds the sessions (and so the carts they point to)."""
    return router.db_for_write(KlarnaSession)


def is_in_block(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether an ``atomic()`` block is open; that of Django's ``TestCase`` does not count, as for durable ones."""
    return connection.in_atomic_block and not getattr(connection.atomic_blocks[-1], "_from_testcase", False)


def refuse_open_transaction(service: str) -> None:
    """Raise `TransactionManagementError` naming the cure when a transaction is open around a service."""
    connection = transaction.get_connection(database())
    by_hand = not connection.in_atomic_block and not connection.get_autocommit()
    if by_hand or is_in_block(connection):
        raise TransactionManagementError(
            f"{service}() commits what it does and may wait for Klarna: it cannot run inside an open transaction. "
            f"Call it after the atomic() block, or with transaction.on_commit(); in a view use @non_atomic_requests."
        )


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

"""Where transactions begin and end: short and durable around writes, none while we wait for Klarna."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import router, transaction
from django.db.transaction import TransactionManagementError

from django_klarna.models import KlarnaSession


def database() -> str:
    """Give the alias of the database that holds the sessions (and so the carts they point to)."""
    return router.db_for_write(KlarnaSession)


def refuse_open_transaction(service: str) -> None:
    """Raise `TransactionManagementError` naming the cure when a transaction is open around a service.

    The block that Django's ``TestCase`` puts around a test does not count, as with ``atomic(durable=True)``.
    """
    connection = transaction.get_connection(database())
    if connection.in_atomic_block:
        is_open = not connection.atomic_blocks[-1]._from_testcase  # noqa: SLF001 - what durable=True looks at, too
    else:
        is_open = not connection.get_autocommit()
    if is_open:
        raise TransactionManagementError(
            f"{service}() waits for Klarna and cannot run inside an open transaction. Call it after the atomic() "
            f"block, or with transaction.on_commit(); in a view use @transaction.non_atomic_requests."
        )


@contextmanager
def durable() -> Iterator[None]:
    """Commit what is written inside, or nothing of it, before going on."""
    with transaction.atomic(using=database(), durable=True):
        yield


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all reads inside see the database at one moment.

    SQLite and MariaDB do so in any transaction; PostgreSQL has to be asked, which only the first statement can.
    """
    connection = transaction.get_connection(database())
    outermost = not connection.in_atomic_block
    with durable():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield

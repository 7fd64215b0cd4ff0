"""The orders in the shop's database, as its staff would find them."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

# Seconds; the reconciler leaves a new token to the browser for five, and looks every five.
PATIENCE = 30.0
# Of a cart as the shop numbers it.
RESERVED = "SELECT 'FIKA-' || (1001 + max(id)) FROM shop_cart"

REFUSE = "CREATE TRIGGER closed BEFORE INSERT ON shop_order BEGIN SELECT RAISE(ABORT, 'closed'); END"


class Ledger:
    """Orders, newest first."""

    def __init__(self, database: Path) -> None:
        self._database = database

    @property
    def newest(self) -> dict[str, Any]:
        """The last order; empty if there is none."""
        with self._open() as database:
            row = database.execute("SELECT * FROM shop_order ORDER BY id DESC LIMIT 1").fetchone()
        return dict(row or {})

    @property
    def reserved(self) -> str:
        """The number that the order of the newest cart will have."""
        with self._open() as database:
            return str(database.execute(RESERVED).fetchone()[0])

    @property
    def count(self) -> int:
        with self._open() as database:
            return int(database.execute("SELECT count(*) FROM shop_order").fetchone()[0])

    def wait_for(self, **wanted: object) -> dict[str, Any]:
        """Wait until the newest order has these values."""
        deadline = time.monotonic() + PATIENCE
        while not wanted.items() <= self.newest.items():
            assert time.monotonic() < deadline, self.newest
            time.sleep(0.1)
        return self.newest

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let the database refuse new orders."""
        with self._open() as database:
            database.execute(REFUSE)
        yield
        with self._open() as database:
            database.execute("DROP TRIGGER closed")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database, timeout=PATIENCE)) as database:
            database.row_factory = sqlite3.Row
            yield database

"""The lease of a row: about speed, never about correctness. Every write under it is fenced by its owner."""

import uuid
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from django.db import IntegrityError
from django.dispatch import Signal
from django.utils import timezone

from django_klarna.audit import Work, current_work
from django_klarna.exceptions import KlarnaError
from django_klarna.models import KlarnaSession, KlarnaSessionQuerySet, State, lease_end
from django_klarna.services import columns
from django_klarna.services.payloads import Payload
from django_klarna.services.transactions import database, durable

#: Seconds that a lease outlives the deadline of its work.
MARGIN = 5.0


class LeaseLostError(KlarnaError):
    """Another worker has taken over the row; what this one found out is dropped."""


class Lease:
    """The right to work on one live row; released at the end of a ``with`` block that fails.

    Calls of Klarna inside that block are noted down as made for the row.
    """

    def __init__(self, pk: int, owner: uuid.UUID) -> None:
        self.pk = pk
        self.owner = owner
        self._news: list[tuple[Signal, KlarnaSession]] = []

    def __enter__(self) -> Self:
        self._before: Token[Work | None] = current_work.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current_work.reset(self._before)
        if kind is not None:
            self.release()
        for signal, session in self._news:
            signal.send_robust(KlarnaSession, session=session)

    def announce(self, signal: Signal, session: KlarnaSession) -> None:
        """Send ``signal`` when the lease is released: a receiver may want it for itself."""
        self._news.append((signal, session))

    def rows(self) -> KlarnaSessionQuerySet:
        """Narrow to the row, as long as the lease is ours."""
        return sessions().owned_by(self.owner).filter(pk=self.pk)

    def row(self) -> KlarnaSession:
        """Read the row; `LeaseLostError` if it is no longer ours."""
        return known(self.rows())

    def lock(self) -> KlarnaSession:
        """Read the row and keep others off it until the transaction ends.

        ``OperationalError`` at once if another transaction has it, `LeaseLostError` if it is no longer ours.
        """
        return known(self.rows().select_for_update(nowait=True))

    def write(self, row: KlarnaSession, **values: Any) -> None:
        """Write ``values`` to the database and to ``row``; `LeaseLostError` if the lease is no longer ours."""
        self._note(self.rows().update(updated_at=timezone.now(), **values), row, values)

    def write_open(self, row: KlarnaSession, **values: Any) -> None:
        """Write to a row that nobody has authorized meanwhile; otherwise `LeaseLostError`."""
        written = self.rows().filter(state=State.OPEN).update(updated_at=timezone.now(), **values)
        self._note(written, row, values)

    def move(self, row: KlarnaSession, state: State, **values: Any) -> None:
        """Move ``row`` to ``state``, if that is allowed; otherwise `LeaseLostError`, the row is not what we knew."""
        self._note(self.rows().move(state, **values), row, {"state": state, **values})

    def _note(self, written: int, row: KlarnaSession, values: dict[str, Any]) -> None:
        if not written:
            raise LeaseLostError
        for name, value in values.items():
            setattr(row, name, value)

    def release(self) -> None:
        """Give the row back, whatever has changed meanwhile."""
        self.rows().update(lease_owner=None)

    def release_at(self, revision: int) -> bool:
        """Give the row back if no change of the cart came in since ``revision``."""
        return bool(self.rows().filter(revision=revision).update(lease_owner=None))


def known(rows: KlarnaSessionQuerySet) -> KlarnaSession:
    """Give the one row of a lease; `LeaseLostError` if there is none."""
    row = rows.first()
    if row is None:
        raise LeaseLostError
    return row


def sessions() -> KlarnaSessionQuerySet:
    """All rows, on the database they are written to: no replica that lags behind."""
    return KlarnaSession.objects.using(database())


def acquire(pk: int, seconds: float) -> Lease | None:
    """Take the lease of a live row for ``seconds`` and a margin; None if another worker has it."""
    return acquire_of(sessions().filter(pk=pk, live=True), pk, seconds)


def acquire_any(pk: int, seconds: float) -> Lease | None:
    """Take the lease of a row, live or not: the tokens of one that was replaced must be cancelled too."""
    return acquire_of(sessions().filter(pk=pk), pk, seconds)


def acquire_of(rows: KlarnaSessionQuerySet, pk: int, seconds: float) -> Lease | None:
    """Take the lease of the one row in ``rows``."""
    lease = Lease(pk, uuid.uuid4())
    return lease if rows.acquire(lease.owner, seconds + MARGIN) else None


def begin(cart_id: Any, payload: Payload, seconds: float) -> Lease | None:  # noqa: ANN401 - any primary key
    """Insert the first row of a cart, with its lease; None if another worker was quicker or the cart is gone."""
    owner = uuid.uuid4()
    try:
        with durable():
            row = sessions().create(
                cart_id=cart_id,
                live=True,
                lease_owner=owner,
                lease_until=lease_end(seconds + MARGIN),
                **columns.described(payload),
            )
    except IntegrityError:
        return None
    return Lease(row.pk, owner)

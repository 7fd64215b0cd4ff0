"""One session of a cart takes the place of another.

Deleting a cart locks the cart and, through its foreign key, our rows. Whoever waits for one of them while holding
another can get into a deadlock with that, and the database may choose the shop's transaction to fail. So ours waits
for the cart before it holds anything, and never waits for a row of ours.
"""

import time
from typing import Any

from django.db import IntegrityError, OperationalError

from django_klarna.models import KlarnaSession, State
from django_klarna.services.leases import Lease, LeaseLostError, sessions
from django_klarna.services.locking import PAUSES
from django_klarna.services.transactions import check_foreign_keys, durable


def take_over(lease: Lease, row: KlarnaSession, values: dict[str, Any], end: State) -> KlarnaSession:
    """Insert the successor of ``row`` and end ``row``; `LeaseLostError` if that cannot be done now."""
    for pause in PAUSES:
        try:
            return succeed(lease, row, values, end)
        except OperationalError:
            time.sleep(pause)
        except IntegrityError:
            break  # the cart was deleted meanwhile
    raise LeaseLostError


def succeed(lease: Lease, row: KlarnaSession, values: dict[str, Any], end: State) -> KlarnaSession:
    """Do it in one transaction, or raise ``OperationalError`` when another one holds ``row``."""
    with durable():
        new = sessions().create(
            cart_id=row.cart_id,
            state=State.OPEN,
            lease_owner=lease.owner,
            lease_until=row.lease_until,
            **values,
        )
        check_foreign_keys()
        changes = lease.lock().revision
        lease.move(row, end, live=None, lease_owner=None)
        sessions().filter(pk=new.pk).update(live=True, revision=changes)
    lease.pk = new.pk
    new.live, new.revision = True, changes
    return new

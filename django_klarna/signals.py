"""The public signals.

All but `cart_changed` tell what has happened, after it is committed, with ``sender=KlarnaSession`` and the
keyword ``session``. A receiver that raises is logged and disturbs nobody.

`session_authorized`, `order_placed`, `order_pending` and `order_rejected` are sent in a transaction that also notes
down that they were: what a receiver writes to the same database is there exactly once, whatever crashes.
"""

import logging
from typing import Any

from asgiref.sync import async_to_sync
from django.db import router, transaction
from django.dispatch import Signal

logger = logging.getLogger("django_klarna")


class OutboxSignal(Signal):
    """Sent inside the transaction that notes down that it was: each receiver has a savepoint there.

    What a receiver writes is kept, or, if it raises, taken back; the others hear of it all the same.
    """

    def send_robust(self, sender: Any, **named: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - as in Django
        """Call every receiver and give what each returned or raised."""
        receivers, asynchronous = self._live_receivers(sender)
        every = [*receivers, *map(async_to_sync, asynchronous)]
        return [(receiver, self._response(receiver, sender, named)) for receiver in every]

    def _response(self, receiver: Any, sender: Any, named: dict[str, Any]) -> Any:  # noqa: ANN401 - as in Django
        try:
            with transaction.atomic(using=router.db_for_write(sender)):
                return receiver(signal=self, sender=sender, **named)
        except Exception as error:
            logger.exception("A receiver of a signal of Klarna failed")
            return error


#: Inbound: send it when a cart changed in a way that Django does not announce, such as ``QuerySet.update()``.
#: ``cart_changed.send(sender=Cart, cart=cart)``
cart_changed = Signal()

#: A session was created at Klarna. ``session``
session_created = Signal()

#: Klarna accepted the new content of a cart. ``session``
session_updated = Signal()

#: A session is no longer the one of its cart. ``session``; its ``state`` says why.
session_closed = Signal()

#: A changed cart could not be sent. ``session``, ``error`` (a `KlarnaError`); the next page heals it.
session_sync_failed = Signal()

#: The shopper has authorized a payment, and no order is placed yet. ``session``
session_authorized = OutboxSignal()

#: The shop has the order, and Klarna accepts it. ``session``, ``order`` (a `KlarnaOrder`)
order_placed = OutboxSignal()

#: The shop has the order, and Klarna has not decided yet: ship nothing. ``session``, ``order``
order_pending = OutboxSignal()

#: Klarna has rejected an order, at once or after it was pending. ``session``, ``order``
order_rejected = OutboxSignal()

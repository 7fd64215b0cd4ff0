"""The public signals.

All but `cart_changed` tell what has happened, after it is committed, with ``sender=KlarnaSession`` and the
keyword ``session``. A receiver that raises is logged and disturbs nobody.

`session_authorized`, `order_placed`, `order_pending` and `order_rejected` are sent in a transaction that also notes
down that they were: what a receiver writes to the same database is there exactly once, whatever crashes.
"""

from django.dispatch import Signal

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
session_authorized = Signal()

#: The shop has the order, and Klarna accepts it. ``session``, ``order`` (a `KlarnaOrder`)
order_placed = Signal()

#: The shop has the order, and Klarna has not decided yet: ship nothing. ``session``, ``order``
order_pending = Signal()

#: Klarna has rejected an order, at once or after it was pending. ``session``, ``order``
order_rejected = Signal()

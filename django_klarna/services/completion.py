"""The shop's own order: made once, in the transaction that notes that down, and announced once."""

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import OperationalError
from django.db.models import Model
from django.dispatch import Signal
from django.utils import timezone

from django_klarna import signals
from django_klarna.carts import get_adapter
from django_klarna.exceptions import CartNotPayable
from django_klarna.models import Flag, KlarnaOrder, KlarnaSession, OrderState
from django_klarna.services.attempts import authorizations
from django_klarna.services.columns import Token
from django_klarna.services.locking import PAUSES, lock_cart
from django_klarna.services.orders import later, orders, set_free
from django_klarna.services.payloads import build_payload, describe
from django_klarna.services.transactions import durable, refuse_open_transaction

logger = logging.getLogger("django_klarna")

#: Seconds until an order that Klarna has not decided about is looked at, should no notification come.
PENDING_LOOK = 3600.0
#: What of a line must still be so when the shop makes its order.
PAID_FOR = ("type", "reference", "name", "quantity", "total_amount")


def complete_order(pk: int, *, despite_changes: bool = False) -> bool:
    """Let the shop make its order, in the one transaction that notes that down; then tell whoever listens.

    Tells whether this call did it. An error of the shop's is logged and noted down, and ``klarna_reconcile`` tries
    again. A cart that is not what was paid for is flagged, unless a person says to go on ``despite_changes``.
    """
    refuse_open_transaction("complete_order")
    try:
        done = recorded(pk, despite_changes=despite_changes)
    except Exception as error:
        logger.exception(
            "The shop could not make its order; klarna_reconcile tries again", extra={"klarna_order": pk}
        )
        note_failure(pk, error)
        return False
    follow_up(pk)
    return done


def recorded(pk: int, *, despite_changes: bool) -> bool:
    """Record an order in a transaction of its own, again after one that met a lock or was chosen to end a deadlock."""
    for pause in PAUSES:
        try:
            with durable():
                return record(pk, despite_changes=despite_changes)
        except OperationalError:
            time.sleep(pause)
    with durable():
        return record(pk, despite_changes=despite_changes)


def follow_up(pk: int) -> None:
    """Do what goes with an order that is recorded; should that fail, the purchase is none the worse."""
    try:
        announce_order(pk)
        set_free_if_changed(orders().select_related("session").get(pk=pk).session)
    except Exception:
        logger.exception("Not all is done about an order", extra={"klarna_order": pk})


def record(pk: int, *, despite_changes: bool) -> bool:
    """Move an order to ``recorded`` and call the adapter, or leave it to a person; inside a transaction."""
    order = orders().select_related("session").get(pk=pk)
    cart = locked_cart(order)
    if cart is None:
        return flag(order, Flag.CART_DELETED)
    if not despite_changes and not is_paid_for(order.session, cart):
        return flag(order, Flag.CART_CHANGED)
    if not orders().filter(pk=pk).move(OrderState.RECORDED, **recording(order)):
        return False
    # Read anew: a shop may save the order that it is given.
    done = orders().select_related("session").get(pk=pk)
    done.customer_token = Token(order.customer_token)
    get_adapter().complete_purchase(cart, done)
    orders().filter(pk=pk).exclude(customer_token="").update(customer_token="")
    return True


def recording(order: KlarnaOrder) -> dict[str, Any]:
    """Say what an order is like once the shop has it."""
    look = timezone.now() + timedelta(seconds=PENDING_LOOK) if order.is_pending else None
    return {
        "outbox": "order_pending" if order.is_pending else "order_placed",
        "recorded_at": timezone.now(),
        "retry_at": look,
        "error_code": "",
        "error_at": None,
    }


def locked_cart(order: KlarnaOrder) -> Model | None:
    """Read the cart of an order anew, so that what is checked is what is sold."""
    try:
        return lock_cart(order.session.cart_id)
    except CartNotPayable:
        return None


def flag(order: KlarnaOrder, why: Flag) -> bool:
    """Leave an order to a person."""
    if orders().filter(pk=order.pk).move(OrderState.FLAGGED, flag=why, retry_at=None):
        logger.error("A Klarna order needs a person: %s", why, extra={"klarna_order": order.pk})
    return False


def is_paid_for(session: KlarnaSession, cart: Model) -> bool:
    """Tell whether a cart is still what was paid for: the same rows for the same sums."""
    try:
        now = describe(cart)
    except CartNotPayable:
        return False
    return paid_for(now.content) == paid_for(session.payload)


def paid_for(content: dict[str, Any]) -> tuple[Any, ...]:
    """Give what the shopper has paid for."""
    lines = [tuple(line.get(name) for name in PAID_FOR) for line in content["order_lines"]]
    return content["purchase_currency"], content["order_amount"], lines


def set_free_if_changed(row: KlarnaSession) -> None:
    """Let a cart have another session once it is not what was ordered, as when the shop has emptied it."""
    try:
        is_same = build_payload(row.cart_id).digest == row.digest
    except CartNotPayable:
        is_same = False
    if not is_same:
        set_free(row.pk)


def note_failure(pk: int, error: Exception) -> None:
    """Note down that the shop could not make its order; the text of its error may be about a person."""
    order = orders().get(pk=pk)
    orders().filter(pk=pk, state=OrderState.PLACED).update(
        error_code=type(error).__name__[:64],
        error_at=timezone.now(),
        tries=order.tries + 1,
        retry_at=later(order.tries),
    )


def record_despite_changes(pk: int) -> bool:
    """Let the shop make its order of a cart that is not what was paid for, as a person has decided.

    Tells whether this call did it. An order that the shop cannot make is looked at again, and flagged again.
    """
    refuse_open_transaction("record_despite_changes")
    flagged = orders().filter(pk=pk, flag=Flag.CART_CHANGED)
    if not flagged.move(OrderState.PLACED, flag="", retry_at=later(0)):
        return False
    return complete_order(pk, despite_changes=True)


def settle_order(pk: int) -> bool:
    """Note that a person has dealt with a flagged order, of which the shop makes none; tells whether it was flagged.

    A cart that is still what was paid for is not sold again by that; one that is changed is.
    """
    refuse_open_transaction("settle_order")
    return bool(orders().filter(pk=pk).move(OrderState.SETTLED, retry_at=None))


def announce_order(pk: int) -> None:
    """Send the signal that is due for an order."""
    due = orders().filter(pk=pk).values_list("outbox", flat=True).first()
    with durable():
        if due and orders().filter(pk=pk, outbox=due).update(outbox=""):
            # Read after that: a receiver may save the order that it is given.
            order = orders().select_related("session").get(pk=pk)
            signal_called(due).send_robust(KlarnaOrder, session=order.session, order=order)


def announce_authorization(pk: int) -> None:
    """Send the signal that is due for a token."""
    with durable():
        if authorizations().filter(pk=pk).exclude(outbox="").update(outbox=""):
            session = authorizations().select_related("session").get(pk=pk).session
            signals.session_authorized.send_robust(KlarnaSession, session=session)


def signal_called(name: str) -> Signal:
    """Give one of our signals by its name."""
    signal: Signal = getattr(signals, name)
    return signal

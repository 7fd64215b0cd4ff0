"""Locks on rows of the shop's and of ours; none is waited for while another is held, for that makes deadlocks."""

from django.db import router, transaction
from django.db.models import Model, QuerySet

from django_klarna.carts import get_adapter
from django_klarna.services.payloads import read_cart
from django_klarna.services.transactions import database

#: Seconds between tries to lock a row that another transaction writes.
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2)


def lock_cart(cart_id: object) -> Model:
    """Read a cart and keep others off it and its watched rows until the transaction ends.

    Nobody can add a row to it, change one or take one away. ``OperationalError`` at once if another transaction has
    one of them, `CartNotPayable` if there is no cart.
    """
    cart = read_cart(cart_id)
    if transaction.get_connection(database()).features.has_select_for_update:
        lock(type(cart)._base_manager.filter(pk=cart_id))  # noqa: SLF001 - as Django's own relations read
        for model, path in get_adapter().watches.items():
            if path is not None and router.db_for_write(model) == database():
                lock(model._base_manager.filter(**{path: cart_id}))  # noqa: SLF001 - as above
    return read_cart(cart_id)


def lock(rows: QuerySet[Model]) -> None:
    """Lock rows without waiting, and no others that they are found by."""
    features = transaction.get_connection(database()).features
    of = ("self",) if features.has_select_for_update_of else ()
    list(rows.using(database()).select_for_update(nowait=True, of=of))

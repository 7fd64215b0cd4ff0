"""A shop that locks its own rows in an order of its own never runs into a deadlock with us."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.signals import post_save

from django_klarna import services
from django_klarna.exceptions import CartNotPayable
from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.services.threads import in_thread
from tests.shop.models import Cart, CartLine, Product

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not connection.features.has_select_for_update,
        reason="needs row locks: DATABASE_URL=postgres://… or mysql://… (CONTRIBUTING.md)",
    ),
]

Work = Callable[[], None]


def at_once(*works: Work) -> list[DatabaseError]:
    """Do all works in threads; gives what the database refused."""
    refused: list[DatabaseError] = []

    def noting(work: Work) -> Work:
        def run() -> None:
            try:
                work()
            except DatabaseError as error:
                refused.append(error)

        return run

    threads = [threading.Thread(target=in_thread(noting(work))) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


def cross(cart: Cart) -> list[DatabaseError]:
    """Change two lines of ``cart`` in two transactions, which lock a row of the stock after and before that."""
    stock = Product.objects.create(name="Stock", price=1)
    lines = list(cart.lines.all())
    together = threading.Barrier(2)

    def change(line: CartLine) -> None:
        line.quantity = F("quantity") + 1
        line.save(update_fields=["quantity"])

    def reserve() -> None:
        Product.objects.select_for_update().get(pk=stock.pk)

    def line_first() -> None:
        with transaction.atomic():
            change(lines[0])
            together.wait(timeout=10)
            reserve()

    def stock_first() -> None:
        with transaction.atomic():
            reserve()
            together.wait(timeout=10)
            change(lines[1])

    return at_once(line_first, stock_first)


@contextmanager
def counter_in_the_shop_s_transaction() -> Iterator[None]:
    """Do what we must not do: write a row of ours when the shop writes one of its own."""

    def count(instance: CartLine, **kwargs: object) -> None:
        KlarnaSession.objects.filter(cart_id=instance.cart_id).update(revision=F("revision") + 1)

    post_save.connect(count, sender=CartLine)
    try:
        yield
    finally:
        post_save.disconnect(count, sender=CartLine)


def test_changes_that_cross_both_go_through(klarna: Sandbox, make_cart: Callable[..., Cart]) -> None:
    cart = make_cart("10.00", "20.00")
    session = services.ensure_session(cart=cart)

    assert cross(cart) == []

    assert klarna.sessions[str(session.session_id)].content["order_amount"] == 2 * 3000 + 4900


def test_they_would_not_with_a_counter_in_the_shop_s_transaction(
    klarna: Sandbox, make_cart: Callable[..., Cart]
) -> None:
    cart = make_cart("10.00", "20.00")
    services.ensure_session(cart=cart)

    with counter_in_the_shop_s_transaction():
        refused = cross(cart)

    assert [type(error) for error in refused] == [OperationalError]


def test_a_cart_can_be_deleted_while_its_session_is_replaced(klarna: Sandbox, cart: Cart) -> None:
    """Deleting a cart locks the cart, and then through its foreign key the session; replacing locks both, too."""
    session = services.ensure_session(cart=cart)
    KlarnaSession.objects.update(in_doubt=True)
    is_locked = threading.Event()

    def delete() -> None:
        with transaction.atomic():
            Cart.objects.select_for_update().get(pk=cart.pk)
            is_locked.set()
            wait_for(lambda: len(klarna.calls) == 2)
            time.sleep(0.3)  # the answer is in: the session is being replaced, and that waits for the cart
            KlarnaSession.objects.select_for_update(nowait=True).get(pk=session.pk)
            cart.delete()

    def replace() -> None:
        is_locked.wait(timeout=10)
        with pytest.raises(CartNotPayable):
            services.ensure_session(cart=Cart(pk=cart.pk))

    assert at_once(delete, replace) == []
    assert not KlarnaSession.objects.filter(live=True).exists()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_session_whose_row_is_held_is_replaced_when_it_is_free(klarna: Sandbox, cart: Cart) -> None:
    session = services.ensure_session(cart=cart)
    KlarnaSession.objects.update(in_doubt=True)
    klarna.fail_next("create_credit_session", delay=0.5)

    def hold() -> None:
        wait_for(lambda: len(klarna.calls) == 2)
        with transaction.atomic():
            KlarnaSession.objects.select_for_update().get(pk=session.pk)
            time.sleep(1.2)  # until after the answer, and longer than a replacement tries

    def replace() -> None:
        services.ensure_session(cart=cart)

    assert at_once(hold, replace) == []
    assert [call.operation for call in klarna.calls] == ["create_credit_session"] * 3
    assert KlarnaSession.objects.get(live=True).pk != session.pk

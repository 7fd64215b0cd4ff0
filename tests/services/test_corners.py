"""What seldom happens to a purchase: races that are lost, and sessions that are gone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import ManagedOrder, Order
from django_klarna.exceptions import KlarnaBadRequestError, KlarnaBusyError
from django_klarna.models import (
    Attempt,
    Flag,
    KlarnaAuthorization,
    KlarnaOrder,
    KlarnaSession,
    OrderState,
    State,
)
from django_klarna.sandbox import Sandbox
from django_klarna.services import asking, placing, reconciliation
from django_klarna.services.deadlines import Deadline
from django_klarna.services.orders import note_order, safe_redirect
from tests.services.purchases import approve, authorize, call_back, session_of, time_passes
from tests.shop.delivering import DeliveringAdapter
from tests.shop.models import Cart
from tests.shop.models import Order as ShopOrder

pytestmark = pytest.mark.django_db(transaction=True)

TWO_DAYS = 49 * 3600


def on_statement(word: str, act: Callable[[], object], times: int = 1) -> Any:
    """Do something just before a statement that writes this word."""
    left = [times]

    def wrapper(execute: Callable[..., object], sql: str, params: Any, *rest: Any) -> object:
        if left[0] and sql.startswith(("UPDATE", "INSERT")) and word in map(str, params or ()):
            left[0] -= 1
            act()
        return execute(sql, params, *rest)

    return connection.execute_wrapper(wrapper)


def fail(error: Exception) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


def test_session_that_is_gone_has_no_order(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.advance(TWO_DAYS)

    assert services.place_order(authorization.pk).state == Attempt.DEAD
    assert not KlarnaOrder.objects.exists()


@pytest.mark.usefixtures("impatient")
def test_of_a_session_that_is_gone_nobody_knows_whether_it_was_ordered(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="before", count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    klarna.clear_faults()
    klarna.advance(TWO_DAYS)

    services.place_order(authorization.pk)

    assert KlarnaOrder.objects.get().flag == Flag.ORDER_ID_UNKNOWN


def test_callback_for_a_session_that_is_gone(klarna: Sandbox, cart: Cart, client: Client) -> None:
    approve(klarna, cart)
    call_back(klarna, client)
    klarna.advance(TWO_DAYS)
    time_passes(minutes=1)

    services.reconcile()

    assert KlarnaAuthorization.objects.get().state == Attempt.DEAD


def test_outcome_is_noted_down_once(klarna: Sandbox, cart: Cart) -> None:
    authorization = services.place_order(authorize(klarna, cart).pk)
    session = session_of(cart)

    note_order(session, authorization, Order(order_id="another"))
    refusal = KlarnaBadRequestError("a", status_code=400)
    asking.settle(session, authorization, refusal, ordered=False)

    assert [order.order_id for order in KlarnaOrder.objects.all()] == list(klarna.orders)
    assert session_of(cart).state == State.COMPLETED


def test_token_that_cannot_be_kept_is_told_again_later(klarna: Sandbox, cart: Cart) -> None:
    attempt, token = approve(klarna, cart)

    with (
        on_statement(Attempt.RECEIVED.value, fail(IntegrityError()), times=3),
        pytest.raises(KlarnaBusyError),
    ):
        services.receive_authorization(cart=cart, attempt=attempt, token=token)

    assert services.receive_authorization(cart=cart, attempt=attempt, token=token)


def test_shop_that_meets_locks_records_in_the_end(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)

    with on_statement(OrderState.RECORDED.value, fail(OperationalError()), times=5):
        services.place_order(authorization.pk)

    assert KlarnaOrder.objects.get().state == OrderState.RECORDED
    assert ShopOrder.objects.count() == 1


def test_what_is_over_takes_no_step(klarna: Sandbox, cart: Cart) -> None:
    authorization = services.cancel_authorization(authorize(klarna, cart).pk)
    before = len(klarna.calls)

    placing.step_on(authorization, placing.STEPS, Deadline(1))

    assert len(klarna.calls) == before
    assert session_of(cart).lease_owner is None


def test_order_that_breaks_the_contract_is_given_back(
    klarna: Sandbox,
    cart: Cart,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.DeliveringAdapter"
    authorization = authorize(klarna, cart)
    monkeypatch.setattr(DeliveringAdapter, "merchant_reference", lambda _self, _cart: "N" * 256)

    authorization = services.place_order(authorization.pk)

    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "order_invalid")
    assert "An order breaks Klarna's contract" in caplog.text


def test_half_a_move_is_none(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    mine = KlarnaAuthorization.objects.filter(pk=authorization.pk)

    # In the transaction of the move, and so taken back with it.
    with on_statement(State.PLACING.value, lambda: mine.update(state=Attempt.CANCELLING)):
        authorization = services.place_order(authorization.pk)

    assert authorization.state == Attempt.PLACED
    assert len(klarna.orders) == 1


@pytest.mark.usefixtures("impatient")
def test_reconcile_says_what_it_could_not_do(
    klarna: Sandbox, make_cart: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    slow, lost = authorize(klarna, make_cart()), authorize(klarna, make_cart())
    KlarnaSession.objects.filter(pk=lost.session_id).update(account="gone")
    klarna.fail_next("create_order", status=500, count=100)
    time_passes(minutes=1)

    assert services.reconcile()["failed"] == 2

    assert f"Klarna did not answer in time: authorizations {slow.pk}" in caplog.messages
    assert f"Not done: authorizations {lost.pk}" in caplog.messages


def test_two_who_reconcile_share_the_work(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    time_passes(minutes=1)
    before = len(klarna.calls)
    another = KlarnaAuthorization.objects.filter(pk=authorization.pk)

    with on_statement("1", lambda: another.update(retry_at=None)):
        reconciliation.settle(authorization.pk)

    assert len(klarna.calls) == before


def test_id_of_another_order_of_ours_is_none_of_this_one(klarna: Sandbox, make_cart: Any) -> None:
    services.place_order(authorize(klarna, make_cart()).pk)
    session = services.ensure_session(cart=make_cart())
    (order_id,) = klarna.orders
    missed = KlarnaOrder.objects.create(
        session=session, key="k", state=OrderState.FLAGGED, order_amount=1, candidate_order_id=order_id
    )

    reconciliation.believe(missed, ManagedOrder(order_id=order_id))

    missed.refresh_from_db()
    assert (missed.state, missed.order_id) == (OrderState.FLAGGED, None)


def test_order_without_a_page_of_klarnas(klarna: Sandbox) -> None:
    assert safe_redirect("default", None) == ""


def test_news_that_cannot_be_told_at_once_fail_no_purchase(
    klarna: Sandbox, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    authorization = authorize(klarna, cart)
    written: list[None] = []

    def second() -> None:
        written.append(None)
        if len(written) == 2:  # the first is the move that makes them due
            raise OperationalError

    with on_statement("order_placed", second, times=2):
        assert services.place_order(authorization.pk).state == Attempt.PLACED

    assert "Not all is done about an order" in caplog.messages
    assert services.reconcile() == {"signals of orders": 1}

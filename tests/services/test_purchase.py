"""From what the shopper has authorized to one order, at Klarna and in the shop."""

import json
import logging
import threading
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from django_klarna import services
from django_klarna.exceptions import CartNotPayable, KlarnaAuthenticationError, KlarnaBusyError
from django_klarna.models import Attempt, Flag, KlarnaAuthorization, KlarnaOrder, OrderState, Source, State
from django_klarna.sandbox import Sandbox
from tests.services.purchases import Adapter, approve, authorize, heard, session_of
from tests.services.threads import in_thread
from tests.shop.models import Cart, CartLine, Order

pytestmark = pytest.mark.django_db(transaction=True)


def created_orders(klarna: Sandbox) -> list[Any]:
    return [call.body for call in klarna.calls if call.operation == "create_order"]


def test_purchase(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    assert session_of(cart).state == State.AUTHORIZED

    with heard() as signals:
        authorization = services.place_order(authorization.pk)

    assert (authorization.state, authorization.source) == (Attempt.PLACED, Source.BROWSER)
    order = KlarnaOrder.objects.get()
    assert (order.state, order.fraud_status, order.payment_method) == (
        OrderState.RECORDED,
        "ACCEPTED",
        "invoice",
    )
    assert (order.order_amount, order.purchase_currency) == (24800, "SEK")
    assert list(klarna.orders) == [order.order_id]
    assert [shop.klarna_order_id for shop in Order.objects.all()] == [order.order_id]
    assert session_of(cart).state == State.COMPLETED
    assert signals == ["session_authorized", "order_placed"]


def test_order_names_both_references_and_our_urls(klarna: Sandbox, cart: Cart) -> None:
    authorization = services.place_order(authorize(klarna, cart).pk)

    (body,) = created_orders(klarna)
    assert body["merchant_reference2"] == authorization.key == KlarnaOrder.objects.get().key
    assert body["merchant_urls"]["confirmation"] == "https://shop.example/thanks/"
    assert body["merchant_urls"]["push"].endswith("/?order_id={order.id}")
    assert set(body["merchant_urls"]) == {"authorization", "confirmation", "notification", "push"}


def test_nothing_secret_or_personal_outlives_the_order(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    assert authorization.token
    token_hash = authorization.token_hash

    authorization = services.place_order(authorization.pk)

    assert (authorization.token, authorization.data, authorization.body) == ("", "", "")
    assert authorization.token_hash == token_hash


def test_whoever_asks_again_gets_the_same_order(klarna: Sandbox, cart: Cart) -> None:
    attempt, token = approve(klarna, cart)
    for _time in range(3):
        received = services.receive_authorization(cart=cart, attempt=attempt, token=token)
        assert received
        assert services.place_order(received.pk).state == Attempt.PLACED

    assert len(created_orders(klarna)) == len(klarna.orders) == Order.objects.count() == 1


def test_many_workers_make_one_order(klarna: Sandbox, cart: Cart, adapter: type[Adapter]) -> None:
    authorization = authorize(klarna, cart)
    with heard() as signals:
        workers = [
            threading.Thread(target=in_thread(lambda: services.place_order(authorization.pk)))
            for _ in range(5)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    assert len(klarna.orders) == Order.objects.count() == 1
    assert signals == ["session_authorized", "order_placed"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_lost_answer_is_asked_for_again_with_the_same_bytes(klarna: Sandbox, cart: Cart, drop: str) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop=drop)

    services.place_order(authorization.pk)

    first, second = created_orders(klarna)
    assert json.dumps(first) == json.dumps(second)
    assert len(klarna.orders) == Order.objects.count() == 1


@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"status": 429, "retry_after": 0}, {"body": "truncated"}]
)
def test_passing_trouble_is_waited_for(klarna: Sandbox, cart: Cart, trouble: Any) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", **trouble)

    assert services.place_order(authorization.pk).state == Attempt.PLACED


@pytest.mark.usefixtures("impatient")
def test_token_that_may_have_its_order_is_never_cancelled(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after", count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    CartLine.objects.update(quantity=3)

    session = services.ensure_session(cart=cart)
    assert session.state == State.PLACING
    assert services.cancel_authorization(authorization.pk).state == Attempt.PLACING
    assert services.close_session(session.pk) is False
    assert services.sync_session(session.pk) is True

    assert [one.state for one in klarna.authorizations.values()] == ["consumed"]


def test_credentials_that_are_refused_decide_nothing(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", status=401)
    with pytest.raises(KlarnaAuthenticationError):
        services.place_order(authorization.pk)
    assert session_of(cart).state == State.PLACING

    assert services.place_order(authorization.pk).state == Attempt.PLACED


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("replayed", ["consumed", "completed"])
def test_order_of_which_klarna_never_tells_the_id_is_flagged(
    klarna: Sandbox, cart: Cart, replayed: str, caplog: pytest.LogCaptureFixture
) -> None:
    klarna.replayed_order = replayed
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")

    services.place_order(authorization.pk)

    order = KlarnaOrder.objects.get()
    assert (order.state, order.flag, order.order_id) == (OrderState.FLAGGED, Flag.ORDER_ID_UNKNOWN, None)
    assert not Order.objects.exists()
    with pytest.raises(CartNotPayable, match="has its order"):
        services.ensure_session(cart=cart)
    assert [record.levelno for record in caplog.records if "id is not known" in record.message] == [
        logging.ERROR
    ]


def test_changed_cart_is_never_taken_with_the_old_amount(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    CartLine.objects.update(quantity=2)

    authorization = services.place_order(authorization.pk)

    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "cart_changed")
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]
    assert not klarna.orders
    session = services.ensure_session(cart=cart)
    assert (session.state, session.order_amount) == (State.OPEN, 44700)
    assert klarna.sessions[str(session.session_id)].content["order_amount"] == 44700


def test_change_that_is_noticed_cancels_before_it_updates(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)

    line = CartLine.objects.get()
    line.quantity = 2
    line.save()

    authorization.refresh_from_db()
    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "cart_changed")
    assert [call.operation for call in klarna.calls][-2:] == ["cancel_authorization", "update_credit_session"]
    assert session_of(cart).state == State.OPEN


def test_emptied_cart_gives_the_authorization_back(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)

    cart.lines.all().delete()

    authorization.refresh_from_db()
    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "cart_not_payable")
    assert session_of(cart).state == State.OPEN


def test_change_and_back_again_is_no_change_to_the_shopper_but_one_to_klarna(
    klarna: Sandbox, cart: Cart
) -> None:
    attempt, token = approve(klarna, cart)
    for quantity in (2, 1):
        CartLine.objects.update(quantity=quantity)
        services.sync_session(session_of(cart).pk)

    received = services.receive_authorization(cart=cart, attempt=attempt, token=token)

    assert received
    assert services.place_order(received.pk).reason == "cart_changed"
    assert not klarna.orders


def test_authorized_session_is_left_alone_while_the_cart_is_the_same(klarna: Sandbox, cart: Cart) -> None:
    authorize(klarna, cart)
    before = len(klarna.calls)

    session = services.ensure_session(cart=cart)
    services.sync_session(session.pk)

    assert session.state == State.AUTHORIZED
    assert len(klarna.calls) == before


def test_two_sessions_two_tokens_one_order(klarna: Sandbox, cart: Cart) -> None:
    first_attempt, first_token = approve(klarna, cart)
    type(session_of(cart)).objects.update(in_doubt=True)  # so that the session is replaced
    second = authorize(klarna, cart)

    first = services.receive_authorization(cart=cart, attempt=first_attempt, token=first_token)
    assert first
    first = services.place_order(first.pk)
    second = services.place_order(second.pk)

    assert (first.state, first.reason) == (Attempt.CANCELLED, "session_replaced")
    assert second.state == Attempt.PLACED
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled", "consumed"]
    assert len(klarna.orders) == Order.objects.count() == 1


@pytest.mark.parametrize("newer_first", [True, False])
def test_two_tokens_of_one_session_one_order(klarna: Sandbox, cart: Cart, newer_first: bool) -> None:
    attempt, older = approve(klarna, cart)
    same_attempt, newer = approve(klarna, cart)
    assert same_attempt == attempt
    tokens = (newer, older) if newer_first else (older, newer)
    received = [services.receive_authorization(cart=cart, attempt=attempt, token=token) for token in tokens]

    states = [services.place_order(one.pk).state for one in received if one]

    placed, dead = (states[0], states[1]) if newer_first else (states[1], states[0])
    assert (placed, dead) == (Attempt.PLACED, Attempt.DEAD)
    assert len(klarna.orders) == Order.objects.count() == 1


def test_token_of_another_cart_is_none_of_this_one(klarna: Sandbox, cart: Cart, make_cart: Any) -> None:
    attempt, token = approve(klarna, cart)
    stranger = make_cart()
    assert services.receive_authorization(cart=stranger, attempt=attempt, token=token) is None

    services.receive_authorization(cart=cart, attempt=attempt, token=token)
    strange_attempt, _token = approve(klarna, stranger)
    assert services.receive_authorization(cart=stranger, attempt=strange_attempt, token=token) is None
    assert not klarna.orders


def test_made_up_token_changes_nothing_in_the_end(klarna: Sandbox, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    attempt = services.prepare_attempt(cart=cart)
    assert attempt
    received = services.receive_authorization(cart=cart, attempt=attempt.key, token="made-up")
    assert received

    received = services.place_order(received.pk)

    assert (received.state, received.reason) == (Attempt.DEAD, "not_found")
    assert services.ensure_session(cart=cart).state == State.OPEN


def test_expired_token_is_not_ordered(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.advance(3601)

    assert services.place_order(authorization.pk).state == Attempt.DEAD
    assert not klarna.orders


def test_data_that_klarna_does_not_have_need_a_new_session(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    before = session_of(cart)
    content = klarna.sessions[str(before.session_id)].content
    content["shipping_address"] = {"postal_code": "111 48"}
    for one in klarna.authorizations.values():
        one.content["shipping_address"] = {"postal_code": "111 48"}

    authorization = services.place_order(authorization.pk)

    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "bad_value")
    assert services.ensure_session(cart=cart).pk != before.pk
    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED


def test_rejected_at_the_last_moment(klarna: Sandbox, cart: Cart) -> None:
    with heard() as signals:
        authorization = services.place_order(authorize(klarna, cart, "reject").pk)

    assert (authorization.state, authorization.reason) == (Attempt.REJECTED, "rejected")
    assert not KlarnaOrder.objects.exists()
    assert signals == ["session_authorized"]
    assert services.ensure_session(cart=cart).state == State.OPEN


def test_rejected_order_is_told_and_leaves_the_cart_free(klarna: Sandbox, cart: Cart) -> None:
    with heard() as signals:
        authorization = services.place_order(authorize(klarna, cart, "fraud").pk)

    assert authorization.state == Attempt.REJECTED
    assert KlarnaOrder.objects.get().state == OrderState.REJECTED
    assert signals == ["session_authorized", "order_rejected"]
    assert not Order.objects.exists()
    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED


def test_pending_order_is_recorded_and_said_to_be_pending(klarna: Sandbox, cart: Cart) -> None:
    with heard() as signals:
        services.place_order(authorize(klarna, cart, "pending").pk)

    order = KlarnaOrder.objects.get()
    assert (order.state, order.is_pending) == (OrderState.RECORDED, True)
    assert Order.objects.count() == 1
    assert signals == ["session_authorized", "order_pending"]


def test_shop_that_fails_twice_has_one_order_in_the_end(
    klarna: Sandbox, cart: Cart, adapter: type[Adapter], caplog: pytest.LogCaptureFixture
) -> None:
    Adapter.failures = 2
    authorization = authorize(klarna, cart)
    with heard() as signals:
        for _time in range(2):
            services.place_order(authorization.pk)
            waiting = KlarnaOrder.objects.get()
            assert (waiting.state, waiting.error_code) == (OrderState.PLACED, "RuntimeError")
            assert not Order.objects.exists()
            assert cart.lines.exists()
            with pytest.raises(CartNotPayable, match="has its order"):
                services.ensure_session(cart=cart)
        services.place_order(authorization.pk)

    order = KlarnaOrder.objects.get()
    assert (order.state, order.error_code, order.tries) == (OrderState.RECORDED, "", 2)
    assert len(klarna.orders) == Order.objects.count() == 1
    assert signals == ["session_authorized", "order_placed"]
    assert [record.message for record in caplog.records].count(
        "The shop could not make its order; klarna_reconcile tries again"
    ) == 2


def test_emptied_cart_is_free_for_the_same_again(klarna: Sandbox, cart: Cart, adapter: type[Adapter]) -> None:
    product = cart.lines.get().product
    services.place_order(authorize(klarna, cart).pk)
    CartLine.objects.create(cart=cart, product=product)

    services.place_order(authorize(klarna, cart).pk)

    assert len(klarna.orders) == Order.objects.count() == 2


def test_cart_that_is_not_changed_is_not_sold_twice(klarna: Sandbox, cart: Cart) -> None:
    services.place_order(authorize(klarna, cart).pk)
    cart.save()

    with pytest.raises(CartNotPayable, match="has its order"):
        services.ensure_session(cart=cart)

    CartLine.objects.update(quantity=2)
    assert services.ensure_session(cart=cart).state == State.OPEN


def test_cart_that_changed_while_the_order_was_placed_is_left_to_a_person(
    klarna: Sandbox, cart: Cart, adapter: type[Adapter], caplog: pytest.LogCaptureFixture
) -> None:
    Adapter.failures = 1
    services.place_order(authorize(klarna, cart).pk)
    CartLine.objects.update(quantity=2)
    order = KlarnaOrder.objects.get()

    assert services.complete_order(order.pk) is False

    order.refresh_from_db()
    assert (order.state, order.flag) == (OrderState.FLAGGED, Flag.CART_CHANGED)
    assert not Order.objects.exists()
    assert "A Klarna order needs a person: cart_changed" in caplog.messages


def test_cart_that_cannot_be_paid_any_more_is_not_what_was_paid_for(
    klarna: Sandbox, cart: Cart, adapter: type[Adapter]
) -> None:
    Adapter.failures = 1
    services.place_order(authorize(klarna, cart).pk)
    cart.lines.all().delete()

    services.complete_order(KlarnaOrder.objects.get().pk)

    assert KlarnaOrder.objects.get().flag == Flag.CART_CHANGED


def test_order_of_a_cart_that_is_gone_is_left_to_a_person(
    klarna: Sandbox, cart: Cart, adapter: type[Adapter]
) -> None:
    Adapter.failures = 1
    services.place_order(authorize(klarna, cart).pk)
    cart.delete()

    services.complete_order(KlarnaOrder.objects.get().pk)

    assert KlarnaOrder.objects.get().flag == Flag.CART_DELETED


@pytest.mark.usefixtures("impatient")
def test_order_that_outlives_its_cart_is_found(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after", count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    klarna.clear_faults()
    cart.delete()

    assert services.place_order(authorization.pk).state == Attempt.PLACED
    assert KlarnaOrder.objects.get().flag == Flag.CART_DELETED


def test_authorization_of_a_cart_that_is_gone_is_given_back(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    cart.delete()

    assert services.place_order(authorization.pk).state == Attempt.CANCELLED
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]


def test_cancelled_authorization_frees_the_session(klarna: Sandbox, cart: Cart) -> None:
    authorization = services.cancel_authorization(authorize(klarna, cart).pk)

    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "cancelled")
    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED


@pytest.mark.usefixtures("impatient")
def test_cancelling_is_gone_on_with(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("cancel_authorization", status=500, count=100)
    with pytest.raises(KlarnaBusyError):
        services.cancel_authorization(authorization.pk)
    assert (session_of(cart).state, session_of(cart).in_doubt) == (State.OPEN, True)
    klarna.clear_faults()

    assert services.place_order(authorization.pk).state == Attempt.CANCELLED
    assert not klarna.orders


def test_session_that_klarna_says_is_complete_is_left_to_a_person(klarna: Sandbox, cart: Cart) -> None:
    session = services.ensure_session(cart=cart)
    klarna.complete(str(session.session_id))
    CartLine.objects.update(quantity=2)

    with pytest.raises(CartNotPayable, match="has its order"):
        services.ensure_session(cart=cart)

    order = KlarnaOrder.objects.get()
    assert (order.state, order.flag) == (OrderState.FLAGGED, Flag.ORDER_ID_UNKNOWN)
    assert session_of(cart).state == State.COMPLETED


@pytest.mark.parametrize(
    "service",
    [services.place_order, services.cancel_authorization, services.complete_order],
    ids=lambda service: service.__name__,
)
def test_no_service_runs_inside_a_transaction(klarna: Sandbox, cart: Cart, service: Any) -> None:
    authorization = authorize(klarna, cart)
    before = len(klarna.calls)

    with transaction.atomic(), pytest.raises(TransactionManagementError, match=service.__name__):
        service(authorization.pk)

    assert len(klarna.calls) == before
    assert KlarnaAuthorization.objects.get().state == Attempt.RECEIVED

"""What is finished when nobody comes back for it."""

import os
import signal
import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client

from django_klarna import services, signals
from django_klarna.exceptions import KlarnaBusyError
from django_klarna.models import (
    Attempt,
    Flag,
    FraudStatus,
    KlarnaAuthorization,
    KlarnaOrder,
    OrderState,
    Source,
)
from django_klarna.sandbox import Sandbox
from tests.services.purchases import (
    Adapter,
    approve,
    authorize,
    call_back,
    heard,
    session_of,
    time_passes,
)
from tests.shop.models import Cart, Order, Product

pytestmark = pytest.mark.django_db(transaction=True)


def the_attempt() -> KlarnaAuthorization:
    return KlarnaAuthorization.objects.get()


def test_callback_alone_completes_a_purchase(klarna: Sandbox, cart: Cart, client: Client) -> None:
    approve(klarna, cart)
    assert call_back(klarna, client).status_code == 204
    assert (the_attempt().state, the_attempt().source) == (Attempt.RECEIVED, Source.CALLBACK)
    assert services.reconcile() == {"signals of authorizations": 1}  # the browser may be at it

    time_passes(minutes=1)

    assert services.reconcile() == {"authorizations": 1}
    assert len(klarna.orders) == Order.objects.count() == 1


@pytest.mark.parametrize("shown", [True, False])
def test_token_is_found_though_nobody_told_us(klarna: Sandbox, cart: Cart, shown: bool) -> None:
    klarna.read_shows_authorization_token = shown
    approve(klarna, cart)

    for _time in range(2):
        time_passes(minutes=46)
        services.reconcile()

    assert Order.objects.count() == (1 if shown else 0)


def test_try_that_came_to_nothing_is_looked_for_twice_and_forgotten(klarna: Sandbox, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    services.prepare_attempt(cart=cart)
    before = len(klarna.calls)
    for _time in range(5):
        time_passes(minutes=46)
        services.reconcile()
    assert [call.operation for call in klarna.calls[before:]] == ["read_credit_session"] * 2
    assert the_attempt().state == Attempt.PREPARED

    type(session_of(cart)).objects.update(expires_at="2020-01-01T00:00:00Z")
    time_passes(days=3)
    services.reconcile()

    assert (the_attempt().state, the_attempt().reason, the_attempt().data) == (Attempt.DEAD, "expired", "")


def test_token_that_klarna_names_goes_before_that_of_a_callback(
    klarna: Sandbox, cart: Cart, client: Client
) -> None:
    approve(klarna, cart)
    klarna.authorize(str(session_of(cart).session_id))
    older = klarna.callbacks[0]
    url = older.url.removeprefix("https://shop.example")
    assert client.post(url, older.body, content_type="application/json").status_code == 204
    time_passes(minutes=1)

    services.reconcile()
    time_passes(minutes=1)
    services.reconcile()

    by_source = {one.source: one.state for one in KlarnaAuthorization.objects.all()}
    assert by_source == {Source.CALLBACK: Attempt.DEAD, Source.READ: Attempt.PLACED}
    assert len(klarna.orders) == Order.objects.count() == 1


def test_browser_knows_better_which_try_it_was(klarna: Sandbox, cart: Cart, client: Client) -> None:
    attempt, token = approve(klarna, cart)
    KlarnaAuthorization.objects.create(session=session_of(cart), data='{"of": "another tab"}')
    call_back(klarna, client)
    guessed = KlarnaAuthorization.objects.get(state=Attempt.RECEIVED)
    assert guessed.key != attempt

    received = services.receive_authorization(cart=cart, attempt=attempt, token=token)

    assert received
    assert (received.pk, received.source, received.data) == (guessed.pk, Source.BROWSER, "{}")
    assert services.place_order(received.pk).state == Attempt.PLACED


def test_worker_that_died_before_its_call(klarna: Sandbox, cart: Cart, impatient: None) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="before", count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    klarna.clear_faults()
    time_passes(minutes=1)

    services.reconcile()

    assert len(klarna.orders) == Order.objects.count() == 1


def test_what_fails_is_tried_later_and_keeps_nobody_waiting(
    klarna: Sandbox, make_cart: Any, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, good = authorize(klarna, make_cart()), authorize(klarna, make_cart())
    time_passes(minutes=1)
    klarna.fail_next("create_order", status=401, count=1)

    assert services.reconcile() == {"failed": 1, "authorizations": 1}

    stuck.refresh_from_db()
    good.refresh_from_db()
    assert (stuck.state, stuck.tries, good.state) == (Attempt.PLACING, 1, Attempt.PLACED)
    assert not services.reconcile()
    time_passes(minutes=1)
    assert services.reconcile() == {"authorizations": 1}


def test_shop_that_could_not_make_its_order_is_asked_again(
    klarna: Sandbox, cart: Cart, adapter: type[Adapter]
) -> None:
    Adapter.failures = 2
    with heard() as names:
        services.place_order(authorize(klarna, cart).pk)
        assert not services.reconcile()
        for _time in range(2):
            time_passes(minutes=1)
            services.reconcile()

    assert KlarnaOrder.objects.get().state == OrderState.RECORDED
    assert len(klarna.orders) == Order.objects.count() == 1
    assert names == ["session_authorized", "order_placed"]


@pytest.mark.parametrize(("decision", "news"), [("ACCEPTED", "order_placed"), ("REJECTED", "order_rejected")])
def test_notification_has_the_order_read(
    klarna: Sandbox, cart: Cart, client: Client, decision: str, news: str
) -> None:
    services.place_order(authorize(klarna, cart, "pending").pk)
    order = KlarnaOrder.objects.get()
    klarna.decide(str(order.order_id), decision)
    with heard() as names:
        assert call_back(klarna, client, "notification").status_code == 200
        assert call_back(klarna, client, "notification").status_code == 200
        assert services.reconcile() == {"orders read": 1}
        assert not services.reconcile()

    order.refresh_from_db()
    assert (order.fraud_status, order.retry_at) == (decision, None)
    assert names == [news]


def test_pending_order_is_looked_at_without_a_notification(klarna: Sandbox, cart: Cart) -> None:
    services.place_order(authorize(klarna, cart, "pending").pk)
    time_passes(hours=1)
    assert services.reconcile() == {"orders read": 1}
    assert KlarnaOrder.objects.get().fraud_status == FraudStatus.PENDING
    klarna.decide(str(KlarnaOrder.objects.get().order_id), "ACCEPTED")

    time_passes(hours=1)
    services.reconcile()

    assert KlarnaOrder.objects.get().fraud_status == FraudStatus.ACCEPTED


def test_lost_id_is_believed_when_klarna_shows_our_reference_with_it(
    klarna: Sandbox, cart: Cart, client: Client
) -> None:
    klarna.replayed_order = "consumed"
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    assert KlarnaOrder.objects.get().flag == Flag.ORDER_ID_UNKNOWN
    push = [one for one in klarna.callbacks if one.kind == "push"][-1]

    assert client.post(push.url.removeprefix("https://shop.example")).status_code == 200
    assert services.reconcile() == {"orders named": 1}

    order = KlarnaOrder.objects.get()
    assert [order.order_id] == list(klarna.orders)
    assert (order.state, order.flag) == (OrderState.RECORDED, "")
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    "named", ["5b1f9c1e-0000-4000-8000-000000000000", "{order.id}", "no id at all", ".."]
)
def test_id_that_is_not_of_our_order_is_not_believed(
    klarna: Sandbox, cart: Cart, client: Client, named: str
) -> None:
    klarna.replayed_order = "consumed"
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    push = [one for one in klarna.callbacks if one.kind == "push"][-1]
    url = push.url.removeprefix("https://shop.example").partition("?")[0]

    client.post(f"{url}?order_id={named}")
    services.reconcile()

    assert not services.reconcile()
    order = KlarnaOrder.objects.get()
    assert (order.state, order.order_id, order.candidate_order_id) == (OrderState.FLAGGED, None, named)


def test_id_of_somebody_elses_order_is_not_believed(klarna: Sandbox, make_cart: Any, client: Client) -> None:
    services.place_order(authorize(klarna, make_cart()).pk)
    (other,) = klarna.orders
    klarna.replayed_order = "consumed"
    authorization = authorize(klarna, make_cart())
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    push = [one for one in klarna.callbacks if one.kind == "push"][-1]

    client.post(push.url.removeprefix("https://shop.example").partition("?")[0] + f"?order_id={other}")
    services.reconcile()

    assert KlarnaOrder.objects.filter(state=OrderState.FLAGGED, order_id=None).count() == 1


def test_push_that_comes_while_the_order_is_placed_is_kept(
    klarna: Sandbox, cart: Cart, client: Client, impatient: None
) -> None:
    klarna.replayed_order = "consumed"
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    klarna.fail_next("create_order", drop="before", count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    client.post(klarna.callbacks[-1].url.removeprefix("https://shop.example"))
    klarna.clear_faults()

    services.place_order(authorization.pk)
    time_passes(minutes=1)
    services.reconcile()

    assert [KlarnaOrder.objects.get().order_id] == list(klarna.orders)


def test_signal_that_was_not_sent_is_sent_later_and_once(klarna: Sandbox, cart: Cart) -> None:
    services.place_order(authorize(klarna, cart).pk)
    KlarnaOrder.objects.update(outbox="order_placed")
    KlarnaAuthorization.objects.update(outbox="session_authorized")
    with heard() as names:
        services.reconcile()
        services.reconcile()

    assert sorted(names) == ["order_placed", "session_authorized"]


def test_what_receivers_write_is_there_exactly_once(klarna: Sandbox, cart: Cart) -> None:
    def write(sender: object, **kwargs: object) -> None:
        Product.objects.create(name="heard", price=1)

    def fail(sender: object, **kwargs: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    signals.order_placed.connect(write)
    signals.order_placed.connect(fail)
    try:
        services.place_order(authorize(klarna, cart).pk)
        # A database may take back what a failed transaction has written, or not: the signal is due again, or not.
        was_told = Product.objects.filter(name="heard").exists()
        assert was_told == (KlarnaOrder.objects.get().outbox == "")
        signals.order_placed.disconnect(fail)
        services.reconcile()
    finally:
        signals.order_placed.disconnect(fail)
        signals.order_placed.disconnect(write)

    assert Product.objects.filter(name="heard").count() == 1
    assert KlarnaOrder.objects.get().outbox == ""


def test_more_than_one_batch(klarna: Sandbox, cart: Cart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_klarna.services.reconciliation.BATCH", 2)
    services.ensure_session(cart=cart)
    session = session_of(cart)
    for _number in range(5):
        KlarnaAuthorization.objects.create(session=session, outbox="session_authorized")

    assert services.reconcile() == {"signals of authorizations": 5}


def test_command_does_one_pass_and_says_so(
    klarna: Sandbox, cart: Cart, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("klarna_reconcile")
    authorize(klarna, cart)
    time_passes(minutes=1)
    call_command("klarna_reconcile")

    assert capsys.readouterr().out == "Nothing was due.\nauthorizations: 1\n"
    with pytest.raises(CommandError, match="--interval must be greater than 0"):
        call_command("klarna_reconcile", "--interval", "0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_goes_on_until_it_is_told_to_stop(
    klarna: Sandbox, cart: Cart, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    authorize(klarna, cart)
    time_passes(minutes=1)
    handler = signal.getsignal(number)
    threading.Timer(1, os.kill, (os.getpid(), number)).start()

    call_command("klarna_reconcile", "--watch", "--interval", "0.1")

    assert capsys.readouterr().out == "authorizations: 1\n"
    assert signal.getsignal(number) is handler


def test_watch_survives_its_database(
    klarna: Sandbox, cart: Cart, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    authorize(klarna, cart)
    time_passes(minutes=1)
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    failures = iter([DatabaseError("The server restarts.")])

    def restart(execute: Any, *query: Any) -> Any:
        for failure in failures:
            raise failure
        return execute(*query)

    with connection.execute_wrapper(restart):
        call_command("klarna_reconcile", "--watch", "--interval", "0.1")

    assert caplog.messages.count("A pass of klarna_reconcile has failed; there will be others") == 1
    assert capsys.readouterr().out == "authorizations: 1\n"

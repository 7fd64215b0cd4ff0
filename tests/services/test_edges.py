"""At the edges of a purchase: what shops, shoppers and Klarna do that nobody expects."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from django_klarna import services, signals
from django_klarna.api import CreateOrderRequest
from django_klarna.clients import client_for
from django_klarna.exceptions import KlarnaBusyError, KlarnaError
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
from django_klarna.services.orders import safe_redirect
from tests.services.adapters import Moving, Racing
from tests.services.purchases import Adapter, approve, authorize, call_back, heard, session_of, time_passes
from tests.services.threads import in_thread
from tests.shop.delivering import TokenizingAdapter
from tests.shop.models import Cart, CartLine, Order, Product

if TYPE_CHECKING:
    # Only the stubs have a name for a response with what the test client adds to it.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db(transaction=True)

needs_row_locks = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="needs row locks: DATABASE_URL=postgres://… or mysql://… (CONTRIBUTING.md)",
)

AUTHORIZATION = "/klarna/authorization/"
Use = Callable[[str], None]


@pytest.fixture
def use(settings: Settings) -> Use:
    """Let the shop have another adapter."""

    def use(name: str) -> None:
        settings.KLARNA_CART_ADAPTER = f"tests.services.adapters.{name}"

    return use


@pytest.fixture
def tokenizing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> type[TokenizingAdapter]:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.TokenizingAdapter"
    monkeypatch.setattr(TokenizingAdapter, "tokens", [])
    return TokenizingAdapter


@pytest.fixture
def streets() -> Iterator[type[Moving]]:
    before = Moving.street
    yield Moving
    Moving.street = before


def tell(client: Client, told: object = None, method: str = "POST") -> "Answer":
    body = "" if told is None else json.dumps(told)
    return client.generic(method, AUTHORIZATION, body, content_type="application/json")


def told_by(klarna: Sandbox, cart: Cart) -> dict[str, str]:
    attempt, token = approve(klarna, cart)
    return {"attempt": attempt, "authorization_token": token}


def hours_pass(count: int = 1) -> None:
    for _hour in range(count):
        time_passes(minutes=60)
        services.reconcile()


def test_goods_go_nowhere_but_where_klarna_was_told(
    klarna: Sandbox, cart: Cart, use: Use, streets: type[Moving]
) -> None:
    use("Moving")
    authorization = authorize(klarna, cart)
    streets.street = "Drop house 13"

    authorization = services.place_order(authorization.pk)

    assert (authorization.state, authorization.reason) == (Attempt.CANCELLED, "data_changed")
    assert not Order.objects.exists()


@pytest.mark.parametrize("shop", ["Closing", "Renewing"])
@pytest.mark.parametrize("comes_first", ["callback", "browser"])
def test_who_comes_second_hears_of_the_order(
    klarna: Sandbox, cart: Cart, shopper: Client, use: Use, shop: str, comes_first: str
) -> None:
    use(shop)
    told = told_by(klarna, cart)
    if comes_first == "callback":
        call_back(klarna, shopper)
        hours_pass()
    else:
        tell(shopper, told)
    assert Order.objects.count() == 1

    answer = tell(shopper, told)

    assert (answer.status_code, answer.json()["state"]) == (200, "placed")


@pytest.mark.parametrize("change", ["attempt", "authorization_token"])
def test_order_is_told_to_those_only_who_know_both_secrets(
    klarna: Sandbox, cart: Cart, shopper: Client, use: Use, make_cart: Any, change: str
) -> None:
    use("Closing")
    told = told_by(klarna, cart)
    other = told_by(klarna, make_cart())
    tell(shopper, told)

    assert tell(shopper, {**told, change: other[change]}).status_code == 409


def test_shop_may_save_the_order_that_it_is_given(klarna: Sandbox, cart: Cart, use: Use) -> None:
    use("Saving")
    services.place_order(authorize(klarna, cart).pk)
    hours_pass(2)

    assert (Order.objects.count(), KlarnaOrder.objects.get().state) == (1, OrderState.RECORDED)


@needs_row_locks
@pytest.mark.parametrize("how", ["insert", "update"])
def test_shop_sells_what_was_checked(klarna: Sandbox, cart: Cart, use: Use, how: str) -> None:
    use("Racing")
    watch = Product.objects.create(name="Watch", price=9999)

    def change() -> None:
        if how == "insert":
            CartLine.objects.bulk_create([CartLine(cart=cart, product=watch)])
        else:
            CartLine.objects.filter(cart=cart).update(quantity=50)

    authorization = authorize(klarna, cart)
    Racing.sold.clear()
    Racing.race = in_thread(change)
    try:
        services.place_order(authorization.pk)
    finally:
        Racing.race = None

    assert [total for total, paid in Racing.sold if total != paid] == []


@pytest.mark.parametrize("failing", ["raises", "asks for nonsense", "saves"])
def test_signal_is_sent_once_whatever_a_receiver_does(klarna: Sandbox, cart: Cart, failing: str) -> None:
    def receive(sender: object, order: KlarnaOrder, **kwargs: object) -> None:
        if failing == "raises":
            raise RuntimeError
        if failing == "saves":
            order.save()
        else:
            KlarnaOrder.objects.create(session=order.session, key=order.key)

    signals.order_placed.connect(receive)
    try:
        with heard() as names:
            services.place_order(authorize(klarna, cart).pk)
            hours_pass(2)
    finally:
        signals.order_placed.disconnect(receive)

    assert names == ["session_authorized", "order_placed"]


def test_asynchronous_receiver_hears(klarna: Sandbox, cart: Cart) -> None:
    heard_of: list[object] = []

    async def receive(sender: object, order: KlarnaOrder, **kwargs: object) -> None:
        heard_of.append(order.pk)

    signals.order_placed.connect(receive)
    try:
        services.place_order(authorize(klarna, cart).pk)
    finally:
        signals.order_placed.disconnect(receive)

    assert heard_of == [KlarnaOrder.objects.get().pk]


def test_purchase_that_empties_its_cart_is_no_failure(
    klarna: Sandbox, cart: Cart, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.purchases.Adapter"
    failed: list[object] = []

    def receive(sender: object, error: object, **kwargs: object) -> None:
        failed.append(error)

    signals.session_sync_failed.connect(receive)
    try:
        services.place_order(authorize(klarna, cart).pk)
    finally:
        signals.session_sync_failed.disconnect(receive)

    assert (failed, Adapter.failures, cart.lines.exists()) == ([], 0, False)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", [{"status": 400}, {"status": 403}, {"status": 409}, {"status": 500}])
def test_token_that_cannot_be_cancelled_keeps_nobody_from_paying(
    klarna: Sandbox, cart: Cart, fault: Any
) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("cancel_authorization", error_code="BAD_VALUE", count=1000, **fault)
    with pytest.raises(KlarnaError):
        services.cancel_authorization(authorization.pk)

    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED
    assert len(klarna.orders) == 1
    KlarnaAuthorization.objects.update(received_at=timezone.now() - timedelta(hours=2))
    hours_pass()
    authorization.refresh_from_db()
    assert (authorization.state, authorization.token) == (Attempt.DEAD, "")


def test_token_of_an_account_that_is_gone_keeps_nobody_from_paying(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    KlarnaSession.objects.update(account="gone")
    CartLine.objects.update(quantity=2)

    assert services.ensure_session(cart=cart).state == State.OPEN
    KlarnaAuthorization.objects.update(received_at=timezone.now() - timedelta(hours=2))
    hours_pass()
    authorization.refresh_from_db()
    assert authorization.state == Attempt.DEAD


@pytest.mark.usefixtures("impatient")
def test_page_is_not_kept_waiting_for_what_is_given_back(
    klarna: Sandbox, cart: Cart, shopper: Client
) -> None:
    told = told_by(klarna, cart)
    CartLine.objects.update(quantity=2)
    klarna.fail_next("cancel_authorization", status=500, count=1000)

    answer = tell(shopper, told)

    assert (answer.status_code, answer.json()["code"]) == (409, "authorize_again")


@pytest.mark.usefixtures("impatient")
def test_customer_token_survives_an_order_whose_id_was_lost(
    klarna: Sandbox, cart: Cart, client: Client, tokenizing: type[TokenizingAdapter]
) -> None:
    klarna.replayed_order = "completed"
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    assert KlarnaOrder.objects.get().flag == Flag.ORDER_ID_UNKNOWN

    call_back(klarna, client, "push")
    hours_pass()

    assert KlarnaOrder.objects.get().state == OrderState.RECORDED
    assert tokenizing.tokens == [one.token_id for one in klarna.authorizations.values()]


@pytest.mark.usefixtures("impatient")
def test_customer_token_needs_no_cart_once_it_is_asked_for(
    klarna: Sandbox, cart: Cart, tokenizing: type[TokenizingAdapter]
) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("purchase_token", status=500, count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    klarna.clear_faults()
    cart.delete()

    hours_pass()

    authorization.refresh_from_db()
    assert (authorization.state, KlarnaOrder.objects.get().flag) == (Attempt.PLACED, Flag.CART_DELETED)


@pytest.mark.usefixtures("impatient")
def test_order_that_arrives_after_all_is_known(klarna: Sandbox, cart: Cart, client: Client) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="before")
    klarna.fail_next("create_order", status=403, error_code="X")
    klarna.fail_next("cancel_authorization", status=500, count=100)
    with pytest.raises(KlarnaBusyError):
        services.place_order(authorization.pk)
    klarna.clear_faults()
    body = next(call.body for call in klarna.calls if call.operation == "create_order")
    client_for("default").orders.create_order(authorization.token, CreateOrderRequest.from_dict(body))
    call_back(klarna, client, "push")

    hours_pass(2)

    assert [order.order_id for order in KlarnaOrder.objects.all()] == list(klarna.orders)


def test_try_that_is_taken_up_again_is_looked_for_again(klarna: Sandbox, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    services.prepare_attempt(cart=cart)
    hours_pass(2)
    approve(klarna, cart)

    hours_pass(2)

    assert [one.state for one in klarna.authorizations.values()] == ["consumed"]


def test_look_that_failed_is_none(klarna: Sandbox, cart: Cart) -> None:
    approve(klarna, cart)
    klarna.fail_next("read_credit_session", status=500, count=2)

    hours_pass(4)

    assert [one.state for one in klarna.authorizations.values()] == ["consumed"]


@pytest.mark.parametrize("end", ["replaced", "deleted"])
def test_token_that_nobody_told_of_is_given_back(klarna: Sandbox, cart: Cart, end: str) -> None:
    approve(klarna, cart)
    if end == "replaced":
        KlarnaSession.objects.update(in_doubt=True)
        services.ensure_session(cart=cart)
    else:
        cart.delete()

    hours_pass(2)

    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]


def test_session_that_is_gone_at_klarna_has_no_token(klarna: Sandbox, cart: Cart) -> None:
    approve(klarna, cart)
    klarna.advance(49 * 3600)

    hours_pass()

    assert KlarnaAuthorization.objects.get().state == Attempt.DEAD


def test_shopper_who_pays_otherwise_does_not_pay_twice(klarna: Sandbox, cart: Cart, shopper: Client) -> None:
    approve(klarna, cart)
    assert tell(shopper, method="DELETE").status_code == 204

    call_back(klarna, shopper)
    hours_pass()

    assert not klarna.orders
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]
    assert tell(shopper, told_by(klarna, cart)).status_code == 200


def test_unknown_attempt_frees_what_is_reserved_all_the_same(
    klarna: Sandbox, cart: Cart, shopper: Client
) -> None:
    authorize(klarna, cart)
    unknown = {"attempt": "unknown", "authorization_token": "x"}

    assert tell(shopper, unknown, method="DELETE").status_code == 204
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]


@pytest.mark.usefixtures("impatient")
def test_named_order_is_looked_for_more_than_once(klarna: Sandbox, cart: Cart, client: Client) -> None:
    klarna.replayed_order = "completed"
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    call_back(klarna, client, "push")
    klarna.fail_next("get_order", status=404, error_code="NO_SUCH_ORDER")

    hours_pass(2)

    assert KlarnaOrder.objects.get().state == OrderState.RECORDED


@pytest.mark.usefixtures("impatient")
def test_notification_names_an_order_too(klarna: Sandbox, cart: Cart, client: Client) -> None:
    klarna.replayed_order = "completed"
    authorization = authorize(klarna, cart, "pending")
    klarna.fail_next("create_order", drop="after")
    services.place_order(authorization.pk)
    (order_id,) = klarna.orders
    klarna.decide(order_id, "ACCEPTED")

    call_back(klarna, client, "notification")
    hours_pass()

    assert (KlarnaOrder.objects.get().order_id, Order.objects.count()) == (order_id, 1)


def test_order_that_was_accepted_is_not_announced_again(klarna: Sandbox, cart: Cart) -> None:
    with heard() as names:
        services.place_order(authorize(klarna, cart).pk)
        KlarnaOrder.objects.update(fraud_status="", retry_at=timezone.now())
        services.reconcile()

    assert KlarnaOrder.objects.get().fraud_status == "ACCEPTED"
    assert names.count("order_placed") == 1


def test_lost_lease_says_nothing_about_the_cart(klarna: Sandbox, cart: Cart, use: Use) -> None:
    authorization = authorize(klarna, cart)
    taken: list[str] = []

    def take(execute: Any, sql: str, *rest: Any) -> Any:
        if "placing" in map(str, rest[0] or ()) and not taken:
            taken.append(sql)
            KlarnaSession.objects.update(lease_owner=None)
        return execute(sql, *rest)

    with connection.execute_wrapper(take):
        authorization = services.place_order(authorization.pk)

    assert (authorization.state, len(taken)) == (Attempt.PLACED, 1)


def test_addresses_of_other_tries_go_with_the_order(
    klarna: Sandbox, cart: Cart, use: Use, streets: type[Moving]
) -> None:
    use("Moving")
    services.ensure_session(cart=cart)
    services.prepare_attempt(cart=cart)
    streets.street = "Another street 2"

    services.place_order(authorize(klarna, cart).pk)

    assert not KlarnaAuthorization.objects.exclude(data="").exists()
    assert {one.state for one in KlarnaAuthorization.objects.all()} == {Attempt.PLACED, Attempt.DEAD}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example\\.klarna.com/",
        "https://klarna.com\\@evil.example/",
        "https://x.klarna.com@evil.example/",
        "https://evil.example#.klarna.com",
        "https://evil.example\t.klarna.com/",
        "https://klarna.com.evil.example/",
    ],
)
def test_page_that_only_looks_like_klarnas_is_not_followed(klarna: Sandbox, url: str) -> None:
    assert safe_redirect("default", url) == ""


@needs_row_locks
def test_cart_that_the_shop_has_locked_is_waited_for(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    worker = threading.Thread(target=in_thread(lambda: services.place_order(authorization.pk)))
    with transaction.atomic():
        Cart.objects.select_for_update().get(pk=cart.pk)
        worker.start()
        worker.join(0.4)
    worker.join()

    assert KlarnaOrder.objects.get().state == OrderState.RECORDED
    assert session_of(cart).state == State.COMPLETED

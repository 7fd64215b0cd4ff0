"""What must hold in every project: from the shopper's page to what Klarna knows, and what staff see of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connections, router, transaction
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from django_klarna import services
from django_klarna.models import KlarnaAuthorization, KlarnaOrder, KlarnaSession, OrderState, State
from django_klarna.sandbox import Sandbox
from tests.projects.shopper import Shopper
from tests.sandboxes import Operations
from tests.shop.abstract import AbstractCart

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def live_amount(klarna: Sandbox) -> int:
    """What Klarna would have the shopper pay now."""
    session_id = KlarnaSession.objects.values_list("session_id", flat=True).get(live=True)
    return int(klarna.sessions[str(session_id)].content["order_amount"])


def change(cart: AbstractCart, quantity: int) -> None:
    line = cart.lines.get()
    line.quantity = quantity
    line.save()


def transaction_of_the_shop() -> transaction.Atomic:
    return transaction.atomic(using=router.db_for_write(KlarnaSession))


def test_a_page_has_the_widget_and_its_shopper_gets_a_token(
    klarna: Sandbox, shopper: Shopper, operations: Operations
) -> None:
    assert "data-klarna-widget" in shopper.page
    assert operations() == []

    answer = shopper.ask()

    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["order_amount"]) == ("open", 24800)
    assert answer.json()["client_token"] == klarna.sessions[klarna.calls[0].session_id or ""].client_token
    assert operations() == ["create"]


def test_without_the_csrf_token_of_the_page_there_is_none_of_klarna(
    klarna: Sandbox, shopper: Shopper, operations: Operations
) -> None:
    assert shopper.ask(csrf=False).status_code == 403
    assert operations() == []


def test_looking_calls_nothing(klarna: Sandbox, shopper: Shopper, operations: Operations) -> None:
    assert shopper.look().json()["state"] == "stale"
    token = shopper.ask().json()["client_token"]

    assert shopper.look().json()["client_token"] == token
    assert operations() == ["create"]


def test_what_the_shopper_types_reaches_klarna(
    klarna: Sandbox, shopper: Shopper, operations: Operations
) -> None:
    shopper.ask()

    assert shopper.type_quantity(2).status_code == 200

    assert operations() == ["create", "update"]
    assert live_amount(klarna) == shopper.ask().json()["order_amount"] == 2 * 19900 + 4900


def test_a_change_reaches_klarna_after_the_commit(
    klarna: Sandbox, cart: AbstractCart, operations: Operations
) -> None:
    services.ensure_session(cart=cart)

    with transaction_of_the_shop():
        change(cart, 2)
        change(cart, 3)
        assert operations() == ["create"]

    assert operations() == ["create", "update"]
    assert live_amount(klarna) == 3 * 19900 + 4900


def test_a_change_that_is_rolled_back_does_not(
    klarna: Sandbox, cart: AbstractCart, operations: Operations
) -> None:
    services.ensure_session(cart=cart)

    with transaction_of_the_shop():
        change(cart, 2)
        transaction.set_rollback(True, using=router.db_for_write(KlarnaSession))

    assert operations() == ["create"]


def test_another_country_is_another_session(
    klarna: Sandbox, cart: AbstractCart, operations: Operations, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.projects.klarna.AnyShopAdapter"
    first = services.ensure_session(cart=cart)

    cart.country, cart.currency = "FI", "EUR"
    cart.save()

    second = services.ensure_session(cart=cart)
    first.refresh_from_db()
    assert (first.state, first.live) == (State.REPLACED, None)
    assert (second.purchase_country, second.live) == ("FI", True)
    assert operations() == ["create", "create"]


def test_the_session_of_a_deleted_cart_is_abandoned(klarna: Sandbox, cart: AbstractCart) -> None:
    session = services.ensure_session(cart=cart)

    cart.delete()

    session.refresh_from_db()
    assert (session.state, session.live, session.cart_id) == (State.ABANDONED, None, None)


def approve(klarna: Sandbox, shopper: Shopper) -> dict[str, str]:
    """Let the shopper click, and Klarna agree; gives what the page is to tell."""
    shopper.ask()
    attempt = shopper.prepare().json()
    session_id = KlarnaSession.objects.values_list("session_id", flat=True).get(live=True)
    answer = klarna.authorize(str(session_id), attempt["data"])
    return {"attempt": attempt["attempt"], "authorization_token": answer["authorization_token"]}


def test_what_is_authorized_becomes_one_order(klarna: Sandbox, shopper: Shopper) -> None:
    told = approve(klarna, shopper)
    assert shopper.tell(told, csrf=False).status_code == 403

    answers = [shopper.tell(told) for _time in range(2)]

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "placed")] * 2
    order = KlarnaOrder.objects.get()
    assert (order.state, [order.order_id]) == (OrderState.RECORDED, list(klarna.orders))


def test_the_callback_alone_completes_a_purchase(klarna: Sandbox, shopper: Shopper) -> None:
    approve(klarna, shopper)
    callback = klarna.callbacks[-1]
    url = callback.url.removeprefix("https://shop.example")

    answer = Client(enforce_csrf_checks=True).post(url, callback.body, content_type="application/json")
    KlarnaAuthorization.objects.update(retry_at=timezone.now())
    services.reconcile()

    assert answer.status_code == 204
    assert [KlarnaOrder.objects.get().order_id] == list(klarna.orders)


@pytest.mark.parametrize("field", ["session_id", "cart_id"])
def test_staff_find_a_session_and_read_it(klarna: Sandbox, cart: AbstractCart, field: str) -> None:
    session = services.ensure_session(cart=cart)
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("staff"))

    found = staff.get(
        reverse("admin:django_klarna_klarnasession_changelist"), {"q": getattr(session, field)}
    ).text
    detail = staff.get(reverse("admin:django_klarna_klarnasession_change", args=[session.pk])).text

    assert session.key in found
    assert "248.00\u00a0SEK" in found
    assert str(cart.pk) in detail
    assert "<td>Hat</td>" in detail


def test_eight_who_ask_at_once_make_one_session(
    klarna: Sandbox, cart: AbstractCart, operations: Operations
) -> None:
    klarna.fail_next("create_credit_session", delay=0.3)

    def ask(_number: int) -> int:
        try:
            return services.ensure_session(cart=cart).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as workers:
        found = set(workers.map(ask, range(8)))

    assert operations() == ["create"]
    assert found == {KlarnaSession.objects.get(live=True).pk}


def test_services_refuse_an_open_transaction(
    klarna: Sandbox, cart: AbstractCart, operations: Operations
) -> None:
    with transaction_of_the_shop(), pytest.raises(TransactionManagementError, match="ensure_session"):
        services.ensure_session(cart=cart)

    assert operations() == []

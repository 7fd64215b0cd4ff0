"""Shoppers who may be charged again."""

import pytest
from pytest_django import Settings

from django_klarna import services
from django_klarna.exceptions import CartNotPayable
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaOrder, OrderState, State
from django_klarna.sandbox import Sandbox
from tests.services.purchases import authorize, session_of
from tests.shop.delivering import TokenizingAdapter
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def adapter(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.TokenizingAdapter"
    monkeypatch.setattr(TokenizingAdapter, "tokens", [])
    monkeypatch.setattr(TokenizingAdapter, "intent", "buy_and_tokenize")


def token_ids(klarna: Sandbox) -> list[str | None]:
    return [one.token_id for one in klarna.authorizations.values()]


def asked(klarna: Sandbox) -> list[str]:
    return [call.operation for call in klarna.calls if call.authorization_token]


def test_order_and_token(klarna: Sandbox, cart: Cart) -> None:
    authorization = services.place_order(authorize(klarna, cart).pk)

    assert TokenizingAdapter.tokens == token_ids(klarna)
    assert asked(klarna) == ["purchase_token", "create_order"]
    order = KlarnaOrder.objects.get()
    assert [order.order_id] == list(klarna.orders)
    assert (order.customer_token, authorization.customer_token) == ("", "")


def test_token_alone(klarna: Sandbox, cart: Cart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenizingAdapter, "intent", "tokenize")

    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED

    assert TokenizingAdapter.tokens == token_ids(klarna)
    assert asked(klarna) == ["purchase_token"]
    order = KlarnaOrder.objects.get()
    assert (order.order_id, order.state, order.customer_token) == (None, OrderState.RECORDED, "")
    assert session_of(cart).state == State.COMPLETED


def test_token_that_is_known_is_not_asked_for_again(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="before")

    services.place_order(authorization.pk)

    assert asked(klarna) == ["purchase_token", "create_order", "create_order"]
    assert TokenizingAdapter.tokens == token_ids(klarna)


def test_token_whose_answer_was_lost_costs_nobody_anything(klarna: Sandbox, cart: Cart) -> None:
    authorization = authorize(klarna, cart)
    klarna.fail_next("purchase_token", drop="after")

    assert services.place_order(authorization.pk).state in {Attempt.CANCELLED, Attempt.DEAD}

    assert not klarna.orders
    assert services.place_order(authorize(klarna, cart).pk).state == Attempt.PLACED


@pytest.mark.parametrize("description", ["", "x" * 256])
def test_token_needs_a_description(
    klarna: Sandbox, cart: Cart, monkeypatch: pytest.MonkeyPatch, description: str
) -> None:
    monkeypatch.setattr(TokenizingAdapter, "description", description)
    services.ensure_session(cart=cart)

    with pytest.raises(CartNotPayable, match=r"Define customer_token_description\(\) in the adapter"):
        services.prepare_attempt(cart=cart)

    assert not KlarnaAuthorization.objects.exists()

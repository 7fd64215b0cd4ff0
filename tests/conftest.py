from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Protocol

import hypothesis
import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox, SandboxServer, SandboxSession
from tests.shop.models import Cart, CartLine, Product

# For `.ci/run --long`.
hypothesis.settings.register_profile("long", max_examples=3000, deadline=None)

Operations = Callable[[], list[str]]


class MakeCart(Protocol):
    def __call__(self, *prices: str, quantity: int = 1, **fields: Any) -> Cart: ...


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def klarna(sandbox_server: SandboxServer, settings: Settings) -> Sandbox:
    """A fresh Klarna at the end of a real socket; stopped by a test, it comes back for the next one."""
    sandbox_server.start()
    sandbox_server.sandbox.reset()
    account = {
        "USERNAME": "K1",
        "PASSWORD": "secret-of-k1",
        "ENVIRONMENT": "sandbox",
        "BASE_URL": sandbox_server.url,
    }
    settings.KLARNA = {"default": account, "norway": {**account, "USERNAME": "K2"}}
    cache.clear()
    return sandbox_server.sandbox


def at_klarna(klarna: Sandbox, session: KlarnaSession) -> SandboxSession:
    """What Klarna holds for a session of ours."""
    assert session.session_id
    return klarna.sessions[session.session_id]


@pytest.fixture
def operations(klarna: Sandbox) -> Operations:
    """What Klarna was asked, oldest first, in one word each."""
    return lambda: [call.operation.partition("_")[0] for call in klarna.calls]


@pytest.fixture
def make_cart() -> MakeCart:
    def make(*prices: str, quantity: int = 1, **fields: Any) -> Cart:
        cart = Cart.objects.create(**fields)
        for number, price in enumerate(prices or ["199.00"]):
            product = Product.objects.create(name=f"Product {number}", price=Decimal(price))
            CartLine.objects.create(cart=cart, product=product, quantity=quantity)
        return cart

    return make


@pytest.fixture
def cart(make_cart: MakeCart) -> Cart:
    return make_cart()


@pytest.fixture
def shopper(client: Client, cart: Cart) -> Client:
    """A browser that holds the cart."""
    session = client.session
    session["cart_id"] = cart.pk
    session.save()
    return client

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.cache import cache

from django_klarna.sandbox import SandboxServer
from tests.shop.models import Cart, CartLine, Product


@pytest.fixture(scope="session")
def sandbox_server():
    with SandboxServer() as server:
        yield server


@pytest.fixture
def klarna(sandbox_server, settings):
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


@pytest.fixture
def operations(klarna) -> Callable[[], list[str]]:
    """What Klarna was asked, oldest first, in one word each."""
    return lambda: [call.operation.partition("_")[0] for call in klarna.calls]


@pytest.fixture
def make_cart():
    def make(*prices: str, quantity: int = 1, **fields) -> Cart:
        cart = Cart.objects.create(**fields)
        for number, price in enumerate(prices or ["199.00"]):
            product = Product.objects.create(name=f"Product {number}", price=Decimal(price))
            CartLine.objects.create(cart=cart, product=product, quantity=quantity)
        return cart

    return make


@pytest.fixture
def cart(make_cart):
    return make_cart()


@pytest.fixture
def shopper(client, cart):
    """A browser that holds the cart."""
    session = client.session
    session["cart_id"] = cart.pk
    session.save()
    return client

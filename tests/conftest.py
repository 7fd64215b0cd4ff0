from decimal import Decimal
from typing import Any, Protocol

import hypothesis
import pytest
from django.test import Client

from tests.sandboxes import klarna, operations, sandbox_server
from tests.shop.models import Cart, CartLine, Product

# Fixtures of this module too.
__all__ = ("klarna", "operations", "sandbox_server")

# For `.ci/run --long`, and for the matrix: what is found there is found by a Python or a Django, not by a cart.
hypothesis.settings.register_profile("long", max_examples=3000, deadline=None)
hypothesis.settings.register_profile("quick", max_examples=50, deadline=None)


class MakeCart(Protocol):
    def __call__(self, *prices: str, quantity: int = 1, **fields: Any) -> Cart: ...


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

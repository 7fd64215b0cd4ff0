"""The suite of the example's shop; run in its own project by test_good_adapters.py."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from django.apps import apps
from django.test import TestCase

from django_klarna.testing import CartAdapterTests, Change

Cart: Any = apps.get_model("shop", "Cart")
Product: Any = apps.get_model("shop", "Product")


class ExampleAdapterTests(CartAdapterTests, TestCase):
    products: ClassVar[list[Any]]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.products = [
            Product.objects.create(name="Mug", slug="mug", price=Decimal(249), tax_rate=25),
            Product.objects.create(name="Coffee", slug="coffee", price=Decimal("89.90"), tax_rate=12),
        ]

    def make_carts(self) -> Iterator[Any]:
        for pieces in (1, 3):
            cart = Cart.objects.create()
            for product in self.products * pieces:
                cart.add(product)
            yield cart

    def make_changes(self, cart: Any) -> Iterator[Change]:
        line = cart.items[0]
        yield Change("one more", lambda: cart.add(self.products[0]))
        yield Change("four", lambda: line.change(4))
        yield Change("none", lambda: line.change(0))

    def total_of(self, cart: Any) -> Decimal:
        return Decimal(cart.total)

"""Suites for adapters of the suite's shop."""

from collections.abc import Iterator
from decimal import Decimal

from django_klarna.testing import CartAdapterTests, Change
from tests.shop.models import Cart, CartLine, Product


def filled_cart(*prices: str, **fields: object) -> Cart:
    cart = Cart.objects.create(**fields)
    for number, price in enumerate(prices):
        product = Product.objects.create(name=f"Hat {number}", price=Decimal(price))
        CartLine.objects.create(cart=cart, product=product, quantity=number + 1)
    return cart


def set_quantity(line: CartLine, quantity: int) -> None:
    line.quantity = quantity
    line.save()


def set_country(cart: Cart, country: str, currency: str) -> None:
    cart.country, cart.currency = country, currency
    cart.save()


def set_shipping(cart: Cart, amount: int) -> None:
    cart.shipping = Decimal(amount)
    cart.save()


class SwedishSuite(CartAdapterTests):
    def make_carts(self) -> Iterator[Cart]:
        yield filled_cart("199.00", "0.99")

    def make_changes(self, cart: Cart) -> Iterator[Change]:
        line = cart.lines.order_by("pk")[0]
        yield Change("one more", lambda: set_quantity(line, line.quantity + 1))
        yield Change("express delivery", lambda: set_shipping(cart, 99))
        yield Change("one less", line.delete)
        yield Change("empty the cart", lambda: cart.lines.all().delete(), payable=False)

    def total_of(self, cart: Cart) -> Decimal:
        return cart.total


class NordicSuite(CartAdapterTests):
    def make_carts(self) -> Iterator[Cart]:
        yield filled_cart("12345.67")
        yield filled_cart("199.00", country="NO", currency="NOK")

    def make_changes(self, cart: Cart) -> list[Change]:
        line = cart.lines.get()
        return [
            Change("two more", lambda: set_quantity(line, line.quantity + 2)),
            Change("move", lambda: set_country(cart, "FI", "EUR")),
        ]

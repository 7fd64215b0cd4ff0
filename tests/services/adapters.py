"""Adapters of shops that do what shops do."""

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest

from django_klarna.api import Address, Session
from django_klarna.models import KlarnaOrder
from tests.services.purchases import Adapter
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, Order


class Moving(ShopCartAdapter):
    """Its shopper may move between the click and the order."""

    street = "Honest street 1"

    def authorize_data(self, cart: Cart) -> Session:
        return Session(billing_address=Address(street_address=Moving.street))


class Closing(ShopCartAdapter):
    """A cart that has been ordered is nobody's any more."""

    def cart_for(self, request: HttpRequest) -> Cart | None:
        cart = super().cart_for(request)
        return None if cart and Order.objects.filter(cart=cart).exists() else cart


class Renewing(Closing):
    """And the next one is there at once."""

    def cart_for(self, request: HttpRequest) -> Cart | None:
        return super().cart_for(request) or Cart.objects.create()


class Saving(Adapter):
    """Saves the order that it is given."""

    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        super().complete_purchase(cart, klarna_order)
        klarna_order.save()


class Racing(ShopCartAdapter):
    """While it makes its order, somebody else has a second to change the cart."""

    race: Callable[[], Any] | None = None
    sold: ClassVar[list[tuple[int, int]]] = []

    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        if Racing.race:
            somebody = threading.Thread(target=Racing.race)
            somebody.start()
            somebody.join(1)
        super().complete_purchase(cart, klarna_order)
        self.sold.append((int(cart.total * 100), klarna_order.order_amount))

"""The adapter of the design's example, letter for letter but for its types, and one that sells in several countries."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

from django_klarna.api import SessionCreate
from django_klarna.carts import CartAdapter
from django_klarna.lines import SessionBuilder
from tests.shop.models import Cart, CartLine, Order


class ShopCartAdapter(CartAdapter[Cart]):
    watches = {Cart: None, CartLine: "cart"}

    def cart_for(self, request: HttpRequest) -> Cart | None:
        return Cart.objects.for_request(request)

    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder("SE", "SEK", locale="sv-SE")
        for line in cart.lines.select_related("product"):
            session.add_item(
                line.product.name, quantity=line.quantity, price=line.product.price, tax_rate=Decimal(25)
            )
        session.add_shipping("Post", cart.shipping, tax_rate=Decimal(25))
        return session.build(total=cart.total)

    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        Order.objects.create_from_cart(cart, klarna_order_id=klarna_order.order_id)

    def confirmation_url(self, cart: Cart) -> str | Promise:
        return reverse("thanks")


class NordicAdapter(ShopCartAdapter):
    """Sells in the cart's own country; accounts are per country."""

    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder(cart.country, cart.currency)
        for line in cart.lines.order_by("pk").select_related("product"):
            session.add_item(
                line.product.name, quantity=line.quantity, price=line.product.price, tax_rate=Decimal(25)
            )
        return session.build(total=cart.total - cart.shipping)

    def account_for(self, cart: Cart) -> str:
        return {"NO": "norway"}.get(cart.country, "default")

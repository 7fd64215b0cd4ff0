"""The adapter of the suite's shop, for the carts of whichever shop a project has."""

from decimal import Decimal
from typing import cast

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from django_klarna.api import SessionCreate
from django_klarna.carts import CartAdapter
from django_klarna.lines import SessionBuilder
from django_klarna.models import KlarnaOrder
from tests.shop.abstract import AbstractCart

Cart = cast("type[AbstractCart]", apps.get_model(settings.KLARNA_CART_MODEL))
CartLine = apps.get_model(Cart._meta.app_label, "CartLine")


class AnyShopAdapter(CartAdapter[AbstractCart]):
    """Sells in the cart's own country."""

    watches = {Cart: None, CartLine: "cart"}

    def cart_for(self, request: HttpRequest) -> AbstractCart | None:
        return Cart._default_manager.filter(pk=request.session.get("cart_id")).first()

    def build_session(self, cart: AbstractCart) -> SessionCreate:
        session = SessionBuilder(cart.country, cart.currency)
        for line in cart.lines.order_by("pk").select_related("product"):
            session.add_item(
                line.product.name, quantity=line.quantity, price=line.product.price, tax_rate=Decimal(25)
            )
        session.add_shipping("Post", cart.shipping, tax_rate=Decimal(25))
        return session.build(total=cart.total)

    def complete_purchase(self, cart: AbstractCart, klarna_order: KlarnaOrder) -> None:
        cart.lines.all().delete()

    def confirmation_url(self, cart: AbstractCart) -> str:
        return reverse("thanks")

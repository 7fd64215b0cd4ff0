"""All that the shop writes to sell with Klarna."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from django_klarna.api import SessionCreate
from django_klarna.carts import CartAdapter
from django_klarna.lines import SessionBuilder
from example_project.shop.models import SHIPPING_TAX_RATE, Cart, CartLine


class ShopCartAdapter(CartAdapter[Cart]):
    """Describes a cart of the shop to Klarna: Sweden, in kronor, VAT included."""

    watches: ClassVar[Mapping[type[Model], str | None]] = {Cart: None, CartLine: "cart"}

    def cart_for(self, request: HttpRequest) -> Cart | None:
        """Find the cart of the browser."""
        return Cart.objects.for_request(request)

    def build_session(self, cart: Cart) -> SessionCreate:
        """Describe the goods and the delivery."""
        session = SessionBuilder("SE", "SEK", locale="sv-SE")
        for line in cart.items:
            session.add_item(
                line.product.name,
                quantity=line.quantity,
                price=line.product.price,
                tax_rate=line.product.tax_rate,
                reference=line.product.slug,
                product_url=urljoin(settings.KLARNA_BASE_URL, line.product.get_absolute_url()),
                image_url=urljoin(settings.KLARNA_BASE_URL, line.product.image_url),
            )
        if cart.shipping:
            session.add_shipping("PostNord", cart.shipping, tax_rate=SHIPPING_TAX_RATE)
        return session.build(total=cart.total)

    def confirmation_url(self, cart: Cart) -> str:
        """Give the page on which a purchase ends."""
        return reverse("thanks")

"""All that the shop writes to sell with Klarna."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Model
from django.dispatch import receiver
from django.http import HttpRequest

from django_klarna.api import Address, Session, SessionCreate
from django_klarna.carts import CartAdapter
from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.lines import SessionBuilder
from django_klarna.models import KlarnaOrder
from django_klarna.signals import order_placed, order_rejected
from example_project.shop.models import SHIPPING_TAX_RATE, Cart, CartLine, Order, Status, order_url

COUNTRY = "SE"


class ShopCartAdapter(CartAdapter[Cart]):
    """Describes a cart of the shop to Klarna: Sweden, in kronor, VAT included."""

    watches: ClassVar[Mapping[type[Model], str | None]] = {Cart: None, CartLine: "cart"}

    def cart_for(self, request: HttpRequest) -> Cart | None:
        """Find the cart of the browser; an ordered one too, so that a page which asks again hears of its order."""
        return Cart.objects.last_for(request)

    def build_session(self, cart: Cart) -> SessionCreate:
        """Describe the goods and the delivery; what was ordered once cannot be paid again."""
        if cart.is_ordered:
            raise CartNotPayable(
                [Violation(path="", rule="session_completed", expected="a cart", actual="ordered")]
            )
        session = SessionBuilder(COUNTRY, "SEK", locale="sv-SE")
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

    def authorize_data(self, cart: Cart) -> Session | None:
        """Say where the parcel goes, as it was typed; Klarna asks for the rest."""
        if not cart.address:
            return None
        address = Address(**cart.address, country=COUNTRY)
        return Session(billing_address=address, shipping_address=address)

    def merchant_reference(self, cart: Cart) -> str:
        """Give the number of the order to come."""
        return cart.order_number

    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        """Make the order; the browser's next cart is a new one."""
        status = Status.PENDING if klarna_order.is_pending else Status.PAID
        Order.objects.create_from_cart(cart, klarna_order_id=klarna_order.order_id or "", status=status)

    def confirmation_url(self, cart: Cart) -> str:
        """Give the page of the order to come."""
        return order_url(cart.order_number)


@receiver(order_placed)
def note_money(*, order: KlarnaOrder, **kwargs: Any) -> None:
    """Send what Klarna has accepted after all."""
    pending = Order.objects.filter(klarna_order_id=order.order_id, status=Status.PENDING)
    pending.update(status=Status.PAID)


@receiver(order_rejected)
def note_rejection(*, order: KlarnaOrder, **kwargs: Any) -> None:
    """Keep the parcel."""
    Order.objects.filter(klarna_order_id=order.order_id).update(status=Status.REJECTED)

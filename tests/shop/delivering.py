"""Adapters of shops that know where their shoppers live."""

from typing import Any, ClassVar

from django_klarna.api import Address, Customer, Session, SessionCreate
from django_klarna.lines import SessionBuilder
from django_klarna.models import KlarnaOrder
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart


class DeliveringAdapter(ShopCartAdapter):
    """Knows the address, as it was typed, and has numbers for its orders."""

    address = Address(
        given_name="Alice",
        family_name="Test",
        street_address="Södra Blasieholmshamnen 2",
        postal_code=" 111  48",
        city="Stockholm",
        country="SE",
        email="alice@shop.example",
    )

    def authorize_data(self, cart: Cart) -> Any:
        return Session(billing_address=self.address, shipping_address=self.address)

    def merchant_reference(self, cart: Cart) -> str | None:
        return f"N-{cart.pk}"


class CompanyAdapter(ShopCartAdapter):
    """Sells to companies."""

    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder("SE", "SEK", customer=Customer(type="organization"))
        for line in cart.lines.select_related("product"):
            session.add_item(line.product.name, quantity=line.quantity, price=line.product.price, tax_rate=25)
        return session.build(total=cart.total - cart.shipping)

    def authorize_data(self, cart: Cart) -> Any:
        return Session(customer=Customer(organization_registration_id="556737-0431"))


class WrongDataAdapter(ShopCartAdapter):
    """Says what it is told to."""

    data: object = None

    def authorize_data(self, cart: Cart) -> Any:
        return WrongDataAdapter.data


class TokenizingAdapter(DeliveringAdapter):
    """Sells what is paid for again and again."""

    intent = "buy_and_tokenize"
    description = "Coffee, each month"
    tokens: ClassVar[list[str]] = []

    def build_session(self, cart: Cart) -> SessionCreate:
        return super().build_session(cart).replace(intent=self.intent)

    def customer_token_description(self, cart: Cart) -> str:
        return self.description

    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        if klarna_order.order_id:
            super().complete_purchase(cart, klarna_order)
        self.tokens.append(klarna_order.customer_token)

"""Adapters that each break one promise."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from django_klarna import services
from django_klarna.api import Address, Attachment, Customer, MerchantUrls, Session, SessionCreate
from django_klarna.clients import client_for
from django_klarna.exceptions import KlarnaError
from django_klarna.lines import SessionBuilder
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine, Product

MIDNIGHT = datetime(2026, 11, 22, tzinfo=timezone.get_fixed_timezone(60))


def with_first_line(session: SessionCreate, **values: Any) -> SessionCreate:
    first, *others = session.order_lines
    return session.replace(order_lines=[first.replace(**values), *others])


class WrongSum(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        session = super().build_session(cart)
        return with_first_line(session.replace(order_amount=1), total_amount=5)


class ForgetfulOfShipping(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder("SE", "SEK")
        for line in cart.lines.order_by("pk").select_related("product"):
            name, price = line.product.name, line.product.price
            session.add_item(name, quantity=line.quantity, price=price, tax_rate=Decimal(25))
        return session.build(total=cart.total - cart.shipping)


class Counting(ShopCartAdapter):
    number = 0

    def build_session(self, cart: Cart) -> SessionCreate:
        self.number += 1
        return super().build_session(cart).replace(merchant_reference1=f"try {self.number}")


class OfAnotherLineEachTime(ShopCartAdapter):
    is_turned = False

    def build_session(self, cart: Cart) -> SessionCreate:
        session = super().build_session(cart)
        self.is_turned = not self.is_turned
        return session.replace(order_lines=session.order_lines[:: -1 if self.is_turned else 1])


class Translating(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        return with_first_line(super().build_session(cart), name=gettext("Yes"))


class Dating(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        date = timezone.localtime(MIDNIGHT).date()
        return super().build_session(cart).replace(merchant_reference1=f"ordered on {date}")


class RoundingSomehow(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        points = (cart.total / 8).quantize(Decimal(1))
        return super().build_session(cart).replace(merchant_data=f"{points} points")


class UnpayableWhenRoundedUp(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        session = super().build_session(cart)
        nothing = Decimal("0.1").quantize(Decimal(1))
        return session.replace(order_amount=session.order_amount + int(nothing))


class Addressed(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        customer = Customer(type="person", date_of_birth="1980-01-01")
        session = super().build_session(cart)
        return session.replace(billing_address=Address(given_name="Åsa"), customer=customer)


class Talkative(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        body = '{"customer": "\\u00c5sa", "since": 2020}'
        attachment = Attachment(body=body, content_type="application/vnd.klarna.internal.emd-v2+json")
        session = super().build_session(cart).replace(attachment=attachment)
        return with_first_line(session, name="A hat for BERG", reference="Bergen")

    def confirmation_url(self, cart: Cart) -> str:
        return "/thanks/?for=asa%40shop.example"


class Impatient(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        urls = MerchantUrls(confirmation="https://shop.example/thanks/")
        return super().build_session(cart).replace(merchant_urls=urls)


class Writing(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        Product.objects.get_or_create(name="Package", price=Decimal(0))
        return super().build_session(cart)


class OfUnknownAccount(ShopCartAdapter):
    def account_for(self, cart: Cart) -> str:
        return "denmark"


class WithoutSlash(ShopCartAdapter):
    def confirmation_url(self, cart: Cart) -> str:
        return "thanks/"


class WithoutScheme(ShopCartAdapter):
    def confirmation_url(self, cart: Cart) -> str:
        return "//shop.example/thanks/"


class Remembering(ShopCartAdapter):
    memory: dict[object, SessionCreate] = {}

    def build_session(self, cart: Cart) -> SessionCreate:
        return self.memory.setdefault(cart.pk, super().build_session(cart))


class WatchingLines(ShopCartAdapter):
    watches = {CartLine: "cart"}


class WatchingTheCart(ShopCartAdapter):
    watches = {Cart: None}


class AccountOfTheLanguage(ShopCartAdapter):
    def account_for(self, cart: Cart) -> str:
        return gettext("Yes")


class Knowing(ShopCartAdapter):
    """Tells what is right, and puts the cart away."""

    def authorize_data(self, cart: Cart) -> Session | None:
        address = Address(given_name="Åsa", family_name="Berg", postal_code="111 48", country="SE")
        return Session(billing_address=address, customer=Customer(date_of_birth="1980-01-01"))

    def merchant_reference(self, cart: Cart) -> str | None:
        return f"S{cart.pk:07}"

    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        super().complete_purchase(cart, klarna_order)
        cart.lines.all().delete()


class WithBrokenAddress(Knowing):
    def authorize_data(self, cart: Cart) -> Session | None:
        return Session(billing_address=Address(postal_code="1" * 11, country="Sweden"), locale="sv-SE")


class SellingToACompany(Knowing):
    def authorize_data(self, cart: Cart) -> Session | None:
        return Session(customer=Customer(type="organization"), locale="sv-SE")


class TellingTheTime(Knowing):
    def authorize_data(self, cart: Cart) -> Session | None:
        local = timezone.localtime(MIDNIGHT).date()
        return Session(customer=Customer(date_of_birth=f"{local}"))


class NotingTheClick(Knowing):
    def authorize_data(self, cart: Cart) -> Session | None:
        Product.objects.get_or_create(name="Package", price=Decimal(0))
        return None


class TooTalkative(Knowing):
    def build_session(self, cart: Cart) -> SessionCreate:
        return with_first_line(super().build_session(cart), name="A hat for berg")


class WithoutDescription(Knowing):
    def build_session(self, cart: Cart) -> SessionCreate:
        return super().build_session(cart).replace(intent="buy_and_tokenize")


class OfLongNumbers(Knowing):
    def merchant_reference(self, cart: Cart) -> str | None:
        return "7" * 256


class OfWholeNumbers(Knowing):
    def merchant_reference(self, cart: Cart) -> Any:
        return cart.pk


class OfNewNumbers(Knowing):
    number = 0

    def merchant_reference(self, cart: Cart) -> str | None:
        self.number += 1
        return f"S{self.number}"


class Failing(Knowing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        super().complete_purchase(cart, klarna_order)
        raise LookupError("the shop has lost its way")


class FailingWhenPending(Failing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        if klarna_order.is_pending:
            super().complete_purchase(cart, klarna_order)
        else:
            Knowing().complete_purchase(cart, klarna_order)


class DoingNothing(Knowing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        pass


class AskingUs(Knowing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        super().complete_purchase(cart, klarna_order)
        services.ensure_session(cart=cart)


class AskingKlarna(Knowing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        super().complete_purchase(cart, klarna_order)
        with suppress(KlarnaError):
            client_for("default").order_management.get_order(klarna_order.order_id, timeout=1)


class Closing(Knowing):
    """The lines stay; the cart says that it is closed."""

    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        ShopCartAdapter().complete_purchase(cart, klarna_order)
        cart.country = "XX"
        cart.save()


class Deleting(Knowing):
    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        Product.objects.create(name=str(klarna_order.order_id), price=cart.total)
        cart.delete()


class Tokenizing(Knowing):
    def build_session(self, cart: Cart) -> SessionCreate:
        return super().build_session(cart).replace(intent="tokenize")

    def customer_token_description(self, cart: Cart) -> str:
        return "A hat each month"

    def complete_purchase(self, cart: Cart, klarna_order: Any) -> None:
        if klarna_order.order_id is not None:
            raise ValueError("there is no order")
        Product.objects.create(name=klarna_order.customer_token[:200], price=cart.total)
        cart.lines.all().delete()

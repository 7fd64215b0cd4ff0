"""What is wrong with a cart is said in the same words to the page, to staff and in the log."""

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import SessionCreate
from django_klarna.exceptions import STATES, CartNotPayable
from django_klarna.lines import SessionBuilder
from django_klarna.sandbox import Sandbox
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = (
    "order_amount: expected 248.00\u00a0SEK, found 199.00\u00a0SEK (rule total)."
    " 49.00\u00a0SEK of the cart's total is in no row."
)


class ForgetfulAdapter(ShopCartAdapter):
    """Forgets the shipping, which the cart's total has."""

    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder("SE", "SEK")
        for line in cart.lines.select_related("product"):
            session.add_item("a", quantity=line.quantity, price=line.product.price, tax_rate=25)
        return session.build(total=cart.total)


def test_a_sum_that_is_missing(
    klarna: Sandbox,
    shopper: Client,
    admin_client: Client,
    cart: Cart,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = services.ensure_session(cart=cart)
    settings.KLARNA_CART_ADAPTER = f"{__name__}.ForgetfulAdapter"

    answer = shopper.post("/klarna/session/", {}, content_type="application/json")
    with pytest.raises(CartNotPayable) as refused:
        services.sync_session(session.pk)

    [reason] = answer.json()["reasons"]
    assert (answer.status_code, reason["path"], reason["rule"]) == (409, "/order_amount", "total")
    session.refresh_from_db()
    page = admin_client.get(f"/admin/django_klarna/klarnasession/{session.pk}/change/")
    assert [reason["message"], str(refused.value), session.error_message] == [TEXT] * 3
    assert TEXT.replace("'", "&#x27;") in page.text
    logged = [record for record in caplog.records if record.name == "django_klarna"]
    assert [record.levelno for record in logged] == [logging.WARNING] * 2
    assert all(TEXT in record.getMessage() for record in logged)


def test_an_empty_cart_is_no_mistake(
    klarna: Sandbox, shopper: Client, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    session = services.ensure_session(cart=cart)
    cart.shipping = 0
    cart.save()
    CartLine.objects.all().delete()
    caplog.set_level(logging.INFO, "django_klarna")
    shopper.post("/klarna/session/", {}, content_type="application/json")

    with pytest.raises(CartNotPayable) as refused:
        services.sync_session(session.pk)

    assert {violation.rule for violation in refused.value.violations} <= STATES
    logged = [record for record in caplog.records if "nothing to pay" in record.getMessage()]
    assert [record.levelno for record in logged] == [logging.INFO] * 2

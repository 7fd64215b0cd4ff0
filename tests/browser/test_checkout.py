"""From the catalogue to Klarna's widget, as a shopper goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.ledger import Ledger
    from tests.browser.sandbox import RemoteSandbox
    from tests.browser.shopper import Shopper
    from tests.browser.troubles import Troubles

MUG = "Stoneware mug Mossa"


@pytest.mark.usefixtures("content_security_policy")
def test_from_the_catalogue_to_the_thank_you_page(
    shopper: Shopper, klarna: RemoteSandbox, ledger: Ledger
) -> None:
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees_widget("298,00 kr")
    with shopper.hears("klarna:authorized") as authorized, shopper.hears("klarna:placed") as placed:
        shopper.pays("298,00 kr", decision="Approve")
    number = shopper.ends_at_the_thank_you_page("298,00 kr")
    (order,) = klarna.orders
    assert authorized["payment_method_category"] == "klarna"
    assert authorized["authorization_token"] == order["authorization_token"]
    assert authorized["attempt"] == order["body"]["merchant_reference2"]
    assert placed["state"] == "placed"
    assert order["body"]["merchant_reference1"] == number
    assert order["body"]["order_amount"] == 29800
    newest = ledger.newest
    assert (newest["number"], newest["status"]) == (number, "paid")
    assert newest["klarna_order_id"] == order["order_id"]


def test_changed_cart_is_in_the_widget_and_at_klarna(shopper: Shopper, klarna: RemoteSandbox) -> None:
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees_widget("298,00 kr")
    with shopper.stays():
        shopper.takes_one_more(MUG)
        shopper.sees_widget("547,00 kr")
    assert klarna.order_amounts == [29800, 54700]
    with shopper.hears("klarna:authorized"):
        shopper.pays("547,00 kr", decision="Approve")


def test_typed_quantity_is_one_change_and_the_next_click_pays(
    shopper: Shopper, klarna: RemoteSandbox
) -> None:
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees_widget("298,00 kr")
    with shopper.stays():
        shopper.types_quantity(MUG, 3)
        shopper.sees_widget("747,00 kr")
        with shopper.hears("klarna:authorized"):
            shopper.pays("747,00 kr", decision="Approve")
    assert len(shopper.changes) == 1
    assert klarna.order_amounts == [29800, 74700]


def test_shop_goes_on_without_klarna_and_the_widget_comes_back_by_itself(
    shopper: Shopper, klarna: RemoteSandbox, troubles: Troubles
) -> None:
    klarna.fail(status=503, count=1000)
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees("Klarna is not available now.")
    shopper.cannot_pay()
    with shopper.stays():
        with shopper.hears("klarna:error"):
            shopper.takes_one_more(MUG)
            shopper.sees_total("547,00 kr")
        klarna.heal()
        shopper.sees_widget("547,00 kr")
    assert {trouble.partition(" http")[0] for trouble in troubles} == {"503: POST"}
    troubles.clear()

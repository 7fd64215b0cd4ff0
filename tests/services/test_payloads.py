"""What Klarna is told about a cart, and what it must not be told yet."""

import pytest

from django_klarna.api import Address, Customer, MerchantUrls, OrderLine, SessionCreate
from django_klarna.exceptions import CartNotPayable
from django_klarna.services.payloads import Payload, build_payload, refuse_unpayable

LINE = OrderLine(name="a", quantity=1, unit_price=100, total_amount=100)


def session(**changes):
    fields = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_amount": 100,
        "order_tax_amount": 0,
        "order_lines": [LINE],
    }
    return SessionCreate(**{**fields, **changes})


def test_the_digest_is_of_the_content_and_not_of_its_order():
    backwards = SessionCreate(**{**dict(reversed(session().to_dict().items())), "order_lines": [LINE]})

    assert Payload(session(), "default").digest == Payload(backwards, "default").digest
    assert Payload(session(), "default").digest != Payload(session(merchant_data="x"), "default").digest


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"billing_address": Address(city="Stockholm")}, "/billing_address"),
        ({"shipping_address": Address(city="Stockholm")}, "/shipping_address"),
        ({"customer": Customer(date_of_birth="1970-01-01")}, "/customer/date_of_birth"),
        ({"merchant_urls": MerchantUrls(push="https://shop.example/push")}, "/merchant_urls"),
    ],
)
def test_what_klarna_must_not_be_told_before_the_shopper_authorized(changes, path):
    with pytest.raises(CartNotPayable) as refused:
        refuse_unpayable(session(**changes))

    assert [violation.path for violation in refused.value.violations] == [path]
    assert "Stockholm" not in str(refused.value)


def test_a_company_may_be_said_to_be_one():
    refuse_unpayable(session(customer=Customer(type="organization")))


def test_everything_that_is_wrong_is_told_at_once():
    with pytest.raises(CartNotPayable) as refused:
        refuse_unpayable(session(order_amount=99, billing_address=Address(city="x")))

    assert [violation.rule for violation in refused.value.violations] == ["order_amount", "personal_data"]


@pytest.mark.django_db
def test_the_same_cart_gives_the_same_payload(klarna, cart):
    first, second = build_payload(cart.pk), build_payload(cart.pk)

    assert first.digest == second.digest
    assert first.content == second.content

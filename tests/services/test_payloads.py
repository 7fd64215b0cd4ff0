"""What Klarna is told about a cart, and what it must not be told yet."""

import json
import re
import threading
from typing import Any

import pytest
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from pytest_django import Settings

from django_klarna.api import Address, Attachment, Customer, MerchantUrls, OrderLine, SessionCreate
from django_klarna.exceptions import CartNotPayable
from django_klarna.lines import SessionBuilder
from django_klarna.sandbox import Sandbox
from django_klarna.services.payloads import Payload, build_payload, payable
from django_klarna.services.transactions import snapshot
from tests.services.threads import in_thread
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine

URLS = MerchantUrls(confirmation="https://shop.example/thanks/")
LINE = OrderLine(name="a", quantity=1, unit_price=100, total_amount=100)


def session(**changes: Any) -> SessionCreate:
    fields: dict[str, Any] = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_amount": 100,
        "order_tax_amount": 0,
        "order_lines": [LINE],
    }
    return SessionCreate(**{**fields, **changes})


def test_the_digest_is_of_the_content_and_not_of_its_order() -> None:
    backwards = SessionCreate(**{**dict(reversed(session().to_dict().items())), "order_lines": [LINE]})

    assert Payload(session(), "default").digest == Payload(backwards, "default").digest
    assert Payload(session(), "default").digest != Payload(session(merchant_data="x"), "default").digest


def test_what_was_hashed_is_what_is_sent() -> None:
    hashed = session(order_lines=[LINE.replace(type="physical")])
    plain = hashed.to_json()

    assert hashed.canonical() is hashed.canonical()
    assert hashed.to_json() == hashed.to_session().to_json() == hashed.canonical()
    assert plain != hashed.canonical()
    assert json.loads(plain) == json.loads(hashed.canonical()) == hashed.to_dict()


def test_a_market_may_allow_personal_data_which_no_row_keeps(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"SE": {"personal_data": True}}
    told = session(
        billing_address=Address(city="Stockholm"),
        shipping_address=Address(city="Uppsala"),
        customer=Customer(type="person", date_of_birth="1970-01-01"),
    )

    payload = Payload(payable(told, URLS), "default")

    assert payload.content["billing_address"] == {"city": "Stockholm"}
    assert not re.search("Stockholm|Uppsala|1970", json.dumps(payload.stored))
    assert payload.stored.keys() == payload.content.keys() - {"merchant_urls"}
    assert Payload(session(customer=Customer(type="person")), "default").stored["customer"] == {
        "type": "person"
    }


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"billing_address": Address(city="Stockholm")}, "/billing_address"),
        ({"shipping_address": Address(city="Stockholm")}, "/shipping_address"),
        ({"customer": Customer(date_of_birth="1970-01-01")}, "/customer/date_of_birth"),
        ({"merchant_urls": MerchantUrls(push="https://shop.example/push")}, "/merchant_urls"),
    ],
)
def test_what_klarna_must_not_be_told_before_the_shopper_authorized(
    changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(CartNotPayable) as refused:
        payable(session(**changes), URLS)

    assert [violation.path for violation in refused.value.violations] == [path]
    assert "Stockholm" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"order_lines": [{"name": "a"}]}, "/order_lines/0"),
        ({"order_lines": None}, "/order_lines"),
        ({"customer": {"type": "person"}}, "/customer"),
        ({"order_amount": "100"}, "/order_amount"),
    ],
)
def test_a_session_built_by_hand_with_wrong_types_is_explained(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(CartNotPayable) as refused:
        payable(session(**changes), URLS)

    assert [violation.path for violation in refused.value.violations] == [path]


class ForgetfulAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> None:  # type: ignore[override]
        super().build_session(cart)


@pytest.mark.django_db
def test_an_adapter_that_forgets_to_return(cart: Cart, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_payloads.ForgetfulAdapter"

    with pytest.raises(TypeError, match=r"ForgetfulAdapter\.build_session"):
        build_payload(cart.pk)


def test_a_company_may_be_said_to_be_one() -> None:
    assert payable(session(customer=Customer(type="organization")), URLS).merchant_urls == URLS


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(CartNotPayable) as refused:
        payable(session(order_amount=99, billing_address=Address(city="x")), URLS)

    assert [violation.rule for violation in refused.value.violations] == ["order_amount", "personal_data"]


def test_free_data_of_the_shop_is_sent_but_only_its_hash_is_kept() -> None:
    personal = session(
        merchant_data="alice@example.com",
        attachment=Attachment(content_type="application/json", body="alice@example.com"),
        order_lines=[LINE.replace(merchant_data="alice@example.com")],
    )
    payload = Payload(personal, "default")

    assert str(payload.content).count("alice@example.com") == 3
    assert "alice" not in str(payload.stored)
    assert Payload(personal.replace(merchant_data="bob"), "default").stored != payload.stored


def test_a_url_of_ours_that_klarna_would_refuse_is_named() -> None:
    with pytest.raises(CartNotPayable, match="merchant_urls/confirmation"):
        payable(session(), MerchantUrls(confirmation="https://shop.example/" + "x" * 2000))


class NowhereAdapter(ShopCartAdapter):
    def confirmation_url(self, cart: Cart) -> None:  # type: ignore[override]
        return None


@pytest.mark.django_db
def test_an_adapter_must_say_where_the_purchase_ends(cart: Cart, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_payloads.NowhereAdapter"

    with pytest.raises(TypeError, match="confirmation_url"):
        build_payload(cart.pk)


class LazyAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        session = SessionBuilder("SE", "SEK")
        name = gettext_lazy("Gift wrapping")
        session.add_item(name, quantity=1, price=1, tax_rate=25)
        return session.build(total=1)

    def confirmation_url(self, cart: Cart) -> Promise:
        return reverse_lazy("thanks")


@pytest.mark.django_db
def test_lazy_texts_and_urls_are_as_good_as_others(cart: Cart, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_payloads.LazyAdapter"

    payload = build_payload(cart.pk)

    assert payload.session.order_lines[0].name == "Gift wrapping"
    assert payload.session.merchant_urls == MerchantUrls(confirmation="https://shop.example/thanks/")


@pytest.mark.django_db(transaction=True)
def test_cart_and_lines_are_seen_at_one_moment(cart: Cart) -> None:
    """Another connection commits between two reads; on SQLite it has to wait, elsewhere we must not see it."""
    change = threading.Thread(target=in_thread(lambda: CartLine.objects.update(quantity=7)))
    with snapshot():
        Cart.objects.get()
        change.start()
        change.join(0.5)
        assert CartLine.objects.get().quantity == 1
    change.join()
    assert CartLine.objects.get().quantity == 7


@pytest.mark.django_db
def test_the_same_cart_gives_the_same_payload(klarna: Sandbox, cart: Cart) -> None:
    first, second = build_payload(cart.pk), build_payload(cart.pk)

    assert first.digest == second.digest
    assert first.content == second.content

"""The integration of the README, as written: from the page to the session and back."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.sandboxes import Operations, at_klarna
from tests.shop.models import Cart, CartLine

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cart_becomes_a_session_and_stays_equal(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    browser = Client(enforce_csrf_checks=True)
    session = browser.session
    session["cart_id"] = cart.pk
    session.save()

    page = browser.get("/checkout/").text
    assert operations() == [], "rendering never calls Klarna"
    (text,) = re.findall(r'<script[^>]* type="application/json">(.+?)</script>', page)
    config = json.loads(text)
    assert "data-klarna-widget" in page
    assert "data-klarna-authorize" in page
    assert re.search(r'<script [^>]*src="[^"]+/kp/lib/v1/api.js"', page)

    def ask() -> Any:
        return browser.post(
            config["session_url"],
            "{}",
            content_type="application/json",
            headers={config["csrf_header"]: config["csrf_token"]},
        ).json()

    first = ask()
    row = KlarnaSession.objects.get()
    known = at_klarna(klarna, row).content
    assert first["client_token"] not in page
    assert [(line["type"], line["name"], line["total_amount"]) for line in known["order_lines"]] == [
        ("physical", "Product 0", 19900),
        ("shipping_fee", "Post", 4900),
    ]
    assert known["order_amount"] == first["order_amount"] == 24800
    assert known["order_tax_amount"] == 3980 + 980
    assert known["merchant_urls"]["confirmation"] == "https://shop.example/thanks/"

    line = CartLine.objects.get()
    line.quantity = 2
    line.save()
    assert at_klarna(klarna, row).content["order_amount"] == 44700
    assert ask()["order_amount"] == 44700
    assert operations() == ["create", "update", "read"]


def test_our_urls_are_sent_but_never_kept(klarna: Sandbox, shopper: Client) -> None:
    shopper.post("/klarna/session/", "{}", content_type="application/json")

    row = KlarnaSession.objects.get()
    assert isinstance(klarna.calls[0].body, dict)
    assert "merchant_urls" in klarna.calls[0].body
    assert "merchant_urls" not in row.payload
    assert "shop.example" not in json.dumps(row.payload)

"""What of an order has to be as it was authorized."""

from copy import deepcopy
from typing import Any

import pytest

from tests.sandbox.conftest import Client, refusal

BILLING = {"given_name": "Alice", "postal_code": "11148", "country": "SE"}
SHIPPING = {"given_name": "Bob", "postal_code": "10178", "country": "DE"}
CUSTOMER = {"date_of_birth": "1970-07-10"}
Body = dict[str, Any]


def differing(client: Client, cart: Body, data: Body, sent: Body) -> list[str]:
    """What Klarna names, when a cart was authorized with some data and an order is sent with other data."""
    token = client.token(client.created(cart)["session_id"], data)
    response = client.place(token, cart | sent)
    if response.status == 200:
        return []
    status, code, message = refusal(response)
    assert (status, code) == (409, "BAD_VALUE")
    assert message.startswith("Not matching fields: [")
    return message.removeprefix("Not matching fields: [").removesuffix("]").split(", ")


@pytest.mark.parametrize(
    ("data", "sent", "fields"),
    [
        # Who was never named may be named now.
        ({}, {"billing_address": BILLING, "shipping_address": SHIPPING, "customer": CUSTOMER}, []),
        ({"shipping_address": SHIPPING}, {"billing_address": BILLING, "shipping_address": SHIPPING}, []),
        # Whoever was has to be the same.
        ({"billing_address": BILLING}, {"billing_address": BILLING}, []),
        (
            {"billing_address": BILLING},
            {"billing_address": BILLING | {"postal_code": "111 48"}},
            ["billing_address.postal_code"],
        ),
        (
            {"billing_address": BILLING},
            {"billing_address": BILLING | {"organization_name": "Mugs"}},
            ["billing_address.organization_name"],
        ),
        ({"billing_address": BILLING}, {"billing_address": BILLING | {"region": ""}}, []),
        ({"billing_address": BILLING | {"region": ""}}, {"billing_address": BILLING}, []),
        ({"customer": CUSTOMER}, {}, ["customer.date_of_birth"]),
        ({"customer": CUSTOMER}, {"customer": CUSTOMER | {"type": "person"}}, []),
        (
            {"billing_address": BILLING},
            {},
            ["billing_address.country", "billing_address.given_name", "billing_address.postal_code"],
        ),
        # Without a shipping address the billing address is one.
        ({"billing_address": BILLING}, {"billing_address": BILLING, "shipping_address": BILLING}, []),
        (
            {"billing_address": BILLING, "shipping_address": BILLING},
            {"billing_address": BILLING},
            [],
        ),
        (
            {"billing_address": BILLING},
            {"billing_address": BILLING, "shipping_address": BILLING | {"city": "Stockholm"}},
            ["shipping_address.city"],
        ),
        (
            {"billing_address": BILLING, "shipping_address": BILLING | {"city": "Stockholm"}},
            {"billing_address": BILLING},
            ["shipping_address.city"],
        ),
    ],
)
def test_people(client: Client, cart: Body, data: Body, sent: Body, fields: list[str]) -> None:
    assert differing(client, cart, data, sent) == fields


def test_lines_are_compared_in_their_order(client: Client, cart: Body) -> None:
    assert "order_lines[0].name" in differing(client, cart, {}, {"order_lines": cart["order_lines"][::-1]})


def test_number_of_lines(client: Client, cart: Body) -> None:
    changes = {"order_lines": cart["order_lines"][:1], "order_amount": 20000, "order_tax_amount": 4000}
    assert differing(client, cart, {}, changes) == [
        "order_amount",
        "order_tax_amount",
        "Incorrect number of items in the cart. Expected: 2",
        "Actual: 1",
    ]


def test_every_field_of_a_line_counts_and_an_absent_one_is_the_default(client: Client, cart: Body) -> None:
    lines = deepcopy(cart["order_lines"])
    lines[0] |= {"type": "physical", "total_discount_amount": 0}
    assert differing(client, cart, {}, {"order_lines": lines}) == []
    lines[0]["product_url"] = "https://shop.example/mug"
    assert differing(client, cart, {}, {"order_lines": lines}) == ["order_lines[0].product_url"]


@pytest.mark.parametrize("explicit_first", [True, False])
def test_no_tax_is_a_tax_of_nothing(client: Client, explicit_first: bool) -> None:
    place = {"purchase_country": "SE", "purchase_currency": "SEK"}
    line = {"name": "Book", "quantity": 1, "unit_price": 5000, "total_amount": 5000}
    zeros = {"type": "physical", "tax_rate": 0, "total_discount_amount": 0, "total_tax_amount": 0}
    short = {**place, "order_amount": 5000, "order_lines": [line]}
    explicit = {**place, "order_amount": 5000, "order_tax_amount": 0, "order_lines": [line | zeros]}
    first, second = (explicit, short) if explicit_first else (short, explicit)
    token = client.token(client.created(first)["session_id"])
    assert client.place(token, second).status == 200


def test_place(client: Client, cart: Body) -> None:
    assert differing(client, cart, {}, {"purchase_country": "se", "purchase_currency": "sek"}) == []
    norway = {"purchase_country": "NO", "purchase_currency": "NOK"}
    assert differing(client, cart, {}, norway) == ["purchase_country", "purchase_currency"]


def test_references_urls_and_locale_are_free(client: Client, cart: Body) -> None:
    free = {"merchant_reference1": "1", "merchant_data": "x", "locale": "sv-SE", "auto_capture": True}
    assert differing(client, cart, {}, free) == []

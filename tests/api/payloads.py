"""What the tests of the client send and get."""

import json
from pathlib import Path

import django_klarna
from django_klarna.api import Address, OrderLine, SessionCreate

CONTRACT = json.loads(
    Path(django_klarna.__file__).with_name("sandbox").joinpath("klarna-payments-v1.openapi.json").read_bytes()
)
CREATED = {"session_id": "0b1d9815", "client_token": "planted-client-token", "payment_method_categories": []}


def order_line(**changes: object) -> OrderLine:
    line = OrderLine(name="Shoe", quantity=2, unit_price=1000, tax_rate=2500, total_amount=2000)
    return line.replace(**changes)


def session_create(**changes: object) -> SessionCreate:
    session = SessionCreate(
        purchase_country="SE",
        purchase_currency="SEK",
        locale="sv-SE",
        order_amount=2000,
        order_lines=[order_line()],
        billing_address=Address(given_name="planted-name", email="planted@example.com"),
    )
    return session.replace(**changes)

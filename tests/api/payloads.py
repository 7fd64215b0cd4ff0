"""What the tests of the client send and get."""

import json
from pathlib import Path

import django_klarna
from django_klarna.api import Address, OrderLine, SessionCreate

CONTRACT = json.loads(
    Path(django_klarna.__file__).with_name("sandbox").joinpath("klarna-payments-v1.openapi.json").read_bytes()
)
CREATED = {"session_id": "0b1d9815", "client_token": "planted-client-token", "payment_method_categories": []}

ORDER = {
    "order_id": "o-1",
    "redirect_url": "https://payments.klarna.example/planted-redirect",
    "fraud_status": "ACCEPTED",
    "authorized_payment_method": {"type": "invoice", "number_of_days": 14},
}
TOKEN = {"token_id": "planted-customer-token"}
TOKEN_REQUEST = {
    "description": "Coffee, each month",
    "intended_use": "SUBSCRIPTION",
    "locale": "sv-SE",
    "purchase_country": "SE",
    "purchase_currency": "SEK",
}
MANAGED_ORDER = {
    "order_id": "o-1",
    "status": "AUTHORIZED",
    "fraud_status": "ACCEPTED",
    "order_amount": 2000,
    "original_order_amount": 2000,
    "captured_amount": 0,
    "refunded_amount": 0,
    "remaining_authorized_amount": 2000,
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "merchant_reference1": "1001",
    "merchant_reference2": "key",
    "merchant_data": "planted-data",
    "klarna_reference": "K4MADNY",
    "created_at": "2026-11-22T10:00:00Z",
    "expires_at": "2026-12-20T10:00:00Z",
    "billing_address": {"email": "planted-email"},
    "captures": [],
}


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

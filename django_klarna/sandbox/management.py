"""The one call of Klarna's Order Management API that there is: reading an order.

Source: https://docs.klarna.com/payments/after-payments/order-management/manage-orders-with-the-api/
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.clock import iso
from django_klarna.sandbox.markets import DEFAULT_LOCALE
from django_klarna.sandbox.orders import SandboxOrder

# The usual one; what an account has is agreed with Klarna.
LIFETIME: Final = timedelta(days=28)
UUID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SHOWN: Final = (
    "purchase_country",
    "purchase_currency",
    "order_amount",
    "order_lines",
    "billing_address",
    "shipping_address",
    "merchant_reference1",
    "merchant_reference2",
    "merchant_data",
)


def owned_order(orders: Mapping[str, SandboxOrder], owner: str, order_id: str) -> SandboxOrder:
    """Return an order of these credentials.

    Raises:
        RefusedError: there is none of this id that is theirs, or it is no id.

    """
    if not UUID.fullmatch(order_id):
        raise answers.RefusedError(answers.error(400, "INVALID_ORDER_ID", "Invalid order id"))
    order = orders.get(order_id.lower())
    if order is None or order.owner != owner:
        raise answers.RefusedError(answers.error(404, "NO_SUCH_ORDER", "No such order"))
    return order


def order_read(order: SandboxOrder) -> dict[str, Any]:
    """Return what Klarna answers to the read of an order from which nothing was captured."""
    amount = order.body["order_amount"]
    return {
        **{name: order.body[name] for name in SHOWN if name in order.body},
        "order_id": order.order_id,
        "klarna_reference": order.order_id.partition("-")[0].upper(),
        "status": order.status,
        "fraud_status": order.fraud_status,
        "original_order_amount": amount,
        "remaining_authorized_amount": amount,
        "captured_amount": 0,
        "refunded_amount": 0,
        "captures": [],
        "refunds": [],
        "locale": order.body.get("locale", DEFAULT_LOCALE),
        "created_at": iso(order.created_at),
        "expires_at": iso(order.created_at + LIFETIME),
    }

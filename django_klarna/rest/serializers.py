"""What the session endpoint takes and gives."""

from typing import Any

from rest_framework import serializers

from django_klarna.models import KlarnaSession
from django_klarna.services.payloads import Payload


class EnsureSerializer(serializers.Serializer[Any]):
    """The body of a POST; may be empty."""

    recheck = serializers.BooleanField(
        default=False,
        help_text="Read the session at Klarna once: Klarna.Payments.load() failed with its token.",
    )


def warm(session: KlarnaSession) -> dict[str, Any]:
    """Give the answer for a session that equals its cart; amounts are minor units."""
    return {
        "state": session.state,
        "client_token": session.client_token,
        "payment_method_categories": session.payment_method_categories,
        "order_amount": session.order_amount,
        "purchase_currency": session.purchase_currency,
        "locale": session.locale,
        "expires_at": session.expires_at,
    }


def stale(payload: Payload) -> dict[str, Any]:
    """Give the answer for a cart whose session must be ensured first: its own amount, and no token."""
    return {
        "state": "stale",
        "client_token": None,
        "payment_method_categories": [],
        "order_amount": payload.session.order_amount,
        "purchase_currency": payload.session.purchase_currency,
        "locale": payload.session.locale,
        "expires_at": None,
    }

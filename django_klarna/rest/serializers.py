"""What the session endpoint takes and gives."""

import json
from typing import Any

from rest_framework import serializers

from django_klarna.api import is_authorization_token
from django_klarna.models import KlarnaAuthorization, KlarnaSession, State
from django_klarna.services.columns import Token
from django_klarna.services.payloads import Payload


class EnsureSerializer(serializers.Serializer[Any]):
    """The body of a POST; may be empty."""

    recheck = serializers.BooleanField(
        default=False,
        help_text="Read the session at Klarna once: Klarna.Payments.load() failed with its token.",
    )


class AuthorizationSerializer(serializers.Serializer[Any]):
    """What a browser tells of an authorization; empty, what was told before is gone on with."""

    attempt = serializers.CharField(default="", max_length=32, help_text="The id that POST attempt/ gave.")
    authorization_token = serializers.CharField(
        default="",
        max_length=255,
        help_text="The token that Klarna.Payments.authorize() gave.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse one without the other, and a token that can be none."""
        if bool(attrs["attempt"]) != bool(attrs["authorization_token"]):
            raise serializers.ValidationError("attempt and authorization_token go together.")
        if attrs["attempt"] and not is_authorization_token(attrs["authorization_token"]):
            raise serializers.ValidationError("authorization_token is none.")
        return attrs


def told_in(data: object) -> tuple[str, Token]:
    """Give the attempt and its token, both empty when nothing is told; no frame of what follows shows the token."""
    body = AuthorizationSerializer(data=data)
    body.is_valid(raise_exception=True)
    return body.validated_data["attempt"], Token(body.validated_data["authorization_token"])


def prepared(attempt: KlarnaAuthorization) -> dict[str, Any]:
    """Give the answer with what ``authorize()`` is to be called with."""
    return {"attempt": attempt.key, "data": json.loads(attempt.data)}


def warm(session: KlarnaSession) -> dict[str, Any]:
    """Give the answer for a session that equals its cart, in minor units; only an open one has a token to show."""
    is_open = session.state == State.OPEN
    return {
        "state": session.state,
        "client_token": session.client_token if is_open else None,
        "payment_method_categories": session.payment_method_categories if is_open else [],
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

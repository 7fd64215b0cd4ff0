"""The types of Klarna's contract for sessions, field by field.

Source: Klarna Payments API V1 as an OpenAPI document
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django_klarna.api.declaring import integer, items, nested, text
from django_klarna.api.fields import Schema
from django_klarna.api.order_schemas import CreateOrderRequest
from django_klarna.api.parts import (
    COUNTRY,
    CURRENCY,
    Customer,
    CustomerRead,
    OrderFields,
    OrderLine,
    PaymentMethodCategory,
)

_COLOR = r"^#[A-Fa-f0-9]{6}$"


class Options(Schema):
    """Choose the looks of the widget."""

    color_border: str | None = text(default=None, pattern=_COLOR)
    color_border_selected: str | None = text(default=None, pattern=_COLOR)
    color_details: str | None = text(default=None, pattern=_COLOR)
    color_text: str | None = text(default=None, pattern=_COLOR)
    radius_border: str | None = text(default=None)


class Attachment(Schema):
    """Carry extra merchant data: `body` is JSON, as a string."""

    body: str = text(sensitive=True)
    content_type: str = text()


class _SessionFields(OrderFields):
    intent: str | None = text(default=None, enum=("buy", "tokenize", "buy_and_tokenize"))
    acquiring_channel: str | None = text(default=None, enum=("ECOMMERCE", "IN_STORE", "TELESALES"))
    options: Options | None = nested(Options, default=None)
    design: str | None = text(default=None)
    attachment: Attachment | None = nested(Attachment, default=None)
    client_token: str | None = text(default=None, max_length=4096, read_only=True, sensitive=True)
    expires_at: str | None = text(default=None, read_only=True)


class Session(_SessionFields):
    """Tell Klarna how a session is to be changed: what is absent stays as it is."""

    customer: Customer | None = nested(Customer, default=None)


class SessionCreate(_SessionFields):
    """Tell Klarna about an order that may be paid for."""

    purchase_country: str = text(pattern=COUNTRY)
    purchase_currency: str = text(pattern=CURRENCY)
    order_amount: int = integer(minimum=0)
    order_lines: Sequence[OrderLine] = items(OrderLine, min_items=1, max_items=1000)
    customer: Customer | None = nested(Customer, default=None)

    def to_session(self) -> Session:
        """Return the update that makes an existing session equal to this."""
        session = Session()
        session.__become__(self)
        return session

    def to_order(self, **more: object) -> CreateOrderRequest:
        """Return the request to place this as an order, with `more` of its fields over those of the session.

        Klarna compares it with what it holds: addresses and the customer have to be those of the authorization.
        Raises TypeError for a field that an order does not have.
        """
        fields = CreateOrderRequest.__fields__
        # Of any type, as in `replace`: what they are is looked at by `check`.
        shared: dict[str, Any] = {name: value for name, value in self.__values__.items() if name in fields}
        return CreateOrderRequest(**{**shared, **more})


class SessionRead(_SessionFields, answer=True):
    """Hold what Klarna knows about a session; its id is not part of it."""

    customer: CustomerRead | None = nested(CustomerRead, default=None)

    @property
    def expires_at_utc(self) -> datetime | None:
        """Return `expires_at` as an aware datetime in UTC, or None when it is absent or no time."""
        return _utc(self.expires_at) if self.expires_at else None


class MerchantSession(Schema, answer=True):
    """Hold what Klarna answers to a new session."""

    session_id: str = text(max_length=255)
    client_token: str = text(max_length=4096, sensitive=True)
    payment_method_categories: Sequence[PaymentMethodCategory] | None = items(
        PaymentMethodCategory, default=None, unique=True
    )


def _utc(moment: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(moment.strip().upper())
        # Klarna's times are in UTC, so one that does not say is taken for that.
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None

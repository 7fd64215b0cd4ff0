"""The types of Klarna's contract for orders and customer tokens, and an order as Order Management shows it.

Sources: Klarna Payments API V1 and, for ManagedOrder, Order Management API V1 as OpenAPI documents
"""

from collections.abc import Sequence
from typing import Self

from django_klarna.api.declaring import boolean, integer, items, nested, text
from django_klarna.api.fields import Schema
from django_klarna.api.parts import COUNTRY, CURRENCY, LOCALE, Address, Customer, OrderFields, OrderLine

_METHODS = (
    "invoice",
    "fixed_amount",
    "base_account",
    "direct_debit",
    "direct_bank_transfer",
    "b2b_invoice",
    "card",
    "slice_it_by_card",
    "pay_later_by_card",
    "pay_by_card",
    "fixed_sum_credit",
)


class AuthorizedPaymentMethod(Schema, answer=True):
    """Tell how the shopper pays; `type` is one of Klarna's words, and new ones may come."""

    type: str = text(enum=_METHODS)
    number_of_days: int | None = integer(default=None, bits=32)
    number_of_installments: int | None = integer(default=None, bits=32)


class CreateOrderRequest(OrderFields):
    """Tell Klarna to place an authorized order; `SessionCreate.to_order` makes one of a session.

    `auto_capture` (absent: false) needs Klarna's consent. Amounts are in minor units. To repeat an order that may
    have been placed, keep `canonical()` and make the object anew of it with `from_dict`: the same is sent.
    """

    purchase_country: str = text(pattern=COUNTRY)
    purchase_currency: str = text(pattern=CURRENCY)
    order_amount: int = integer(minimum=0)
    order_lines: Sequence[OrderLine] = items(OrderLine, min_items=1, max_items=1000)
    customer: Customer | None = nested(Customer, default=None)
    auto_capture: bool | None = boolean(default=None)


class CustomerTokenCreationRequest(Schema):
    """Ask for a token with which the shopper can be charged again; `description` is what the shopper sees."""

    description: str = text(max_length=255)
    intended_use: str = text(enum=("SUBSCRIPTION",))
    locale: str = text(pattern=LOCALE)
    purchase_country: str = text(pattern=COUNTRY)
    purchase_currency: str = text(pattern=CURRENCY)
    billing_address: Address | None = nested(Address, default=None)
    customer: Customer | None = nested(Customer, default=None)


class CustomerReadCreateToken(Schema, answer=True, sensitive=True):
    """Hold what Klarna tells about who may be charged."""

    date_of_birth: str | None = text(default=None)
    gender: str | None = text(default=None)


class _Receipt(Schema, answer=True):
    """An answer of which only what is required has to be readable: what it tells of has been done."""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Make an object of an answer of Klarna's; what is optional and of another type is left out.

        Raises KlarnaResponseError, with the path, where a required member is missing or has another type.
        """
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if cls.__keeps__(name, value)}
        return super().parse(data)

    @classmethod
    def __keeps__(cls, name: str, value: object) -> bool:
        field = cls.__fields__.get(name)
        return field is None or field.required or field.kind.typed(field.kind.build(value, drop_unknown=True))


class CustomerTokenCreationResponse(_Receipt, answer=True):
    """Hold the token with which the shopper can be charged again: keep `token_id` as secret as a password."""

    token_id: str = text(sensitive=True)
    billing_address: Address | None = nested(Address, default=None)
    customer: CustomerReadCreateToken | None = nested(CustomerReadCreateToken, default=None)
    payment_method_reference: str | None = text(default=None, sensitive=True)
    redirect_url: str | None = text(default=None, sensitive=True)


class Order(_Receipt, answer=True):
    """Hold what Klarna answers to a placed order.

    `fraud_status` is ACCEPTED or PENDING; with PENDING nothing may be shipped or captured yet. `redirect_url`, where
    the shopper goes next, comes only if the order names a confirmation URL; it is the shopper's alone.
    An `authorized_payment_method` that is one word, as in Klarna's guide, is read as its `type`.
    Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/
    step-3-create-an-order
    """

    order_id: str = text()
    authorized_payment_method: AuthorizedPaymentMethod | None = nested(
        AuthorizedPaymentMethod, default=None, word="type"
    )
    fraud_status: str | None = text(default=None)
    redirect_url: str | None = text(default=None, sensitive=True)


class ManagedOrder(_Receipt, answer=True):
    """Hold what Order Management knows about an order, but for the lines and all that is personal.

    `status` is AUTHORIZED, PART_CAPTURED, CAPTURED, CANCELLED, EXPIRED or CLOSED, `fraud_status` ACCEPTED, PENDING or
    REJECTED; new words may come. Amounts are in minor units, times are text in ISO 8601.
    Source: https://docs.klarna.com/payments/after-payments/order-management/manage-orders-with-the-api/
    """

    order_id: str = text()
    status: str | None = text(default=None)
    fraud_status: str | None = text(default=None)
    order_amount: int | None = integer(default=None)
    original_order_amount: int | None = integer(default=None)
    captured_amount: int | None = integer(default=None)
    refunded_amount: int | None = integer(default=None)
    remaining_authorized_amount: int | None = integer(default=None)
    purchase_country: str | None = text(default=None)
    purchase_currency: str | None = text(default=None)
    locale: str | None = text(default=None)
    merchant_reference1: str | None = text(default=None)
    merchant_reference2: str | None = text(default=None)
    merchant_data: str | None = text(default=None, sensitive=True)
    klarna_reference: str | None = text(default=None)
    created_at: str | None = text(default=None)
    expires_at: str | None = text(default=None)

"""What sessions and orders are made of, field by field.

Amounts are whole numbers of minor units and, but for the US, include tax. `tax_rate` is in basis points: 2500
is 25 %.
Sources: Klarna Payments API V1 as an OpenAPI document; https://docs.klarna.com/api-reference/data-types
"""

from collections.abc import Sequence
from typing import Final

from django_klarna.api.declaring import integer, items, nested, text
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Text

COUNTRY: Final = r"^[A-Za-z]{2,2}$"
CURRENCY: Final = r"^[A-Za-z]{3,3}$"
LOCALE: Final = r"^[A-Za-z]{2,2}(?:-[A-Za-z]{2,2})*$"
_ENTITY_TYPES: Final = (
    "LIMITED_COMPANY",
    "PUBLIC_LIMITED_COMPANY",
    "ENTREPRENEURIAL_COMPANY",
    "LIMITED_PARTNERSHIP_LIMITED_COMPANY",
    "LIMITED_PARTNERSHIP",
    "GENERAL_PARTNERSHIP",
    "REGISTERED_SOLE_TRADER",
    "SOLE_TRADER",
    "CIVIL_LAW_PARTNERSHIP",
    "PUBLIC_INSTITUTION",
    "OTHER",
)


class ProductIdentifiers(Schema):
    """Tell which product a line is about."""

    brand: str | None = text(default=None, max_length=70)
    category_path: str | None = text(default=None, max_length=750)
    color: str | None = text(default=None, max_length=64)
    global_trade_item_number: str | None = text(default=None, max_length=50)
    manufacturer_part_number: str | None = text(default=None, max_length=70)
    size: str | None = text(default=None, max_length=64)


class Subscription(Schema):
    """Tell how often a line is bought again."""

    name: str = text(min_length=1, max_length=255)
    interval: str = text(enum=("DAY", "WEEK", "MONTH", "YEAR"))
    interval_count: int = integer(minimum=1)


class OrderLine(Schema):
    """Describe one row of the order, in minor units and basis points.

    `total_amount` is quantity times `unit_price` less `total_discount_amount`; that is not checked here.
    """

    type: str | None = text(default=None)
    reference: str | None = text(default=None, max_length=256)
    name: str = text(min_length=1, max_length=255)
    quantity: int = integer(minimum=0)
    quantity_unit: str | None = text(default=None, min_length=1, max_length=8)
    unit_price: int = integer(maximum=100_000_000)
    tax_rate: int | None = integer(default=None, minimum=0, maximum=10_000)
    total_amount: int = integer(maximum=100_000_000)
    total_discount_amount: int | None = integer(default=None, minimum=0)
    total_tax_amount: int | None = integer(default=None)
    image_url: str | None = text(default=None, max_length=1024)
    product_url: str | None = text(default=None, max_length=1024)
    merchant_data: str | None = text(default=None, max_length=1024, sensitive=True)
    product_identifiers: ProductIdentifiers | None = nested(ProductIdentifiers, default=None)
    subscription: Subscription | None = nested(Subscription, default=None)


class Address(Schema, sensitive=True):
    """Hold a billing or shipping address."""

    attention: str | None = text(default=None, max_length=99)
    city: str | None = text(default=None, max_length=99)
    country: str | None = text(default=None, pattern=COUNTRY)
    email: str | None = text(default=None, max_length=99)
    family_name: str | None = text(default=None, max_length=99)
    given_name: str | None = text(default=None, max_length=99)
    organization_name: str | None = text(default=None, max_length=99)
    phone: str | None = text(default=None, min_length=5, max_length=99)
    postal_code: str | None = text(default=None, max_length=10)
    region: str | None = text(default=None, max_length=99)
    street_address: str | None = text(default=None, max_length=99)
    street_address2: str | None = text(default=None, max_length=99)
    title: str | None = text(default=None, max_length=20)


class _CustomerFields(Schema):
    date_of_birth: str | None = text(default=None)
    gender: str | None = text(default=None)
    organization_entity_type: str | None = text(default=None, enum=_ENTITY_TYPES)
    organization_registration_id: str | None = text(default=None)
    title: str | None = text(default=None)
    type: str | None = text(default=None)
    vat_id: str | None = text(default=None)


class Customer(_CustomerFields, sensitive=True):
    """Tell Klarna who buys."""

    last_four_ssn: str | None = text(default=None, pattern=r"^([0-9]{4}|[0-9]{9})$")
    national_identification_number: str | None = text(default=None)
    type: str | None = text(default=None, pattern=r"^(person|organization)$")


class CustomerRead(_CustomerFields, answer=True, sensitive=True):
    """Hold what Klarna tells about who buys."""


class MerchantUrls(Schema, sensitive=True):
    """Name the URLs that Klarna calls or sends the shopper to; some carry a secret."""

    authorization: str | None = text(default=None, max_length=2000)
    confirmation: str | None = text(default=None, max_length=2000)
    notification: str | None = text(default=None, max_length=2000)
    push: str | None = text(default=None, max_length=2000)


class AssetUrls(Schema, answer=True):
    """Name the images of a payment method category."""

    descriptive: str | None = text(default=None)
    standard: str | None = text(default=None)


class PaymentMethodCategory(Schema, answer=True):
    """Describe one way to pay that the session offers."""

    identifier: str | None = text(default=None)
    name: str | None = text(default=None)
    asset_urls: AssetUrls | None = nested(AssetUrls, default=None)


class OrderFields(Schema):
    """Hold what a session and an order have in common; it is no type of the contract by itself."""

    purchase_country: str | None = text(default=None, pattern=COUNTRY)
    purchase_currency: str | None = text(default=None, pattern=CURRENCY)
    locale: str | None = text(default=None, pattern=LOCALE)
    order_amount: int | None = integer(default=None, minimum=0)
    order_tax_amount: int | None = integer(default=None, minimum=0)
    order_lines: Sequence[OrderLine] | None = items(OrderLine, default=None, min_items=1, max_items=1000)
    billing_address: Address | None = nested(Address, default=None)
    shipping_address: Address | None = nested(Address, default=None)
    merchant_reference1: str | None = text(default=None, max_length=255)
    merchant_reference2: str | None = text(default=None, max_length=255)
    merchant_data: str | None = text(default=None, max_length=6000, sensitive=True)
    merchant_urls: MerchantUrls | None = nested(MerchantUrls, default=None)
    custom_payment_method_ids: Sequence[str] | None = items(Text(), default=None)
    status: str | None = text(default=None, enum=("complete", "incomplete"), read_only=True)
    authorization_token: str | None = text(default=None, read_only=True, sensitive=True)
    payment_method_categories: Sequence[PaymentMethodCategory] | None = items(
        PaymentMethodCategory, default=None, unique=True, read_only=True
    )

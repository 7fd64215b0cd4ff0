"""The payment method categories of the markets.

The identifiers are Klarna's; which market has which is assumed, and the names are not translated. Source:
https://docs.klarna.com/payments/web-payments/additional-resources/payment-method-grouping
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

# Klarna's usual one stands for all that the shopper may choose in the widget.
GROUPED: Final = "klarna"
NAMES: Final = {
    GROUPED: "Pay with Klarna",
    "pay_later": "Pay later",
    "pay_over_time": "Pay over time",
    "pay_now": "Pay now",
    "direct_debit": "Direct debit",
    "direct_bank_transfer": "Bank transfer",
}
_PAY_LATER: Final = "AT BE CH DE DK FI GB IE NL NO SE"
_PAY_OVER_TIME: Final = "AT AU CA CZ DE DK ES FI FR GB GR IE IT MX NL NO NZ PL PT RO SE SK US"
_PAY_NOW: Final = "AT BE CH CZ DE DK ES FI FR GB HU IT NL NO PL PT SE US"
COUNTRIES_BY_CATEGORY: Final = {
    "pay_later": frozenset(_PAY_LATER.split()),
    "pay_over_time": frozenset(_PAY_OVER_TIME.split()),
    "pay_now": frozenset(_PAY_NOW.split()),
    "direct_debit": frozenset(("AT", "DE", "NL", "SE")),
    "direct_bank_transfer": frozenset(("AT", "BE", "CH", "DE", "FI", "NL", "SE")),
}


def available(categories: Collection[str], country: str) -> list[str]:
    """Return those of the categories that a market has, in Klarna's usual order."""
    return [name for name in NAMES if name in categories and _is_in(name, country.upper())]


def payment_method_categories(identifiers: Iterable[str], base_url: str) -> list[dict[str, Any]]:
    """Return the categories as Klarna answers them, with the address of the sandbox's badge."""
    badge = f"{base_url}/kp/lib/v1/badge.svg"
    urls = {"standard": badge, "descriptive": badge}
    return [{"identifier": name, "name": NAMES[name], "asset_urls": urls} for name in identifiers]


def _is_in(category: str, country: str) -> bool:
    return category == GROUPED or country in COUNTRIES_BY_CATEGORY[category]

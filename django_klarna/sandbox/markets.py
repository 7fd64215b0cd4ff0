"""The markets of Klarna Payments, each with the one currency it takes.

Source: https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/puchase-countries-currencies-locales
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

COUNTRIES_BY_CURRENCY: Final = {
    "AUD": "AU",
    "CAD": "CA",
    "CHF": "CH",
    "CZK": "CZ",
    "DKK": "DK",
    "EUR": "AT BE DE ES FI FR GR IE IT NL PT SK",
    "GBP": "GB",
    "HUF": "HU",
    "MXN": "MX",
    "NOK": "NO",
    "NZD": "NZ",
    "PLN": "PL",
    "RON": "RO",
    "SEK": "SE",
    "USD": "US",
}
CURRENCIES: Final = {
    country: currency
    for currency, countries in COUNTRIES_BY_CURRENCY.items()
    for country in countries.split()
}


def market_violations(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield `purchase_country` for one without Klarna, `purchase_currency` for one foreign to its country."""
    currency = CURRENCIES.get(content["purchase_country"].upper())
    if currency is None:
        yield "purchase_country"
    elif content["purchase_currency"].upper() != currency:
        yield "purchase_currency"

"""The markets of Klarna Payments, each with the one currency it takes and the languages it speaks.

Source: https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/puchase-countries-currencies-locales
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

DEFAULT_LOCALE: Final = "en-US"
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
# English is spoken in every one of them.
LANGUAGES: Final = {
    "AT": "de",
    "BE": "nl fr",
    "CA": "fr",
    "CH": "de fr it",
    "CZ": "cs",
    "DE": "de",
    "DK": "da",
    "ES": "es",
    "FI": "fi sv",
    "FR": "fr",
    "GR": "el",
    "HU": "hu",
    "IT": "it",
    "MX": "es",
    "NL": "nl",
    "NO": "nb",
    "PL": "pl",
    "PT": "pt",
    "RO": "ro",
    "SE": "sv",
    "SK": "sk",
    "US": "es",
}


def market_violations(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield `purchase_country` for one without Klarna, else the currency and locale foreign to their country."""
    country = content["purchase_country"].upper()
    if country not in CURRENCIES:
        yield "purchase_country"
        return
    if content["purchase_currency"].upper() != CURRENCIES[country]:
        yield "purchase_currency"
    if not _is_spoken(content.get("locale", DEFAULT_LOCALE), country):
        yield "locale"


def _is_spoken(locale: str, country: str) -> bool:
    # Klarna takes either case and a language alone, and its default wherever no locale is given.
    language, _, place = locale.partition("-")
    known = language.lower() in ("en", *LANGUAGES.get(country, "").split())
    return locale.lower() == DEFAULT_LOCALE.lower() or (known and place.upper() in ("", country))

"""Where Klarna Payments is offered: country, currency and locales, as data.

https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/puchase-countries-currencies-locales
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Market:
    """One purchase country: its only accepted currency (ISO 4217) and its locales, the usual one first."""

    currency: str
    locales: tuple[str, ...]


MARKETS: Mapping[str, Market] = {
    "AT": Market("EUR", ("de-AT", "en-AT")),
    "AU": Market("AUD", ("en-AU",)),
    "BE": Market("EUR", ("nl-BE", "fr-BE", "en-BE")),
    "CA": Market("CAD", ("en-CA", "fr-CA")),
    "CH": Market("CHF", ("de-CH", "fr-CH", "it-CH", "en-CH")),
    "CZ": Market("CZK", ("cs-CZ", "en-CZ")),
    "DE": Market("EUR", ("de-DE", "en-DE")),
    "DK": Market("DKK", ("da-DK", "en-DK")),
    "ES": Market("EUR", ("es-ES", "en-ES")),
    "FI": Market("EUR", ("fi-FI", "sv-FI", "en-FI")),
    "FR": Market("EUR", ("fr-FR", "en-FR")),
    "GB": Market("GBP", ("en-GB",)),
    "GR": Market("EUR", ("el-GR", "en-GR")),
    "HU": Market("HUF", ("hu-HU", "en-HU")),
    "IE": Market("EUR", ("en-IE",)),
    "IT": Market("EUR", ("it-IT", "en-IT")),
    "MX": Market("MXN", ("es-MX", "en-MX")),
    "NL": Market("EUR", ("nl-NL", "en-NL")),
    "NO": Market("NOK", ("nb-NO", "en-NO")),
    "NZ": Market("NZD", ("en-NZ",)),
    "PL": Market("PLN", ("pl-PL", "en-PL")),
    "PT": Market("EUR", ("pt-PT", "en-PT")),
    "RO": Market("RON", ("ro-RO", "en-RO")),
    "SE": Market("SEK", ("sv-SE", "en-SE")),
    "SK": Market("EUR", ("sk-SK", "en-SK")),
    "US": Market("USD", ("en-US", "es-US")),
}

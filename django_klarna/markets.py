"""Where Klarna Payments is offered, as data; the setting KLARNA_MARKETS changes it.

Sources:
- country, currency, locales:
  https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/puchase-countries-currencies-locales
- region: https://docs.klarna.com/api/api-urls; GB is in Europe's, as krokedil/klarna-payments-for-woocommerce has it
- tax model:
  https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
- personal data:
  https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/customer-data-requirements
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Literal, get_args

from django.conf import settings
from django.core.signals import setting_changed

from django_klarna.api import Region
from django_klarna.currencies import MINOR_UNITS
from django_klarna.mistakes import Rule, one_of, read_all, read_keys, refuse

TaxModel = Literal["included", "sales_tax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One purchase country.

    ``currencies`` (ISO 4217) and ``locales`` (``"de-AT"``) are those that Klarna takes there, the usual one first.
    ``region`` is that of its accounts. Lines contain their tax, or they are net and the tax is a line of its own, as
    ``tax_model`` says. ``personal_data`` tells whether Klarna may know the shopper before ``authorize()``.
    ``max_order_amount`` is in minor units; None is not known.
    """

    currencies: tuple[str, ...]
    locales: tuple[str, ...]
    region: Region
    tax_model: TaxModel = "included"
    personal_data: bool = False
    max_order_amount: int | None = None


#: What holds where KLARNA_MARKETS says nothing else. Klarna's guide names the sales tax of the US only.
MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        "AT": Market(currencies=("EUR",), locales=("de-AT", "en-AT"), region="eu"),
        "AU": Market(currencies=("AUD",), locales=("en-AU",), region="oc"),
        "BE": Market(currencies=("EUR",), locales=("nl-BE", "fr-BE", "en-BE"), region="eu"),
        "CA": Market(currencies=("CAD",), locales=("en-CA", "fr-CA"), region="na"),
        "CH": Market(currencies=("CHF",), locales=("de-CH", "fr-CH", "it-CH", "en-CH"), region="eu"),
        "CZ": Market(currencies=("CZK",), locales=("cs-CZ", "en-CZ"), region="eu"),
        "DE": Market(currencies=("EUR",), locales=("de-DE", "en-DE"), region="eu"),
        "DK": Market(currencies=("DKK",), locales=("da-DK", "en-DK"), region="eu"),
        "ES": Market(currencies=("EUR",), locales=("es-ES", "en-ES"), region="eu"),
        "FI": Market(currencies=("EUR",), locales=("fi-FI", "sv-FI", "en-FI"), region="eu"),
        "FR": Market(currencies=("EUR",), locales=("fr-FR", "en-FR"), region="eu"),
        "GB": Market(currencies=("GBP",), locales=("en-GB",), region="eu"),
        "GR": Market(currencies=("EUR",), locales=("el-GR", "en-GR"), region="eu"),
        "HU": Market(currencies=("HUF",), locales=("hu-HU", "en-HU"), region="eu"),
        "IE": Market(currencies=("EUR",), locales=("en-IE",), region="eu"),
        "IT": Market(currencies=("EUR",), locales=("it-IT", "en-IT"), region="eu"),
        "MX": Market(currencies=("MXN",), locales=("es-MX", "en-MX"), region="na"),
        "NL": Market(currencies=("EUR",), locales=("nl-NL", "en-NL"), region="eu"),
        "NO": Market(currencies=("NOK",), locales=("nb-NO", "en-NO"), region="eu"),
        "NZ": Market(currencies=("NZD",), locales=("en-NZ",), region="oc"),
        "PL": Market(currencies=("PLN",), locales=("pl-PL", "en-PL"), region="eu"),
        "PT": Market(currencies=("EUR",), locales=("pt-PT", "en-PT"), region="eu"),
        "RO": Market(currencies=("RON",), locales=("ro-RO", "en-RO"), region="eu"),
        "SE": Market(currencies=("SEK",), locales=("sv-SE", "en-SE"), region="eu"),
        "SK": Market(currencies=("EUR",), locales=("sk-SK", "en-SK"), region="eu"),
        "US": Market(currencies=("USD",), locales=("en-US", "es-US"), region="na", tax_model="sales_tax"),
    }
)
#: What people call a country that has another code in ISO 3166-1.
MISNAMED = {"EL": "GR", "UK": "GB"}


@cache
def get_markets() -> Mapping[str, Market]:
    """Give the markets of the project by country (ISO 3166-1, capitals), read once.

    Raises `KlarnaConfigurationError` with all that is wrong with KLARNA_MARKETS.
    """
    given = getattr(settings, "KLARNA_MARKETS", {})
    if not isinstance(given, Mapping):
        refuse(
            f"KLARNA_MARKETS must be a dict of changes by country, not {type(given).__name__}",
            "KLARNA_MARKETS = {}  # or {'MX': None}, say",
        )
    changed = read_all({country: partial(read_market, country, change) for country, change in given.items()})
    merged: dict[str, Market | None] = {**MARKETS, **changed}
    return MappingProxyType({country: market for country, market in sorted(merged.items()) if market})


def market_for(country: str) -> Market | None:
    """Give the market of a purchase country (ISO 3166-1, in either case); None without Klarna Payments."""
    return get_markets().get(country.upper())


def read_market(country: object, change: object) -> Market | None:
    """Read one entry of KLARNA_MARKETS; None is a market that the project does without."""
    code = read_country(country)
    name, usual = f"KLARNA_MARKETS[{code!r}]", MARKETS.get(code)
    if change is None and usual is None:
        refuse(f"{name} is None, and there is no such market to take away", f"del {name}", unknown_key=True)
    if change is None:
        return None
    options = read_keys(name, change, rules_for(code), example=example_for(code))
    return replace(usual, **options) if usual else new_market(name, options, example_for(code))


def new_market(name: str, options: Mapping[str, Any], example: Mapping[str, object]) -> Market:
    """Make a market of its keys; some have no default that would suit every country."""
    missing = {key: value for key, value in example.items() if key not in options}
    if missing:
        refuse(f"{name} is a new market and lacks {', '.join(map(repr, missing))}", f"{name} |= {missing!r}")
    return Market(**options)


def read_country(country: object) -> str:
    """Read the country of an entry: two capital letters of ISO 3166-1."""
    upper = str(country).upper()
    code = MISNAMED.get(upper, upper)
    if not re.fullmatch(r"[A-Z]{2}", code):
        refuse(
            f"KLARNA_MARKETS has the country {country!r}; it must be like 'SE'",
            f"del KLARNA_MARKETS[{country!r}]",
        )
    if country != code:
        refuse(
            f"KLARNA_MARKETS has the country {country!r}; it must be {code!r}",
            f"KLARNA_MARKETS[{code!r}] = KLARNA_MARKETS.pop({country!r})",
        )
    return code


def example_for(country: str) -> dict[str, Any]:
    """Give what an entry needs that adds a market; one of ours is as we have it."""
    unknown = Market(currencies=("EUR",), locales=(f"en-{country}",), region="eu")
    market = MARKETS.get(country, unknown)
    return {
        "currencies": list(market.currencies),
        "locales": list(market.locales),
        "region": market.region,
    }


def rules_for(country: str) -> Mapping[str, Rule]:
    """Give the rule of each key of an entry."""
    example = example_for(country)
    return {
        "currencies": partial(read_codes, spell=spell_currency, example=example["currencies"]),
        "locales": partial(read_codes, spell=partial(spell_locale, country), example=example["locales"]),
        "region": partial(one_of, choices=get_args(Region), default=example["region"]),
        "tax_model": partial(one_of, choices=get_args(TaxModel), default="included"),
        "personal_data": read_personal_data,
        "max_order_amount": read_max_order_amount,
    }


def read_codes(
    name: str, value: object, *, spell: Callable[[str], str | None], example: list[str]
) -> tuple[str, ...]:
    """Read a list of codes; ``spell`` gives the one spelling of a code, None if it is none."""
    codes = value if isinstance(value, list | tuple) else [value]
    spelt = [spell(code) if isinstance(code, str) else None for code in codes]
    if codes is not value or not codes or spelt != list(codes):
        mend = spelt if spelt and None not in spelt else example
        refuse(f"{name} is {value!r}; it must be a list such as {example!r}", f"{name} = {mend!r}")
    return tuple(codes)


def spell_currency(code: str) -> str | None:
    """Give a currency of ISO 4217 as it is written there."""
    return code.upper() if code.upper() in MINOR_UNITS else None


def spell_locale(country: str, code: str) -> str | None:
    """Give a locale as Klarna writes it; that of ``country`` for a language alone."""
    found = re.fullmatch(r"([a-z]{2})(?:[-_]([a-z]{2}))?", code, re.ASCII | re.IGNORECASE)
    return f"{found[1].lower()}-{(found[2] or country).upper()}" if found else None


def read_personal_data(name: str, value: object) -> bool:
    """Read whether personal data may be told early; what is not clear is not told."""
    if not isinstance(value, bool):
        refuse(f"{name} is {value!r}; it must be True or False", f"{name} = False")
    return value


def read_max_order_amount(name: str, value: object) -> int | None:
    """Read an amount of minor units, or None."""
    if value is not None and not (type(value) is int and value > 0):
        refuse(f"{name} is {value!r}; it must be a positive int of minor units, or None", f"{name} = None")
    return value


def forget_markets(*, setting: str, **kwargs: object) -> None:
    """Read the markets anew after ``override_settings`` changed them."""
    if setting == "KLARNA_MARKETS":
        get_markets.cache_clear()


setting_changed.connect(forget_markets, dispatch_uid="django_klarna.markets")

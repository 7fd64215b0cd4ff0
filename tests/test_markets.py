"""Where Klarna Payments is offered, and what a project says about it."""

from copy import deepcopy
from dataclasses import fields
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from django_klarna.conf import get_settings
from django_klarna.currencies import exponent
from django_klarna.exceptions import KlarnaConfigurationError
from django_klarna.markets import MARKETS, Market, get_markets, market_for
from django_klarna.mistakes import Mistake, WrongSettingsError
from django_klarna.sandbox.markets import CURRENCIES, LANGUAGES

ICELAND = {"currencies": ["ISK"], "locales": ["is-IS", "en-IS"], "region": "eu"}
#: Whatever a project may write, in the place of a market, of a key's value and of the whole.
SCRAPS = st.sampled_from(
    (
        None,
        True,
        0,
        -1,
        10**8,
        1.5,
        "",
        "SE",
        "eu",
        "NA",
        "EUR",
        "sek",
        "SKE",
        "sv_SE",
        "en",
        "sales_tax",
        b"SE",
    )
) | st.text(max_size=3)
VALUES = SCRAPS | st.lists(SCRAPS, max_size=3) | st.tuples(SCRAPS) | st.sets(SCRAPS, max_size=2)
KEYS = st.sampled_from([field.name for field in fields(Market)] * 3 + ["currency", "REGION", "?", ""])
MARKET = VALUES | st.dictionaries(KEYS, VALUES, max_size=4)
WRITTEN: st.SearchStrategy[Any] = VALUES | st.dictionaries(
    st.sampled_from(("US", "SE", "IS", "DW", "no", "uk", "Sweden", "", 7, None)), MARKET, max_size=4
)


def test_the_sandbox_has_the_same_currencies_and_locales() -> None:
    """Two sets of data, written down apart."""
    for country, currency in CURRENCIES.items():
        languages = {"en", *LANGUAGES.get(country, "").split()}
        assert MARKETS[country].currencies == (currency,)
        assert sorted(MARKETS[country].locales) == sorted(f"{each}-{country}" for each in languages)
    assert MARKETS.keys() == CURRENCIES.keys()
    assert len(MARKETS) == 26


def test_the_language_of_the_country_comes_before_english() -> None:
    usual = {country: market.locales[0] for country, market in MARKETS.items()}
    english = {country for country, locale in usual.items() if locale.startswith("en-")}

    assert english == {"AU", "CA", "GB", "IE", "NZ", "US"}
    assert (usual["BE"], usual["CH"], usual["FI"]) == ("nl-BE", "de-CH", "fi-FI")


def test_accounts_are_in_three_regions() -> None:
    regions = {country: market.region for country, market in MARKETS.items() if market.region != "eu"}

    assert regions == {"AU": "oc", "CA": "na", "MX": "na", "NZ": "oc", "US": "na"}


def test_only_the_us_adds_its_tax() -> None:
    assert {country for country, market in MARKETS.items() if market.tax_model != "included"} == {"US"}
    assert MARKETS["US"].tax_model == "sales_tax"


def test_no_market_tells_of_the_shopper_early_or_guesses_a_limit() -> None:
    """https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/customer-data-requirements"""
    assert not any(market.personal_data or market.max_order_amount for market in MARKETS.values())


def test_every_currency_of_klarnas_has_two_decimals() -> None:
    assert {exponent(currency) for market in MARKETS.values() for currency in market.currencies} == {2}


def test_a_market_is_found_in_either_case() -> None:
    assert market_for("se") is market_for("SE") is MARKETS["SE"]
    assert market_for("IS") is None
    assert market_for("") is None


def test_without_the_setting_the_markets_are_ours() -> None:
    assert get_markets() == MARKETS


def test_a_project_changes_single_keys(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {
        "US": {"personal_data": True, "max_order_amount": 1_000_000},
        "CA": {"tax_model": "sales_tax"},
        "CH": {"currencies": ("CHF", "EUR"), "region": "eu"},
        "SE": {},
    }

    assert market_for("US") == Market(
        currencies=("USD",),
        locales=("en-US", "es-US"),
        region="na",
        tax_model="sales_tax",
        personal_data=True,
        max_order_amount=1_000_000,
    )
    assert market_for("CA") == Market(
        currencies=("CAD",), locales=("en-CA", "fr-CA"), region="na", tax_model="sales_tax"
    )
    assert get_markets()["CH"].currencies == ("CHF", "EUR")
    changed = {country for country, market in get_markets().items() if market != MARKETS[country]}
    assert changed == {"US", "CA", "CH"}


def test_a_project_adds_a_market_in_its_place(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"IS": ICELAND}

    assert market_for("is") == Market(currencies=("ISK",), locales=("is-IS", "en-IS"), region="eu")
    assert list(get_markets()) == sorted({*MARKETS, "IS"})
    assert "IS" not in MARKETS


def test_a_project_takes_a_market_away(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"DE": None}

    assert market_for("DE") is None
    assert get_markets().keys() == MARKETS.keys() - {"DE"}


def test_the_markets_are_read_once_and_anew_after_an_override(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"DE": None}
    assert get_markets() is get_markets() is get_settings().markets
    settings.KLARNA_MARKETS = {"IS": ICELAND}
    assert get_markets().keys() - MARKETS.keys() == {"IS"}
    assert get_settings().markets is get_markets()
    settings.KLARNA_MARKETS = {}
    assert get_markets() == MARKETS


@pytest.mark.parametrize("markets", [MARKETS, get_markets()])
def test_nobody_changes_them_for_others(markets: Any) -> None:
    with pytest.raises(TypeError):
        markets["IS"] = MARKETS["SE"]
    with pytest.raises(AttributeError):
        markets["SE"].region = "na"


def test_markets_do_not_wait_for_other_settings(settings: Settings) -> None:
    settings.KLARNA_SYNC = "celery"

    assert get_markets() == MARKETS


def test_all_that_is_wrong_with_markets_is_told_at_once(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {
        "IS": {"currencies": ["krona"], "colour": "blue"},
        "SE": {"region": "EU"},
        "UK": {},
        "LU": {"region": "eu"},
    }

    with pytest.raises(KlarnaConfigurationError) as refused:
        get_markets()
    for part in (
        "['IS']['currencies']",
        "'colour'",
        "lacks 'currencies', 'locales'",
        "['SE']['region']",
        "'GB'",
    ):
        assert part in str(refused.value)


@given(WRITTEN)
def test_whatever_is_written_is_read_or_mended(written: Any) -> None:
    project = {"KLARNA_MARKETS": deepcopy(written)}

    # A country and a key have their names first, and what is missing can be told when the rest is right.
    for _round in range(4):
        for mistake in wrong_with(project):
            assert mistake.message.startswith("KLARNA_MARKETS")
            exec(mistake.mend, project)

    assert wrong_with(project) == ()


def wrong_with(project: dict[str, Any]) -> tuple[Mistake, ...]:
    with override_settings(KLARNA_MARKETS=project["KLARNA_MARKETS"]):
        try:
            get_markets()
        except WrongSettingsError as error:
            return error.mistakes
    return ()


@pytest.mark.django_db
def test_the_filter_of_the_admin_offers_the_markets_of_the_project(
    admin_client: Client, settings: Settings
) -> None:
    settings.KLARNA_MARKETS = {"IS": ICELAND, "DE": None}
    call_command("check")

    page = admin_client.get("/admin/django_klarna/klarnasession/").text

    assert "?purchase_country=IS" in page
    assert "?purchase_country=DE" not in page

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_klarna.money import allocate, display, exact, exponent, from_minor, included_tax, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "SEK", 1999),
        ("4.35", "EUR", 435),
        ("12990", "HUF", 1299000),
        ("7", "JPY", 7),
        ("1.234", "KWD", 1234),
    ],
)
def test_amounts_are_exact(amount: str, currency: str, minor: int) -> None:
    assert to_minor("price", Decimal(amount), currency) == minor
    assert from_minor(minor, currency) == Decimal(amount)


@pytest.mark.parametrize("value", [19.99, "19.99", True, None])
def test_only_decimal_and_int_are_money(value: object) -> None:
    with pytest.raises(TypeError, match="price must be a Decimal or an int"):
        to_minor("price", value, "SEK")


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_not_a_number_is_not_money(value: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        exact("price", Decimal(value))


def test_halves_go_away_from_zero() -> None:
    assert to_minor("price", Decimal("0.125"), "SEK") == 13
    assert to_minor("price", Decimal("-0.125"), "SEK") == -13


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [(9900, 1900, 1581), (59500, 2000, 9917), (25000, 2500, 5000), (-10000, 2500, -2000), (999, 2000, 167)],
)
def test_the_tax_in_an_amount(gross: int, rate: int, tax: int) -> None:
    assert included_tax(gross, rate) == tax


@given(st.integers(-(10**9), 10**9), st.integers(0, 10_000))
def test_the_tax_is_the_exact_one_rounded(gross: int, rate: int) -> None:
    exact_tax = Decimal(gross) * rate / (10_000 + rate)
    assert abs(included_tax(gross, rate) - exact_tax) <= Decimal("0.5")


@given(st.lists(st.integers(0, 10**6), min_size=1).filter(any), st.data())
def test_shares_add_up_and_are_never_more_than_their_weight(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    shares = allocate(amount, weights)
    assert sum(shares) == amount
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


def test_what_markets_use_has_two_decimals() -> None:
    assert {exponent(currency) for currency in ("CZK", "HUF", "SEK", "EUR", "USD", "CHF")} == {2}


def test_money_for_people() -> None:
    assert display(129900, "SEK") == "1\u00a0299.00\u00a0SEK"
    assert display(None, "SEK") == "-"

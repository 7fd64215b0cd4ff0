"""How many decimals each currency has, and where we know it from."""

import re
import subprocess
import sys
from pathlib import Path

import iso4217
import pytest

from django_klarna import currencies
from django_klarna.currencies import MINOR_UNITS, exponent

GENERATOR = Path(__file__).resolve().parent.parent / ".ci" / "currencies.py"


def test_the_table_is_that_of_iso_4217() -> None:
    units = {currency.code: currency.exponent for currency in iso4217.Currency}

    assert {code: digits for code, digits in units.items() if digits is not None} == MINOR_UNITS
    assert set(MINOR_UNITS.values()) == {0, 2, 3, 4}


@pytest.mark.skipif(not GENERATOR.exists(), reason="needs .ci/currencies.py of the repository")
def test_the_module_is_what_its_generator_writes(tmp_path: Path) -> None:
    committed = Path(currencies.__file__).read_text()
    emptied = re.sub(r'^    "[A-Z]{3}": \d,\n', "", committed, flags=re.MULTILINE)
    assert emptied.count("\n") == committed.count("\n") - len(MINOR_UNITS)
    module = tmp_path / "currencies.py"
    module.write_text(emptied)

    subprocess.run([sys.executable, GENERATOR, module], check=True)

    assert module.read_text() == committed


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("HUF", 2), ("CZK", 2), ("SEK", 2), ("ISK", 0), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("eur", 2)],
)
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("code", ["SKE", "", "EURO", "BGN", "XAU", "€", " SEK"])
def test_what_is_none_is_named_and_not_guessed(code: str) -> None:
    """A misspelt one, none, a word, one that was withdrawn, gold, a sign, a blank too many."""
    with pytest.raises(ValueError, match=f"^{code!r} is no currency of ISO 4217"):
        exponent(code)

"""Write the table of a currency's decimals anew: ``currencies.py [MODULE]``, after a new release of iso4217."""

import re
import sys
from pathlib import Path

import iso4217

MODULE = Path(__file__).resolve().parent.parent / "django_klarna" / "currencies.py"
TABLE = re.compile(r"^#: ISO 4217 .*?^}\n", re.MULTILINE | re.DOTALL)


def table() -> str:
    """Give the table as Python, the way ruff formats it; gold and the like have no minor units."""
    found = sorted((currency.code, currency.exponent) for currency in iso4217.Currency)
    rows = "".join(f'    "{code}": {digits},\n' for code, digits in found if digits is not None)
    return (
        f"#: ISO 4217 as published on {iso4217.__published__} (https://www.iso.org/iso-4217-currency-codes.html).\n"
        f"#: Written by `.ci/currencies.py` from the package iso4217 {iso4217.__version__}; run that to change it.\n"
        f"MINOR_UNITS: Mapping[str, int] = {{\n{rows}}}\n"
    )


def main(module: Path) -> None:
    """Replace the table in ``module``."""
    text = module.read_text()
    (old,) = TABLE.findall(text)
    module.write_text(text.replace(old, table()))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else MODULE)

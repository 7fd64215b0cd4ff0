"""Exact money: minor units are ``int``, everything above them is ``Decimal``, and a ``float`` is refused."""

from decimal import ROUND_HALF_UP, Decimal

#: Currencies of ISO 4217 whose number of decimals is not two (https://www.iso.org/iso-4217-currency-codes.html).
EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
FULL_RATE = 10_000  # 100 % in basis points


def exponent(currency: str) -> int:
    """Give the number of decimals of ``currency`` (ISO 4217); HUF and CZK have two."""
    return EXPONENTS.get(currency.upper(), 2)


def exact(name: str, value: object) -> Decimal:
    """Give ``value`` as a finite `Decimal`; anything but ``Decimal`` or ``int`` is a `TypeError` naming ``name``."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"{name} must be a Decimal or an int, not {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{name} must be a finite number")
    return number


def to_minor(name: str, amount: object, currency: str) -> int:
    """Give ``amount`` in minor units of ``currency``, halves rounded up (away from zero)."""
    return half_up(exact(name, amount).scaleb(exponent(currency)))


def from_minor(amount: int, currency: str) -> Decimal:
    """Give an amount of minor units as a `Decimal` with the decimals of ``currency``."""
    return Decimal(amount).scaleb(-exponent(currency))


def half_up(number: Decimal) -> int:
    """Round to an integer, halves away from zero."""
    return int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def included_tax(gross: int, tax_rate: int) -> int:
    """Give the tax inside ``gross`` (minor units) at ``tax_rate`` (basis points), halves rounded away from zero.

    https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
    """
    sign = -1 if gross < 0 else 1
    divisor = FULL_RATE + tax_rate
    return sign * ((2 * abs(gross) * tax_rate + divisor) // (2 * divisor))


def allocate(amount: int, weights: list[int]) -> list[int]:
    """Share ``amount`` in proportion to ``weights`` by largest remainder; the shares add up to it exactly."""
    whole = sum(weights)
    shares = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def display(amount: int | None, currency: str) -> str:
    """Give an amount of minor units for people: ``"1 299.00 SEK"``, with no-break spaces."""
    if amount is None:
        return "-"
    return f"{from_minor(amount, currency):,}".replace(",", "\u00a0") + f"\u00a0{currency}"

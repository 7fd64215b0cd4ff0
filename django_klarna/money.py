"""Exact money: minor units are ``int``, everything above them is ``Decimal``, and a ``float`` is refused."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow
from typing import NamedTuple, Self

from django_klarna.currencies import MINOR_UNITS, exponent

#: 100 % in basis points.
FULL_RATE = 10_000
#: Digits before the point that an amount, a quantity or a rate may have; Klarna's largest amount has seven.
DIGITS = 15
# Our own: the thread's context is the shop's, and its precision would round what is exact.
CONTEXT = Context(prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation, Overflow])


def exact(name: str, value: object) -> Decimal:
    """Give ``value`` as a finite `Decimal`.

    Anything but ``Decimal`` or ``int`` is a `TypeError` that names ``name``; what is not finite, or has more
    digits than any sum of money, a `ValueError`.
    """
    number = value if type(value) is Decimal else decimal_of(name, value)
    if not number.is_finite() or number.adjusted() >= DIGITS:
        raise ValueError(f"{name} must be a finite number with at most {DIGITS} digits before the point")
    return number


def decimal_of(name: str, value: object) -> Decimal:
    """Give a `Decimal` of an ``int``, or of a `Decimal` of some class; all else is a `TypeError`."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"{name} must be a Decimal or an int, not {type(value).__name__}")
    return Decimal(value)


def to_minor(name: str, amount: object, currency: str) -> int:
    """Give ``amount`` in minor units of ``currency``, halves rounded away from zero."""
    return half_up(CONTEXT.scaleb(exact(name, amount), exponent(currency)))


def from_minor(amount: int, currency: str) -> Decimal:
    """Give an amount of minor units as a `Decimal` with the decimals of ``currency``."""
    return CONTEXT.scaleb(Decimal(amount), -exponent(currency))


def half_up(number: Decimal) -> int:
    """Round to an integer, halves away from zero."""
    return int(CONTEXT.to_integral_value(number))


def quotient(dividend: int, divisor: int) -> int:
    """Divide by a positive number and round to an integer, halves away from zero."""
    rounded = (2 * abs(dividend) + divisor) // (2 * divisor)
    return -rounded if dividend < 0 else rounded


class Rate(NamedTuple):
    """A tax rate, exactly: ``part`` of each ``whole`` that a shopper pays is tax.

    Klarna is told ``basis_points`` (2500 is 25 %). A rate such as 14.975 % has none: it ``is_finer``, and only
    the nearest one can be told.
    """

    basis_points: int
    part: int
    whole: int
    is_finer: bool

    @classmethod
    def of(cls, percent: Decimal) -> Self:
        """Give the rate of ``percent`` (25, 5.5, 14.975), 0 or more."""
        numerator, denominator = percent.as_integer_ratio()
        basis_points = quotient(100 * numerator, denominator)
        is_finer = basis_points * denominator != 100 * numerator
        return cls(basis_points, numerator, 100 * denominator + numerator, is_finer)

    def tax_in(self, gross: int) -> int:
        """Give the tax inside ``gross`` (minor units), halves rounded away from zero.

        That of a finer rate is the one nearest to the true tax that Klarna takes for the rate it is told.
        https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
        """
        if gross < 0:
            return -self.tax_in(-gross)
        tax = (2 * gross * self.part + self.whole) // (2 * self.whole)
        return self._told(gross, tax) if self.is_finer else tax

    def _told(self, gross: int, tax: int) -> int:
        whole = FULL_RATE + self.basis_points
        least, most = -(-gross * self.basis_points // whole) - 1, gross * self.basis_points // whole + 1
        return min(max(tax, least), most)

    def tax_on(self, net: int) -> int:
        """Give the tax that comes on top of ``net`` (minor units), halves rounded away from zero."""
        return quotient(net * self.part, self.whole - self.part)

    def with_tax(self, net: Decimal) -> int:
        """Give ``net`` (minor units, or parts of them) with the tax on top, rounded once."""
        numerator, denominator = net.as_integer_ratio()
        return quotient(numerator * self.whole, denominator * (self.whole - self.part))

    def rounds_to(self, tax: int, gross: int) -> bool:
        """Say whether ``tax`` is the tax inside ``gross``, with a half rounded either way."""
        return not self.is_finer and 2 * abs(tax * self.whole - gross * self.part) <= self.whole

    def __str__(self) -> str:
        percent = f"{CONTEXT.scaleb(Decimal(self.basis_points), -2):f}"
        return f"{percent.rstrip('0').rstrip('.')} %"


NO_TAX = Rate.of(Decimal(0))


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Share ``amount`` in proportion to ``weights`` by largest remainder; the shares add up to it exactly.

    Of equal remainders the first is the largest. ``amount`` and ``weights`` are 0 or more, not all weights 0.
    """
    whole = sum(weights)
    shares = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def display(amount: int | None, currency: str) -> str:
    """Give an amount of minor units for people: ``"1 299.00 SEK"``, with no-break spaces.

    Of a currency that ISO 4217 does not list (any more) nobody knows the decimals: it is said in minor units.
    """
    if amount is None:
        return "-"
    if currency.upper() not in MINOR_UNITS:
        return f"{amount}\u00a0minor units {currency}".rstrip()
    return f"{from_minor(amount, currency):,}".replace(",", "\u00a0") + f"\u00a0{currency}"

"""What a shop says of a row, read exactly; what cannot be is refused with the line, the field and a mend."""

from collections.abc import Sized
from decimal import Decimal
from typing import Any, NoReturn

from django_klarna.currencies import exponent
from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.lines.products import NAME_LENGTH, fitting
from django_klarna.money import CONTEXT, FULL_RATE, Rate, exact, half_up


class Reader:
    """Read amounts of one currency, for the row that comes after ``rows``."""

    def __init__(self, currency: str, rows: Sized) -> None:
        self._rows = rows
        self._scale = scale_of(currency)
        self._rates: dict[Decimal, Rate] = {}

    def minor(self, name: str, amount: object, times: Decimal | int = 1) -> int:
        """Give ``amount``, ``times`` over, in minor units, rounded once."""
        factor = times * self._scale if type(times) is int else CONTEXT.multiply(times, self._scale)
        return half_up(CONTEXT.multiply(exact(name, amount), factor))

    def not_negative(self, name: str, amount: object, times: Decimal | int = 1) -> int:
        """Give an amount in minor units that is 0 or more."""
        minor = self.minor(name, amount, times)
        if minor < 0:
            mend = "Give the amount without a sign, and take an amount off with add_discount()."
            self.refuse(name, expected="0 or more", actual=minor, mend=mend)
        return minor

    def cost(
        self, pieces: Decimal | int, rate: Rate, *, price: object, net_price: object, row_total: object
    ) -> tuple[int, int | None]:
        """Give what a row costs in minor units, rounded once, and the same without tax if the shop gives it so."""
        if price is not None and net_price is None and row_total is None:
            return self.not_negative("price", price, pieces), None
        if net_price is not None and price is None and row_total is None:
            net = self.not_negative("net_price", net_price, pieces)
            exact_net = CONTEXT.multiply(exact("net_price", net_price), CONTEXT.multiply(pieces, self._scale))
            return rate.with_tax(exact_net), net
        if row_total is not None and price is None and net_price is None:
            return self.not_negative("row_total", row_total), None
        raise TypeError("An item has exactly one of price, net_price and row_total")

    def reduction(self, discount: object, cost: int) -> int:
        """Give what is off a row, in minor units: no more than it costs."""
        reduction = self.minor("discount", discount)
        if reduction > cost:
            mend = "Take off what the row costs, and no more."
            self.refuse("discount", expected=f"at most {cost}", actual=reduction, mend=mend)
        return reduction

    def quantity(self, quantity: object) -> Decimal | int:
        """Give a quantity above 0: an ``int`` if it is whole."""
        if type(quantity) is int and quantity > 0:
            return quantity
        number = exact("quantity", quantity)
        if number <= 0:
            mend = "Leave a row out that has no pieces."
            self.refuse("quantity", expected="more than 0", actual=f"{number:f}", mend=mend)
        whole = int(number)
        return whole if whole == number else number

    def rate(self, tax_rate: object) -> Rate:
        """Give a tax rate of 0 to 100 percent."""
        # A signaling NaN cannot be looked up: it has no hash.
        known = self._rates.get(tax_rate) if type(tax_rate) is Decimal and tax_rate.is_finite() else None
        return known or self._new_rate(exact("tax_rate", tax_rate))

    def _new_rate(self, percent: Decimal) -> Rate:
        rate = Rate.of(percent)
        if percent < 0 or rate.basis_points > FULL_RATE:
            mend = "Give the rate as a percentage: 25 for 25 %."
            self.refuse("tax_rate", expected="0 to 100 percent", actual=f"{percent:f}", mend=mend)
        self._rates[percent] = rate
        return rate

    def refuse(self, name: str, *, expected: str, actual: str | int, mend: str) -> NoReturn:
        """Raise `CartNotPayable` for one field of the row."""
        path = f"/order_lines/{len(self._rows)}/{name}"
        raise CartNotPayable((Violation(path=path, rule=name, expected=expected, actual=actual, mend=mend),))


def scale_of(currency: str) -> int:
    """Give the minor units in one of the major unit."""
    try:
        scale: int = 10 ** exponent(currency)
    except ValueError:
        violation = Violation(
            path="/purchase_currency",
            rule="currency",
            expected="a currency of ISO 4217",
            actual=currency,
            mend="Klarna takes the local currency of a country only.",
        )
        raise CartNotPayable((violation,)) from None
    return scale


def measured(name: object, quantity: Decimal, unit: str | None) -> Any:  # noqa: ANN401 - as `fitting`
    """Give the name of an amount that is no number of pieces: ``"cheese 1.5 kg"``; what is no name stays."""
    amount = f"{CONTEXT.normalize(quantity):f}"
    unit = fitting(unit, NAME_LENGTH)
    suffix = f" {amount} {unit}" if unit else f" \N{MULTIPLICATION SIGN} {amount}"
    text = fitting(name, NAME_LENGTH - len(suffix))
    return f"{text}{suffix}" if text and isinstance(text, str) else text

"""The rows of a cart in minor units, and the order lines that each of them becomes."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from django_klarna.money import NO_TAX, Rate

#: Klarna's types of lines that are no goods: what is added to the price of goods, and all others.
FEES: Final = frozenset(("shipping_fee", "surcharge"))
EXTRAS: Final = FEES | {"discount", "gift_card", "sales_tax", "store_credit"}
#: The fields of an order line.
Line = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Shared:
    """An amount (minor units) that belongs to all goods, and is to be split over their tax rates."""

    type: str
    name: str
    amount: int

    def row(self, rate: Rate, amount: int, *, alone: bool) -> "Row":
        """Give the part of it that has this rate; the rate is in its name unless it is ``alone``."""
        return Row(
            type=self.type, name=self.name if alone else f"{self.name} {rate}", gross=amount, rate=rate
        )

    def untaxed(self) -> "Row":
        """Give it whole, without tax."""
        return self.row(NO_TAX, self.amount, alone=True)


# Not frozen, though never changed, nor only by keyword: a cart may have a thousand, and each would take twice as long.
@dataclass(slots=True)
class Row:
    """A row of a cart: what ``quantity`` pieces cost before ``discount``, tax at ``rate`` included, in minor units.

    ``net`` is ``gross`` without the tax, if the shop knows prices so; ``tax`` is the shop's own tax in `total`.
    """

    type: str
    name: str
    gross: int
    quantity: int = 1
    rate: Rate = NO_TAX
    discount: int = 0
    net: int | None = None
    tax: int | None = None
    product: Line = field(default_factory=dict)

    @property
    def total(self) -> int:
        """What is left to pay for the row."""
        return self.gross - self.discount

    @property
    def tax_amount(self) -> int:
        """The tax in `total`: the shop's own where it is right, or else the exact one."""
        total = self.gross - self.discount
        if self.tax is not None and self.rate.rounds_to(self.tax, total):
            return self.tax
        return self.rate.tax_in(total)

    @property
    def tax_drift(self) -> int:
        """What the shop's own tax was off."""
        return 0 if self.tax is None else self.tax - self.tax_amount

    def with_surcharge(self) -> list[Self]:
        """Give the row and, as a row of its own, its discount that was negative."""
        surcharge = replace(self, type="surcharge", quantity=1, gross=-self.discount, discount=0, net=None)
        return [replace(self, discount=0), replace(surcharge, tax=None, product={})]

    def untaxed(self) -> Self:
        """Give the row as it is where prices have no tax in them; its rate is that of the tax on top."""
        return (
            self if self.net is None else replace(self, gross=self.net, discount=min(self.discount, self.net))
        )

    def tax_free(self) -> Self:
        """Give the row with its tax elsewhere."""
        return replace(self, rate=NO_TAX, tax=None)

    def reduced(self, amount: int) -> Self:
        """Give the row with ``amount`` more off; what the shop said of its tax was said of the old total."""
        return replace(self, discount=self.discount + amount, tax=None)

    def lines(self, *, divided: bool) -> list[Line]:
        """Give the row as order lines: two where its price does not divide by its quantity.

        A row with a discount, with a rate that Klarna cannot be told exactly, or not to be ``divided``, stays one
        line: its unit price is rounded up, and the discount makes up for it.
        """
        unit_price, dearer = divmod(self.gross, self.quantity)
        if not dearer:
            return [self._line(self.quantity, unit_price, self.discount, self.tax_amount)]
        if divided and not self.discount and not self.rate.is_finer:
            return self._parts(unit_price, dearer)
        discount = (unit_price + 1) * self.quantity - self.total
        return [self._line(self.quantity, unit_price + 1, discount, self.tax_amount)]

    def _parts(self, unit_price: int, dearer: int) -> list[Line]:
        """Give ``dearer`` pieces one minor unit more than the others; the larger part takes the tax remainder."""
        cheaper = self.quantity - dearer
        smaller = min(cheaper * unit_price, dearer * (unit_price + 1))
        tax = self.rate.tax_in(smaller)
        taxes = [tax, self.tax_amount - tax]
        if smaller != cheaper * unit_price:
            taxes.reverse()
        return [
            self._line(cheaper, unit_price, 0, taxes[0]),
            self._line(dearer, unit_price + 1, 0, taxes[1]),
        ]

    def _line(self, quantity: int, unit_price: int, discount: int, tax: int) -> Line:
        # Sorted, as the digest wants them: so they are sorted quickly.
        return {
            "name": self.name,
            "quantity": quantity,
            "tax_rate": self.rate.basis_points,
            "total_amount": quantity * unit_price - discount,
            "total_discount_amount": discount,
            "total_tax_amount": tax,
            "type": self.type,
            "unit_price": unit_price,
            **self.product,
        }

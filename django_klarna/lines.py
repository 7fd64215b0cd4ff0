"""From a shop's cart to a Klarna session whose sums are right: `SessionBuilder`.

Tax is inside the amounts. Rates are percentages as ``Decimal`` (25, 5.5) here and basis points at Klarna.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NoReturn

from django.utils.functional import Promise

from django_klarna.api import OrderLine, ProductIdentifiers, SessionCreate
from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.markets import MARKETS
from django_klarna.money import FULL_RATE, allocate, display, exact, included_tax, to_minor

IDENTIFIERS = (
    "brand",
    "category_path",
    "color",
    "global_trade_item_number",
    "manufacturer_part_number",
    "size",
)


def refuse(path: str, rule: str, *, expected: str, actual: str | int, mend: str) -> NoReturn:
    """Raise `CartNotPayable` for one broken rule."""
    raise CartNotPayable((Violation(path=path, rule=rule, expected=expected, actual=actual, mend=mend),))


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a cart in minor units: what ``quantity`` pieces cost before ``discount``."""

    type: str
    name: str
    quantity: int
    gross: int
    tax_rate: int
    discount: int = 0
    product: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """What is left to pay for the row."""
        return self.gross - self.discount

    def lines(self) -> Iterator[OrderLine]:
        """Give the order lines of the row: two where its price does not divide by its quantity.

        A row with a discount stays one line: its unit price is rounded up and the discount makes up for it.
        """
        unit_price, dearer = divmod(self.gross, self.quantity)
        if not dearer or self.discount:
            unit_price += bool(dearer)
            yield self.line(self.quantity, unit_price, unit_price * self.quantity - self.total)
        else:
            yield from self.split(unit_price, dearer)

    def split(self, unit_price: int, dearer: int) -> Iterator[OrderLine]:
        """Give ``dearer`` pieces one minor unit more than the others; the larger part takes the tax remainder."""
        parts = [(self.quantity - dearer, unit_price), (dearer, unit_price + 1)]
        totals = [quantity * price for quantity, price in parts]
        smaller, larger = sorted((0, 1), key=lambda part: totals[part])
        taxes = {smaller: included_tax(totals[smaller], self.tax_rate)}
        taxes[larger] = included_tax(self.total, self.tax_rate) - taxes[smaller]
        for part, (quantity, price) in enumerate(parts):
            yield self.line(quantity, price, 0, taxes[part])

    def line(self, quantity: int, unit_price: int, discount: int, tax: int | None = None) -> OrderLine:
        """Make one order line that balances."""
        total = quantity * unit_price - discount
        return OrderLine(
            type=self.type,
            name=self.name,
            quantity=quantity,
            unit_price=unit_price,
            tax_rate=self.tax_rate,
            total_discount_amount=discount,
            total_amount=total,
            total_tax_amount=included_tax(total, self.tax_rate) if tax is None else tax,
            **self.product,
        )


class SessionBuilder:
    """Describe a cart to Klarna, row by row; `build` checks the shop's total and gives the session.

    Amounts are ``Decimal`` (or ``int``) in the currency's major unit, tax included; a ``float`` is a
    `TypeError`. What a cart may not contain raises `CartNotPayable`. ``options`` are further fields of the
    session (``intent``, ``merchant_data``, ``options``, ``design``, ``acquiring_channel``, …).
    """

    def __init__(
        self, purchase_country: str, purchase_currency: str, *, locale: str | None = None, **options: Any
    ) -> None:
        self.purchase_country = purchase_country.upper()
        self.purchase_currency = purchase_currency.upper()
        self.locale = locale or usual_locale(self.purchase_country)
        self.options = options
        #: What the shop's tax was off from the exact one, in minor units; set by `build` when it is given a tax.
        self.tax_drift = 0
        self._rows: list[Row] = []
        self._coupons: list[int] = []

    def add_item(  # noqa: PLR0913 - what a row of a cart has
        self,
        name: str | Promise,
        *,
        quantity: int,
        price: Decimal | int,
        tax_rate: Decimal | int,
        discount: Decimal | int = 0,
        type: str = "physical",  # noqa: A002 - Klarna's name of the field
        **product: Any,
    ) -> None:
        """Add ``quantity`` pieces at ``price`` each, tax included; ``discount`` is off the whole row.

        ``product`` are further fields of an order line: ``reference``, ``product_url``, ``image_url``,
        ``quantity_unit``, ``merchant_data``, ``subscription``, and those of ``product_identifiers`` (``brand``, …).
        """
        pieces = self._quantity(quantity)
        gross = to_minor("price", exact("price", price) * pieces, self.purchase_currency)
        reduced = to_minor("discount", discount, self.purchase_currency)
        if not 0 <= reduced <= max(gross, 0):
            self._refuse("total_discount_amount", expected=f"between 0 and {gross}", actual=reduced)
        if gross < 0:
            self._refuse(
                "unit_price",
                expected="0 or more",
                actual=gross,
                mend="Take an amount off with add_discount().",
            )
        self._add(type, name, pieces, gross, tax_rate, discount=reduced, product=line_fields(product))

    def add_shipping(self, name: str | Promise, price: Decimal | int, *, tax_rate: Decimal | int) -> None:
        """Add what the delivery costs, tax included; it is a line of its own even when it is free."""
        gross = to_minor("price", price, self.purchase_currency)
        if gross < 0:
            self._refuse(
                "unit_price", expected="0 or more", actual=gross, mend="Give the fee of the delivery."
            )
        self._add("shipping_fee", name, 1, gross, tax_rate)

    def add_discount(self, name: str | Promise, amount: Decimal | int) -> None:
        """Take ``amount`` (positive, tax included) off the items, each in proportion to what it costs."""
        reduction = to_minor("amount", amount, self.purchase_currency)
        if reduction < 0:
            self._refuse("total_discount_amount", expected="0 or more", actual=reduction)
        self._coupons.append(reduction)

    def build(self, *, total: Decimal | int, tax: Decimal | int | None = None) -> SessionCreate:
        """Give the session; its ``order_amount`` is the shop's ``total`` exactly.

        What rounding left over, at most one minor unit a row, becomes a visible line; more is missing or
        counted twice and raises `CartNotPayable`. A ``tax`` that differs from the exact one is replaced and
        kept as `tax_drift`.
        """
        rows = self._reduced_rows()
        rows += self._leftover(
            sum(row.total for row in rows), to_minor("total", total, self.purchase_currency)
        )
        lines = tuple(line for row in rows for line in row.lines())
        order_tax_amount = sum(line.total_tax_amount or 0 for line in lines)
        if tax is not None:
            self.tax_drift = to_minor("tax", tax, self.purchase_currency) - order_tax_amount
        return SessionCreate(
            purchase_country=self.purchase_country,
            purchase_currency=self.purchase_currency,
            locale=self.locale,
            order_amount=sum(line.total_amount for line in lines),
            order_tax_amount=order_tax_amount,
            order_lines=lines,
            **self.options,
        )

    def _add(
        self,
        type: str,  # noqa: A002 - as in Klarna
        name: str | Promise,
        quantity: int,
        gross: int,
        tax_rate: object,
        **more: Any,
    ) -> None:
        rate = self._tax_rate(tax_rate)
        name = str(name) if isinstance(name, Promise) else name
        self._rows.append(Row(type=type, name=name, quantity=quantity, gross=gross, tax_rate=rate, **more))

    def _quantity(self, quantity: object) -> int:
        number = exact("quantity", quantity)
        if number < 1 or number != number.to_integral_value():
            self._refuse("quantity", expected="a whole number, 1 or more", actual=str(number))
        return int(number)

    def _tax_rate(self, tax_rate: object) -> int:
        rate = exact("tax_rate", tax_rate) * 100
        if not 0 <= rate <= FULL_RATE or rate != rate.to_integral_value():
            self._refuse(
                "tax_rate", expected="0 to 100 percent, at most two decimals", actual=str(rate / 100)
            )
        return int(rate)

    def _refuse(self, field_name: str, *, expected: str, actual: str | int, mend: str = "") -> NoReturn:
        path = f"/order_lines/{len(self._rows)}/{field_name}"
        refuse(path, field_name, expected=expected, actual=actual, mend=mend)

    def _reduced_rows(self) -> list[Row]:
        rows = list(self._rows)
        for amount in self._coupons:
            items = [index for index, row in enumerate(rows) if row.type != "shipping_fee" and row.total]
            available = sum(rows[index].total for index in items)
            if amount > available:
                mend = "A discount can take off what the items cost and no more."
                refuse("/order_amount", "discount", expected=f"at most {available}", actual=amount, mend=mend)
            shares = allocate(amount, [rows[index].total for index in items]) if items else []
            for index, share in zip(items, shares, strict=True):
                rows[index] = replace(rows[index], discount=rows[index].discount + share)
        return rows

    def _leftover(self, built: int, total: int) -> list[Row]:
        leftover = total - built
        if abs(leftover) > len(self._rows):
            mend = (
                f"{display(abs(leftover), self.purchase_currency)} of the cart's total "
                f"{'is in no row.' if leftover > 0 else 'was added twice or is a missing discount.'}"
            )
            refuse(
                "/order_amount",
                "total",
                expected=display(total, self.purchase_currency),
                actual=display(built, self.purchase_currency),
                mend=mend,
            )
        if not leftover:
            return []
        kind = "surcharge" if leftover > 0 else "discount"
        return [Row(type=kind, name="Rounding", quantity=1, gross=leftover, tax_rate=0)]


def usual_locale(purchase_country: str) -> str | None:
    """Give the first locale of a market, if Klarna Payments is offered there."""
    market = MARKETS.get(purchase_country)
    return market.locales[0] if market else None


def line_fields(product: dict[str, Any]) -> dict[str, Any]:
    """Sort product fields into those of the line and those of its ``product_identifiers``."""
    identifiers = {key: product[key] for key in IDENTIFIERS if product.get(key)}
    line = {key: value for key, value in product.items() if key not in IDENTIFIERS}
    return {**line, "product_identifiers": ProductIdentifiers(**identifiers)} if identifiers else line

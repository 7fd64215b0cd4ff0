"""`SessionBuilder`: a cart, row by row, as a Klarna session whose sums are right."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise

from django_klarna.api import OrderLine, SessionCreate
from django_klarna.lines.products import NAME_LENGTH, fitting, product_fields
from django_klarna.lines.reading import Reader, measured
from django_klarna.lines.rows import Line, Row, Shared
from django_klarna.lines.rules import tax_in
from django_klarna.lines.settling import sales_tax, settled, untaxed, with_leftover
from django_klarna.markets import market_for
from django_klarna.money import NO_TAX, Rate

#: https://docs.klarna.com/api-reference/data-types
MOST_LINES = 1000
NOTHING: Final = 0

Amount = Decimal | int
Name = str | Promise


class SessionBuilder:
    """Describe a cart to Klarna, row by row; `build` checks the shop's total and gives the session.

    Amounts are ``Decimal`` (or ``int``) in the currency's major unit, and only a ``net_price`` is without tax; rates
    are percentages (25, 5.5, 14.975). A ``float`` is a `TypeError`, and what a cart may not contain raises
    `CartNotPayable`. Where tax is a line of its own (in the US, and in each cart with `add_sales_tax`) no amount
    contains tax. ``options`` are further fields of the session (``intent``, ``merchant_data``, ``options``, …).
    """

    def __init__(
        self, purchase_country: str, purchase_currency: str, *, locale: str | None = None, **options: Any
    ) -> None:
        self.purchase_country = purchase_country.upper()
        self.purchase_currency = purchase_currency.upper()
        self.locale = locale or usual_locale(self.purchase_country)
        self.options = options
        #: What the shop's tax was off from the exact one, in minor units; set by `build`.
        self.tax_drift = 0
        self._rows: list[Row | Shared] = []
        self._coupons: list[int] = []
        self._read = Reader(self.purchase_currency, self._rows)

    def add_item(  # noqa: PLR0913 - what a row of a cart has
        self,
        name: Name,
        *,
        quantity: Amount,
        tax_rate: Amount,
        price: Amount | None = None,
        net_price: Amount | None = None,
        row_total: Amount | None = None,
        row_tax: Amount | None = None,
        discount: Amount = NOTHING,
        unit: str | None = None,
        reference: str | None = None,
        type: str = "physical",  # noqa: A002 - Klarna's name of the field
        **product: Any,
    ) -> None:
        """Add ``quantity`` pieces, or an amount of a ``unit`` (1.5 kg), of a product.

        It costs ``price`` each, ``net_price`` each without tax, or ``row_total`` for the whole row; ``discount`` is
        off the whole row, and ``row_tax`` the shop's own tax on what is left of its total. ``product`` are further
        fields of an order line: ``product_url``, ``image_url``, ``merchant_data``, ``subscription``, and those of
        ``product_identifiers`` (``brand``, ``size``, …). Texts that are too long for Klarna are cut.
        """
        read = self._read
        if row_tax is not None and row_total is None:
            raise TypeError("row_tax goes with row_total")
        pieces, rate = read.quantity(quantity), read.rate(tax_rate)
        gross, net = read.cost(pieces, rate, price=price, net_price=net_price, row_total=row_total)
        if isinstance(pieces, Decimal):
            name, pieces, unit = measured(name, pieces, unit), 1, None
        row = Row(
            type,
            fitting(name, NAME_LENGTH),
            gross,
            pieces,
            rate,
            0 if discount is NOTHING else read.reduction(discount, gross),
            net,
            None if row_tax is None else read.minor("row_tax", row_tax),
            product_fields(reference, unit, product),
        )
        if row.discount < 0:
            self._rows += row.with_surcharge()
        else:
            self._rows.append(row)

    def add_shipping(self, name: Name, price: Amount, *, tax_rate: Amount | None = None) -> None:
        """Add what the delivery costs, also when that is nothing; without a rate it has those of the goods."""
        self._add_fee("shipping_fee", name, self._read.not_negative("price", price), tax_rate)

    def add_surcharge(self, name: Name, amount: Amount, *, tax_rate: Amount | None = None) -> None:
        """Add a fee, such as for gift wrapping; without a rate it has those of the goods.

        A negative one is a discount on the goods.
        """
        minor = self._read.minor("amount", amount)
        if minor < 0:
            self.add_discount(name, -amount)
        else:
            self._add_fee("surcharge", name, minor, tax_rate)

    def add_discount(self, name: Name, amount: Amount, *, as_lines: bool = False) -> None:
        """Take ``amount`` (positive) off the goods, in proportion to what each costs, and then off the fees.

        It goes into their lines, or with ``as_lines`` into lines of its own called ``name``, one for each tax rate.
        A negative discount is a surcharge.
        """
        minor = self._read.minor("amount", amount)
        if minor < 0:
            self._add_fee("surcharge", name, -minor, None)
        elif as_lines:
            self._rows.append(Shared(type="discount", name=fitting(name, NAME_LENGTH), amount=minor))
        else:
            self._coupons.append(minor)

    def add_gift_card(self, name: Name, amount: Amount) -> None:
        """Pay ``amount`` (positive) of the order with a gift card; there is no tax on it."""
        self._add("gift_card", name, -self._read.not_negative("amount", amount))

    def add_store_credit(self, name: Name, amount: Amount) -> None:
        """Pay ``amount`` (positive) of the order with what the shop owes the shopper; there is no tax on it."""
        self._add("store_credit", name, -self._read.not_negative("amount", amount))

    def add_sales_tax(self, name: Name, amount: Amount) -> None:
        """Add a tax that is in no price, such as that of a state of the US; call it once for each kind of tax.

        Then no amount of the cart contains tax, and the rates of its rows say nothing.
        """
        self._add("sales_tax", name, self._read.not_negative("amount", amount))

    def add_rounding(self, name: Name, amount: Amount) -> None:
        """Add what the shop rounds its total by, as for cash: negative where the shopper pays less."""
        minor = self._read.minor("amount", amount)
        if minor:
            self._add("surcharge" if minor > 0 else "discount", name, minor)

    def build(self, *, total: Amount, tax: Amount | None = None) -> SessionCreate:
        """Give the session; its ``order_amount`` is the shop's ``total`` exactly.

        What rounding left over, at most one minor unit a row, becomes a visible line; more is missing or
        counted twice and raises `CartNotPayable`. A ``tax`` that differs from the exact one is replaced, and
        what it was off is kept as `tax_drift`.
        """
        due = self._read.minor("total", total)
        rows = self._settled_rows(due)
        lines = order_lines(rows)
        order_tax_amount = tax_in(lines)
        if tax is None:
            self.tax_drift = sum(row.tax_drift for row in rows if row.tax is not None)
        else:
            self.tax_drift = self._read.minor("tax", tax) - order_tax_amount
        return SessionCreate(
            purchase_country=self.purchase_country,
            purchase_currency=self.purchase_currency,
            locale=self.locale,
            order_amount=due,
            order_tax_amount=order_tax_amount,
            order_lines=tuple(map(OrderLine.__from_values__, lines)),
            **self.options,
        )

    def _settled_rows(self, due: int) -> list[Row]:
        """Give rows that add up to what is due."""
        market = market_for(self.purchase_country)
        has_sales_tax = any(row.type == "sales_tax" for row in self._rows)
        if has_sales_tax or (market and market.tax_model == "sales_tax"):
            rows = settled(untaxed(self._rows), self._coupons)
            computed = [] if has_sales_tax else sales_tax(rows)
            rows = [row.tax_free() for row in rows]
        else:
            rows, computed = settled(self._rows, self._coupons), []
        return with_leftover(rows, computed, due, self.purchase_currency)

    def _add_fee(self, type: str, name: Name, amount: int, tax_rate: Amount | None) -> None:  # noqa: A002 - as in Klarna
        if tax_rate is None:
            self._rows.append(Shared(type=type, name=fitting(name, NAME_LENGTH), amount=amount))
        else:
            self._add(type, name, amount, self._read.rate(tax_rate))

    def _add(self, type: str, name: Name, amount: int, rate: Rate = NO_TAX) -> None:  # noqa: A002 - as in Klarna
        self._rows.append(Row(type=type, name=fitting(name, NAME_LENGTH), gross=amount, rate=rate))


def usual_locale(purchase_country: str) -> str | None:
    """Give the first locale of a market, if Klarna Payments is offered there."""
    market = market_for(purchase_country)
    return market.locales[0] if market else None


def order_lines(rows: Iterable[Row]) -> list[Line]:
    """Give the lines of all rows; of as few lines as can be where Klarna would not take them all."""
    lines = [line for row in rows for line in row.lines(divided=True)]
    if len(lines) > MOST_LINES:
        return [line for row in rows for line in row.lines(divided=False)]
    return lines

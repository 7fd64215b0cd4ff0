"""The rules that a session must keep to be accepted by Klarna: of the contract, of arithmetic, of the market."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django_klarna.api import SessionCreate
from django_klarna.exceptions import KlarnaValidationError, Violation
from django_klarna.lines.rows import EXTRAS
from django_klarna.markets import market_for
from django_klarna.money import FULL_RATE, quotient

#: https://docs.klarna.com/payments/web-payments/additional-resources/use-cases/discounts
LINE_TYPES = EXTRAS | {"physical", "digital"}
#: Lines that go with something bought; alone they are an empty cart.
COMPANIONS = EXTRAS - {"surcharge"}


def explain(session: SessionCreate) -> list[Violation]:
    """Give every rule that ``session`` breaks, so that Klarna would refuse it; an empty list is good.

    Each violation names where, the rule, what was expected and found, and a mend; as a ``str`` it is one or two
    sentences. What the contract forbids comes first, and alone: sums of wrong types cannot be told.
    """
    if not session.order_lines:
        return [nothing_bought()]
    try:
        session.check()
    except KlarnaValidationError as error:
        return list(error.violations)
    if all(line.type in COMPANIONS for line in session.order_lines):
        return [nothing_bought()]
    return [*line_violations(session), *sum_violations(session), *market_violations(session)]


def nothing_bought() -> Violation:
    """Say that the cart is empty."""
    mend = "There is nothing to pay in an empty cart."
    return Violation(path="/order_lines", rule="empty", expected="something bought", actual=0, mend=mend)


def line_violations(session: SessionCreate) -> Iterator[Violation]:
    """Check each order line by itself: its type, its total, its tax, and the sign of a discount.

    https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
    """
    for index, line in enumerate(session.order_lines):
        fields: Mapping[str, Any] = line.__values__
        kind, total = fields.get("type", "physical"), fields["total_amount"]
        rate, tax = fields.get("tax_rate", 0), fields.get("total_tax_amount", 0)
        if kind not in LINE_TYPES:
            yield unknown_type(index)
        expected = fields["quantity"] * fields["unit_price"] - fields.get("total_discount_amount", 0)
        if total != expected:
            yield wrong_total(index, expected, total)
        # |tax - (total - total * 10000 / (10000 + rate))| <= 1, multiplied out to stay in integers.
        if abs(tax * (FULL_RATE + rate) - total * rate) > FULL_RATE + rate and kind != "sales_tax":
            yield wrong_tax(index, quotient(total * rate, FULL_RATE + rate), tax)
        if kind == "discount" and total > 0:
            yield wrong_sign(index, total)


def unknown_type(index: int) -> Violation:
    """Say that a line is of no type that Klarna knows."""
    types = ", ".join(sorted(LINE_TYPES))
    return Violation(path=f"/order_lines/{index}/type", rule="line_type", expected=f"one of {types}")


def wrong_total(index: int, expected: int, actual: int) -> Violation:
    """Say that a line does not add up."""
    return Violation(
        path=f"/order_lines/{index}/total_amount",
        rule="total_amount",
        expected=expected,
        actual=actual,
        mend="It is quantity * unit_price - total_discount_amount.",
    )


def wrong_tax(index: int, expected: int, actual: int) -> Violation:
    """Say that the tax of a line is off by more than one minor unit."""
    return Violation(
        path=f"/order_lines/{index}/total_tax_amount",
        rule="total_tax_amount",
        expected=expected,
        actual=actual,
        mend="The tax is inside total_amount, and may be off by one minor unit.",
    )


def wrong_sign(index: int, actual: int) -> Violation:
    """Say that a discount adds to the order."""
    return Violation(
        path=f"/order_lines/{index}/total_amount",
        rule="discount_sign",
        expected="0 or less",
        actual=actual,
        mend="What is added is a surcharge.",
    )


def sum_violations(session: SessionCreate) -> Iterator[Violation]:
    """Check the sums over all lines, and that there is something to pay."""
    lines: list[Mapping[str, Any]] = [line.__values__ for line in session.order_lines]
    sums = {"order_amount": sum([line["total_amount"] for line in lines]), "order_tax_amount": tax_in(lines)}
    for name, expected in sums.items():
        actual = getattr(session, name) or 0
        if actual != expected:
            mend = "It is the sum over the order lines."
            yield Violation(path=f"/{name}", rule=name, expected=expected, actual=actual, mend=mend)
    if session.order_amount == 0 and session.intent in {None, "buy"}:
        mend = "A cart that costs nothing needs no payment."
        yield Violation(path="/order_amount", rule="zero_amount", expected="more than 0", actual=0, mend=mend)


def tax_in(lines: Iterable[Mapping[str, Any]]) -> int:
    """Give the tax in all lines; a ``sales_tax`` line is tax as a whole."""
    return sum(
        [
            line["total_amount"] if line.get("type") == "sales_tax" else line.get("total_tax_amount", 0)
            for line in lines
        ]
    )


def market_violations(session: SessionCreate) -> Iterator[Violation]:
    """Check that Klarna Payments is offered for the country, in this currency, and for as much."""
    market = market_for(session.purchase_country)
    if market is None:
        yield Violation(
            path="/purchase_country",
            rule="market",
            expected="a country with Klarna Payments",
            actual=session.purchase_country,
            mend="Offer another payment method there.",
        )
        return
    if session.purchase_currency.upper() not in market.currencies:
        yield Violation(
            path="/purchase_currency",
            rule="market",
            expected=" or ".join(market.currencies),
            actual=session.purchase_currency,
            mend="Klarna takes the local currency of a country only.",
        )
    if market.max_order_amount is not None and session.order_amount > market.max_order_amount:
        yield Violation(
            path="/order_amount",
            rule="max_order_amount",
            expected=f"at most {market.max_order_amount}",
            actual=session.order_amount,
            mend="Offer another payment method for large orders, or mend KLARNA_MARKETS.",
        )

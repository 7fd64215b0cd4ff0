"""The rules that a session must keep to be accepted by Klarna: of the contract, of arithmetic, of the market."""

from collections.abc import Iterator

from django_klarna.api import OrderLine, SessionCreate
from django_klarna.exceptions import KlarnaValidationError, Violation
from django_klarna.markets import MARKETS
from django_klarna.money import FULL_RATE, included_tax

#: Lines that go with something bought; alone they are an empty cart.
EXTRAS = frozenset(("discount", "gift_card", "sales_tax", "shipping_fee", "store_credit"))


def violations_of(session: SessionCreate) -> list[Violation]:
    """Give every rule that ``session`` breaks: of the contract, of arithmetic and of the market; empty is good."""
    if not session.order_lines:
        return [nothing_bought()]
    try:
        session.check()
    except KlarnaValidationError as error:
        return list(error.violations)
    if all(line.type in EXTRAS for line in session.order_lines):
        return [nothing_bought()]
    return [*amount_violations(session), *market_violations(session)]


def nothing_bought() -> Violation:
    """Say that the cart is empty."""
    mend = "There is nothing to pay in an empty cart."
    return Violation(path="/order_lines", rule="empty", expected="something bought", actual=0, mend=mend)


def market_violations(session: SessionCreate) -> Iterator[Violation]:
    """Check that Klarna Payments is offered for the country, and in this currency."""
    market = MARKETS.get(session.purchase_country.upper())
    if market is None:
        yield Violation(
            path="/purchase_country",
            rule="market",
            expected="a country with Klarna Payments",
            actual=session.purchase_country,
            mend="Offer another payment method there.",
        )
    elif session.purchase_currency.upper() != market.currency:
        yield Violation(
            path="/purchase_currency",
            rule="market",
            expected=market.currency,
            actual=session.purchase_currency,
            mend="Klarna takes the local currency of a country only.",
        )


def amount_violations(session: SessionCreate) -> Iterator[Violation]:
    """Check the sums as Klarna does.

    https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
    """
    for index, line in enumerate(session.order_lines):
        yield from line_violations(f"/order_lines/{index}", line)
    sums = {
        "order_amount": sum(line.total_amount for line in session.order_lines),
        "order_tax_amount": sum(map(tax_of, session.order_lines)),
    }
    for name, expected in sums.items():
        actual = getattr(session, name) or 0
        if actual != expected:
            yield Violation(
                path=f"/{name}",
                rule=name,
                expected=expected,
                actual=actual,
                mend="It is the sum over the order lines.",
            )
    if session.order_amount == 0 and session.intent in {None, "buy"}:
        yield Violation(
            path="/order_amount",
            rule="zero_amount",
            expected="more than 0",
            actual=0,
            mend="A cart that costs nothing needs no payment.",
        )


def line_violations(path: str, line: OrderLine) -> Iterator[Violation]:
    """Check one order line: its total, its tax (to one minor unit), and the sign of a discount."""
    total = line.quantity * line.unit_price - (line.total_discount_amount or 0)
    if line.total_amount != total:
        yield Violation(
            path=f"{path}/total_amount",
            rule="total_amount",
            expected=total,
            actual=line.total_amount,
            mend="total_amount is quantity * unit_price - total_discount_amount.",
        )
    rate, tax = line.tax_rate or 0, line.total_tax_amount or 0
    if line.type != "sales_tax" and abs(
        (line.total_amount - tax) * (FULL_RATE + rate) - line.total_amount * FULL_RATE
    ) > (FULL_RATE + rate):
        yield Violation(
            path=f"{path}/total_tax_amount",
            rule="total_tax_amount",
            expected=included_tax(line.total_amount, rate),
            actual=tax,
            mend="The tax is inside the amount; it may differ by one minor unit.",
        )
    if line.type == "discount" and line.total_amount > 0:
        yield Violation(
            path=f"{path}/total_amount",
            rule="discount_sign",
            expected="0 or less",
            actual=line.total_amount,
            mend="A positive amount is a surcharge.",
        )


def tax_of(line: OrderLine) -> int:
    """Give the tax in a line; a ``sales_tax`` line is tax as a whole."""
    return line.total_amount if line.type == "sales_tax" else line.total_tax_amount or 0

"""Carts of any kind, each with what a shop would ask for it: worked out here by itself, in fractions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import strategies as st

from django_klarna.lines import SessionBuilder
from django_klarna.markets import MARKETS

D = Decimal
RATES = [
    D(rate) for rate in ("0", "2.1", "5", "5.5", "6", "7", "8.1", "12", "19", "20", "21", "25", "25.5", "27")
]
FINE_RATES = [D(rate) for rate in ("14.975", "8.875", "0.0029", "33.333333")]
NAMES = st.sampled_from(["Mug", "Käse, gereift", "ギフト", "x" * 300, "two\nlines"])
#: Klarna's largest amount of a line, in the major unit.
MOST = 1_000_000
#: In minor units, of a price: with 27 % of tax on each of eight the tax is still one line.
LARGEST_SUM = 45 * MOST


def rounded(number: Fraction) -> int:
    """Round halves away from zero, as the shop does."""
    return int(abs(number) + Fraction(1, 2)) * (-1 if number < 0 else 1)


@dataclass
class Item:
    """One call of add_item, and what the shop asks for the row, in minor units."""

    arguments: dict[str, Any]
    total: int
    untaxed: int


@dataclass
class ShopCart:
    """Calls of the builder, and the shop's own sum."""

    country: str
    items: list[Item]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    total: int = 0

    def build(self, order: Callable[[list[Any]], list[Any]] = list) -> tuple[SessionBuilder, Any]:
        builder = SessionBuilder(self.country, MARKETS[self.country].currencies[0])
        rows = [("add_item", item.arguments) for item in self.items]
        for method, arguments in order([*rows, *self.calls]):
            getattr(builder, method)(**arguments)
        return builder, builder.build(total=D(self.total) / 100)


QUANTITIES = st.one_of(
    st.integers(1, 1000), st.integers(1, 99_999).map(lambda thousandths: D(thousandths) / 1000)
)
SUMS = st.one_of(st.integers(0, 3000), st.integers(0, LARGEST_SUM))
PARTS = st.one_of(st.just(0), st.integers(0, 1000))


def item_of(
    kind: str, quantity: Decimal | int, price: int, places: int, rate: Decimal, part: int, name: str
) -> Item:
    """A row by its price: all of it costs ``price`` at most, ``part`` of a thousand is its discount."""
    each = D(price // ceil(quantity)).scaleb(-places)
    exact = Fraction(each) * Fraction(quantity) * 100
    untaxed = rounded(exact)
    total = rounded(exact * (1 + Fraction(rate) / 100)) if kind == "net_price" else untaxed
    discount = untaxed * part // 1000
    arguments = {
        "name": name,
        "quantity": quantity,
        "tax_rate": rate,
        kind: each,
        "discount": D(discount) / 100,
    }
    return Item(arguments, total - discount, untaxed - discount)


def row_of(quantity: int, total: int, tax: int | None, rate: Decimal) -> Item:
    """A row by the shop's own total and tax, which may be rubbish."""
    arguments = {
        "name": "Row",
        "quantity": quantity,
        "tax_rate": rate,
        "row_total": D(total) / 100,
        "row_tax": None if tax is None else D(tax) / 100,
    }
    return Item(arguments, total, total)


def items(rates: list[Decimal]) -> st.SearchStrategy[Item]:
    rate = st.sampled_from(rates)
    kinds = st.sampled_from(["price", "net_price"])
    return st.builds(item_of, kinds, QUANTITIES, SUMS, st.integers(2, 4), rate, PARTS, NAMES)


def row_totals(rates: list[Decimal]) -> st.SearchStrategy[Item]:
    return st.builds(
        row_of, st.integers(1, 1000), st.integers(0, 100 * MOST), st.none() | SUMS, st.sampled_from(rates)
    )


EXACT_ROWS = items(RATES) | row_totals(RATES)
ROWS = items(RATES + FINE_RATES) | row_totals(RATES + FINE_RATES)
TAXED = st.sampled_from([country for country, market in MARKETS.items() if market.tax_model == "included"])


@st.composite
def carts(draw: st.DrawFn, rows: st.SearchStrategy[Item] = ROWS) -> ShopCart:
    """A cart of any market where lines contain their tax, with fees, discounts, cards and rounding."""
    drawn = draw(st.lists(rows, min_size=1, max_size=6))
    cart = ShopCart(draw(TAXED), drawn, total=sum(row.total for row in drawn))
    for extra in draw(st.lists(st.sampled_from(EXTRAS), max_size=4)):
        method, arguments, amount = draw(extra(cart))
        cart.calls.append((method, arguments))
        cart.total += amount
    cart.total = max(cart.total + draw(st.integers(-len(drawn), len(drawn))), 0) if cart.total else 0
    return cart


Extra = tuple[str, dict[str, Any], int]
FEE_RATES = st.none() | st.sampled_from(RATES)


@st.composite
def fees(draw: st.DrawFn, cart: ShopCart) -> Extra:
    """Shipping or a surcharge, of a rate or of those of the goods; a negative surcharge is a discount."""
    method, name = draw(st.sampled_from([("add_shipping", "price"), ("add_surcharge", "amount")]))
    amount = draw(st.integers(0, 50_000))
    rate = draw(FEE_RATES)
    return method, {"name": "Fee", name: D(amount) / 100, "tax_rate": rate}, amount


@st.composite
def discounts(draw: st.DrawFn, cart: ShopCart) -> Extra:
    """A coupon of at most what is left of the goods, or a negative one."""
    amount = draw(st.integers(-1000, max(left_of_goods(cart), 0)))
    arguments = {"name": "Coupon", "amount": D(amount) / 100, "as_lines": draw(st.booleans())}
    return "add_discount", arguments, -amount


@st.composite
def payments(draw: st.DrawFn, cart: ShopCart) -> Extra:
    """A gift card or store credit of at most what is left to pay."""
    method = draw(st.sampled_from(["add_gift_card", "add_store_credit"]))
    amount = draw(st.integers(0, max(cart.total, 0)))
    return method, {"name": "Card", "amount": D(amount) / 100}, -amount


@st.composite
def roundings(draw: st.DrawFn, cart: ShopCart) -> Extra:
    """What cash cannot pay."""
    amount = draw(st.integers(-min(cart.total, 5), 5))
    return "add_rounding", {"name": "Rounding", "amount": D(amount) / 100}, amount


EXTRAS = [fees, discounts, discounts, payments, roundings]


def left_of_goods(cart: ShopCart) -> int:
    """What coupons may still take, so that cards paid before leave something."""
    coupons = sum(
        int(arguments["amount"] * 100)
        for method, arguments in cart.calls
        if method == "add_discount" and arguments["amount"] > 0
    )
    return min(sum(item.total for item in cart.items) - coupons, cart.total)

"""What belongs to a cart as a whole is settled with its rows: fees, discounts and sales tax of all goods."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.lines.rows import EXTRAS, FEES, Row, Shared
from django_klarna.money import NO_TAX, Rate, allocate, display

Key = TypeVar("Key", int, Rate)
Rows = Sequence[Row | Shared]


def settled(rows: Rows, coupons: Sequence[int]) -> list[Row]:
    """Give the rows with all that belongs to the whole cart; ``coupons`` are in minor units.

    A coupon is taken off the goods, in proportion to what each costs, and what is more than they cost off the fees.
    So is a discount that was to be lines of its own, if those would have more tax than the goods.
    """
    own = [row for row in rows if isinstance(row, Row)]
    if not coupons and len(own) == len(rows):
        return own
    rows = with_fees(rows)
    with_lines = with_discount_lines(reduced(rows, coupons))
    if sum(row.tax_amount for row in with_lines) >= 0:
        return with_lines
    coupons = [*coupons, *(row.amount for row in rows if isinstance(row, Shared))]
    return with_discount_lines(reduced([row for row in rows if isinstance(row, Row)], coupons))


def with_fees(rows: Rows) -> Rows:
    """Split the fees of all goods over the rates of the goods, in proportion to what these cost."""
    weights = weights_of([row for row in rows if isinstance(row, Row) and row.type not in EXTRAS])
    settled: list[Row | Shared] = []
    for row in rows:
        settled += over_rates(row, weights) if isinstance(row, Shared) and row.type in FEES else [row]
    return settled


def weights_of(goods: Sequence[Row]) -> Counter[Rate]:
    """Give what the goods of each rate cost; if they are free, what they would have cost."""
    totals, prices = Counter[Rate](), Counter[Rate]()
    for row in goods:
        totals[row.rate] += row.total
        prices[row.rate] += row.gross
    costly = next((weights for weights in (totals, prices) if any(weights.values())), None)
    return costly or Counter({next(iter(prices), NO_TAX): 1})


def over_rates(shared: Shared, weights: Counter[Rate]) -> list[Row]:
    """Split an amount in proportion to ``weights``; nothing at all becomes one row, of the heaviest rate."""
    shares = dict(zip(weights, allocate(shared.amount, list(weights.values())), strict=True))
    if not shared.amount:
        shares = {max(weights, key=lambda rate: weights[rate]): 0}
    else:
        shares = {rate: share for rate, share in shares.items() if share}
    return [shared.row(rate, share, alone=len(shares) == 1) for rate, share in shares.items()]


def reduced(rows: Rows, coupons: Iterable[int]) -> Rows:
    """Take the coupons off the rows."""
    tiers = tiers_by(lambda index, _row: index, rows)
    shares = Counter[int]()
    for coupon in coupons:
        shares.update(taken(coupon, tiers))
    return [
        row.reduced(shares[index]) if isinstance(row, Row) and shares[index] else row
        for index, row in enumerate(rows)
    ]


def with_discount_lines(rows: Rows) -> list[Row]:
    """Make the discounts that are lines of their own one line for each rate of what they reduce."""
    tiers = tiers_by(lambda _index, row: row.rate, rows)
    settled: list[Row] = []
    for row in rows:
        if isinstance(row, Row):
            settled.append(row)
        else:
            shares = taken(row.amount, tiers)
            settled += [row.row(rate, -share, alone=len(shares) == 1) for rate, share in shares.items()]
    return settled


def tiers_by(key: Callable[[int, Row], Key], rows: Rows) -> tuple[Counter[Key], Counter[Key]]:
    """Give what can be taken off the goods, and then off the fees, by ``key`` of a row and its index."""
    goods, fees = Counter[Key](), Counter[Key]()
    for index, row in enumerate(rows):
        if isinstance(row, Row) and row.type in FEES:
            fees[key(index, row)] += row.total
        elif isinstance(row, Row) and row.type not in EXTRAS:
            goods[key(index, row)] += row.total
    return goods, fees


def taken(amount: int, tiers: Iterable[Counter[Key]]) -> Counter[Key]:
    """Take ``amount`` out of the tiers, out of the first before the next, and give the shares."""
    shares, left = Counter[Key](), amount
    for tier in tiers:
        part = min(left, tier.total())
        if part:
            share = Counter(dict(zip(tier, allocate(part, list(tier.values())), strict=True)))
            tier.subtract(share)
            shares.update(share)
            left -= part
    if left:
        raise CartNotPayable((too_much(amount, amount - left),))
    return +shares


def too_much(amount: int, available: int) -> Violation:
    """Say that a discount is more than all that it could be taken off."""
    return Violation(
        path="/order_amount",
        rule="discount",
        expected=f"at most {available}",
        actual=amount,
        mend="A discount can take off what goods, shipping and surcharges cost, and no more.",
    )


def untaxed(rows: Rows) -> list[Row | Shared]:
    """Give the rows as they are where tax is a line of its own: prices without tax, fees of all goods untaxed."""
    return [row.untaxed() if isinstance(row, Row) or row.type in FEES else row for row in rows]


def sales_tax(rows: Iterable[Row]) -> list[Row]:
    """Give the tax on prices without tax as a row: rounded once a rate, or the shop's own where it is known."""
    amount, totals = 0, Counter[Rate]()
    for row in rows:
        if row.tax is None:
            totals[row.rate] += row.total
        else:
            amount += row.tax
    amount += sum(rate.tax_on(total) for rate, total in totals.items())
    return [Row(type="sales_tax", name="Sales Tax", gross=amount)] if amount else []


def with_leftover(rows: list[Row], tax: list[Row], due: int, currency: str) -> list[Row]:
    """Add what is missing from the rows and their computed ``tax`` to what is ``due``, if rounding can explain it.

    What we computed ourselves takes it on, or else a visible line does.
    """
    leftover = due - sum([row.gross - row.discount for row in (*rows, *tax)])
    if abs(leftover) > len(rows):
        raise CartNotPayable((unexplained(rows, leftover, due, currency),))
    if tax:
        return [*rows, replace(tax[0], gross=tax[0].gross + leftover)]
    kind = "surcharge" if leftover > 0 else "discount"
    return [*rows, Row(type=kind, name="Rounding", gross=leftover)] if leftover else rows


def unexplained(rows: Iterable[Row], leftover: int, due: int, currency: str) -> Violation:
    """Say what the shop's total and its rows differ by, and where to look."""
    amount = display(abs(leftover), currency)
    cause = "is in no row." if leftover > 0 else "was added twice, or is a discount that is missing."
    alike = [
        f"row {index + 1} ({row.type})" for index, row in enumerate(rows) if abs(row.total) == abs(leftover)
    ]
    hint = f" Just as much is {alike[0]}." if alike else ""
    return Violation(
        path="/order_amount",
        rule="total",
        expected=display(due, currency),
        actual=display(due - leftover, currency),
        mend=f"{amount} of the cart's total {cause}{hint}",
    )

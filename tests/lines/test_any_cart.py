"""Whatever is in a cart, its session keeps every rule and costs what the shop says.

Long: `--hypothesis-profile=long`.
"""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from django_klarna.api import SessionCreate
from django_klarna.lines import explain
from django_klarna.sandbox import Sandbox
from tests.lines.carts import EXACT_ROWS, LARGEST_SUM, RATES, Item, ShopCart, carts, item_of, items
from tests.sandbox.conftest import Client

PROFILE = settings.get_current_profile_name()
many = settings(
    max_examples={"long": 200_000, "quick": 200}.get(PROFILE, 1_200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
some = settings(parent=many, max_examples={"long": 50_000, "quick": 50}.get(PROFILE, 300))
#: Once it came to 1,000,000.01, and the tax of eight such as the next to more: Klarna takes 1,000,000.00 in a line.
LARGE = item_of("net_price", Decimal("1.510"), 49_668_875, 2, Decimal("33.333333"), 0, "Mug")
LARGEST = item_of("price", 1, LARGEST_SUM, 2, Decimal(27), 0, "Mug")


def assert_payable(session: SessionCreate) -> None:
    """Our rules hold, and the sandbox, which shares no code with them, takes it; a cart may cost nothing."""
    assert [each.rule for each in explain(session)] in ([], ["zero_amount"])
    answer = Client(Sandbox()).create(session.to_dict())
    assert answer.status == 200, answer.body


def true_tax(session: SessionCreate, rates: dict[int, Fraction]) -> Fraction:
    """The tax in all lines, with the true rate for each of Klarna's basis points, not rounded."""
    lines = ((line.total_amount, rates[line.tax_rate or 0]) for line in session.order_lines)
    return sum((total * rate / (100 + rate) for total, rate in lines), Fraction(0))


@many
@example(ShopCart("AT", [LARGE], total=LARGE.total))
@given(carts())
def test_any_cart_is_payable_and_costs_what_the_shop_says(cart: ShopCart) -> None:
    _builder, session = cart.build()

    assert_payable(session)
    assert session.order_amount == cart.total


@some
@given(carts(EXACT_ROWS))
def test_the_tax_is_the_exact_one_to_one_minor_unit_a_line(cart: ShopCart) -> None:
    _builder, session = cart.build()

    exact = true_tax(session, {int(rate * 100): Fraction(rate) for rate in RATES})
    assert abs((session.order_tax_amount or 0) - exact) <= len(session.order_lines)


@some
@example(ShopCart("AT", [LARGE, LARGE], total=2 * LARGE.total), Random(0))
@given(carts(), st.randoms(use_true_random=False))
def test_the_order_of_the_calls_changes_no_sum(cart: ShopCart, random: Random) -> None:
    _builder, session = cart.build()
    _other, shuffled = cart.build(lambda calls: random.sample(calls, len(calls)))

    assert shuffled.order_amount == session.order_amount
    assert_payable(shuffled)
    assert totals_by_type(shuffled) == totals_by_type(session)


def totals_by_type(session: SessionCreate) -> Counter[str]:
    totals = Counter[str]()
    for line in session.order_lines:
        totals[line.type or "physical"] += line.total_amount
    return +totals - Counter()


@some
@example(rows=[LARGEST] * 8, tax=0, declared=False)
@given(st.lists(items(RATES), min_size=1, max_size=8), st.integers(0, 10_000), st.booleans())
def test_any_cart_of_the_us_has_its_tax_in_one_line(rows: list[Item], tax: int, declared: bool) -> None:
    cart = ShopCart("US", rows, total=sum(item.untaxed for item in rows))
    by_rate = Counter[Decimal]()
    for item in rows:
        by_rate[item.arguments["tax_rate"]] += item.untaxed
    if declared:
        cart.calls.append(("add_sales_tax", {"name": "Tax", "amount": Decimal(tax) / 100}))
    else:
        tax = sum(
            int(Fraction(total) * Fraction(rate) / 100 + Fraction(1, 2)) for rate, total in by_rate.items()
        )
    cart.total += tax

    _builder, session = cart.build()

    assert_payable(session)
    assert (session.order_amount, session.order_tax_amount) == (cart.total, tax)
    assert not any(line.tax_rate or line.total_tax_amount for line in session.order_lines)

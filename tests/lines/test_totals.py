"""What belongs to a cart as a whole: fees, discounts, cards, sales tax, rounding, and the shop's total."""

from decimal import Decimal
from typing import Any

import pytest

from django_klarna.api import SessionCreate
from django_klarna.exceptions import CartNotPayable
from django_klarna.lines import SessionBuilder, explain

D = Decimal


def cart(*items: tuple[str, object], country: str = "SE", currency: str = "SEK") -> SessionBuilder:
    """A cart with one piece of each price and rate."""
    builder = SessionBuilder(country, currency)
    for price, rate in items:
        builder.add_item("a", quantity=1, price=D(price), tax_rate=D(str(rate)))
    return builder


def brief(session: SessionCreate) -> list[tuple[object, ...]]:
    """Type, rate, total and tax of each line; the rules hold."""
    assert explain(session) == []
    return [
        (line.type, line.tax_rate, line.total_amount, line.total_tax_amount) for line in session.order_lines
    ]


def names(session: SessionCreate) -> list[str]:
    return [line.name for line in session.order_lines]


def test_shipping_of_a_rate_is_one_line() -> None:
    builder = cart(("10", 25), ("10", 6))
    builder.add_shipping("Post", D(5), tax_rate=25)

    assert brief(builder.build(total=D(25)))[2:] == [("shipping_fee", 2500, 500, 100)]


def test_shipping_is_split_over_the_rates_of_the_goods() -> None:
    builder = cart(("59.97", 19), ("12.50", 7), country="DE", currency="EUR")
    builder.add_shipping("DHL", D("4.90"))

    session = builder.build(total=D("77.37"))

    # 4.90 * 59.97 / 72.47 = 4.0548
    assert brief(session)[2:] == [("shipping_fee", 1900, 405, 65), ("shipping_fee", 700, 85, 6)]
    assert names(session)[2:] == ["DHL 19 %", "DHL 7 %"]


def test_shipping_of_goods_of_one_rate_is_one_line() -> None:
    builder = cart(("10", 25), ("20", 25))
    builder.add_shipping("Post", D(5))

    session = builder.build(total=D(35))

    assert brief(session)[2:] == [("shipping_fee", 2500, 500, 100)]
    assert names(session)[2] == "Post"


def test_a_rate_that_gets_nothing_gets_no_line() -> None:
    builder = cart(("1000", 25), ("0.01", 6))
    builder.add_shipping("Post", D(5))

    assert brief(builder.build(total=D("1005.01")))[2:] == [("shipping_fee", 2500, 500, 100)]


def test_free_shipping_is_a_line_of_the_heaviest_rate() -> None:
    builder = cart(("10", 6), ("20", 25))
    builder.add_shipping("Post", D(0))

    assert brief(builder.build(total=D(30)))[2:] == [("shipping_fee", 2500, 0, 0)]


def test_shipping_of_free_goods_goes_by_what_they_would_have_cost() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item("a", quantity=1, price=D(30), tax_rate=25, discount=D(30))
    builder.add_item("b", quantity=1, price=D(10), tax_rate=6, discount=D(10))
    builder.add_shipping("Post", D(4))

    assert brief(builder.build(total=D(4)))[2:] == [
        ("shipping_fee", 2500, 300, 60),
        ("shipping_fee", 600, 100, 6),
    ]


def test_shipping_of_goods_that_never_cost_anything_has_their_rate() -> None:
    builder = cart(("0", 25))
    builder.add_shipping("Post", D(4))

    assert brief(builder.build(total=D(4)))[1:] == [("shipping_fee", 2500, 400, 80)]


def test_shipping_of_nothing_is_not_taxed() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_shipping("Post", D(4))

    session = builder.build(total=D(4))

    assert [(line.tax_rate, line.total_amount) for line in session.order_lines] == [(0, 400)]
    assert [violation.rule for violation in explain(session)] == ["empty"]


def test_a_surcharge_is_like_shipping() -> None:
    builder = cart(("30", 25), ("10", 6))
    builder.add_surcharge("Wrapping", D(4))
    builder.add_surcharge("Fee", D(2), tax_rate=25)

    session = builder.build(total=D(46))

    assert brief(session)[2:] == [
        ("surcharge", 2500, 300, 60),
        ("surcharge", 600, 100, 6),
        ("surcharge", 2500, 200, 40),
    ]


def test_a_negative_surcharge_is_a_discount_and_the_reverse() -> None:
    builder = cart(("10", 25))
    builder.add_surcharge("Early", D(-1), tax_rate=25)
    builder.add_discount("Late", D(-2))

    assert brief(builder.build(total=D(11))) == [("physical", 2500, 900, 180), ("surcharge", 2500, 200, 40)]


def test_a_coupon_is_taken_off_the_goods_in_proportion() -> None:
    builder = cart(("3.33", 20), ("3.33", 20), ("3.33", 20))
    builder.add_shipping("Post", D(1), tax_rate=20)
    builder.add_discount("coupon", D("1.00"))

    session = builder.build(total=D("9.99"))

    assert [line.total_discount_amount for line in session.order_lines] == [34, 33, 33, 0]


def test_coupons_add_up_and_leave_what_is_free_alone() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item("gift", quantity=1, price=D(5), tax_rate=25, discount=D(5))
    builder.add_item("a", quantity=3, row_total=D(10), tax_rate=25)
    builder.add_discount("one", D(2))
    builder.add_discount("two", D(3))

    session = builder.build(total=D(5))

    assert [(line.unit_price, line.total_discount_amount) for line in session.order_lines] == [
        (500, 500),
        (334, 502),
    ]


def test_the_shops_tax_on_a_row_is_not_believed_after_a_coupon() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item("a", quantity=1, row_total=D(10), row_tax=D(2), tax_rate=25)
    builder.add_discount("coupon", D(5))

    assert brief(builder.build(total=D(5))) == [("physical", 2500, 500, 100)]
    assert builder.tax_drift == 0


def test_a_coupon_of_more_than_the_goods_goes_on_to_the_fees() -> None:
    builder = cart(("10", 25))
    builder.add_shipping("Post", D(5), tax_rate=25)
    builder.add_discount("all", D(12))

    assert brief(builder.build(total=D(3))) == [("physical", 2500, 0, 0), ("shipping_fee", 2500, 300, 60)]


@pytest.mark.parametrize("as_lines", [False, True])
def test_a_coupon_takes_no_more_than_there_is(as_lines: bool) -> None:
    builder = cart(("10", 25))
    builder.add_shipping("Post", D(5), tax_rate=25)
    builder.add_gift_card("card", D(1))
    builder.add_discount("coupon", D("15.01"), as_lines=as_lines)

    with pytest.raises(CartNotPayable) as refused:
        builder.build(total=D(0))

    [violation] = refused.value.violations
    assert (violation.path, violation.rule, violation.expected, violation.actual) == (
        "/order_amount",
        "discount",
        "at most 1500",
        1501,
    )


def test_a_discount_as_lines_has_one_for_each_rate() -> None:
    builder = cart(("200", 25), ("99", 0))
    builder.add_shipping("Post", D(10), tax_rate=25)
    builder.add_discount("coupon", D("149.50"), as_lines=True)

    session = builder.build(total=D("159.50"))

    assert brief(session)[2:] == [
        ("shipping_fee", 2500, 1000, 200),
        ("discount", 2500, -10000, -2000),
        ("discount", 0, -4950, 0),
    ]
    assert names(session)[3:] == ["coupon 25 %", "coupon 0 %"]


def test_discounts_as_lines_come_after_those_in_the_lines() -> None:
    builder = cart(("10", 25), ("10", 6))
    builder.add_discount("lines", D(8), as_lines=True)
    builder.add_discount("more", D(1), as_lines=True)
    builder.add_discount("coupon", D(10))

    session = builder.build(total=D(1))

    assert brief(session) == [
        ("physical", 2500, 500, 100),
        ("physical", 600, 500, 28),
        ("discount", 2500, -400, -80),
        ("discount", 600, -400, -23),
        ("discount", 2500, -50, -10),
        ("discount", 600, -50, -3),
    ]


def test_a_discount_as_lines_goes_on_to_the_fees() -> None:
    builder = cart(("10", 25))
    builder.add_shipping("Post", D(5), tax_rate=6)
    builder.add_discount("all", D(12), as_lines=True)

    assert brief(builder.build(total=D(3)))[2:] == [
        ("discount", 2500, -1000, -200),
        ("discount", 600, -200, -11),
    ]


def test_a_discount_as_lines_goes_into_the_lines_when_it_would_have_more_tax_than_the_goods() -> None:
    # Each 0.02 holds a tax of 0.004, which is none; together they hold 0.04.
    builder = cart(*[("0.02", 25)] * 10)
    builder.add_shipping("Post", D(1), tax_rate=0)
    builder.add_discount("all", D("0.20"), as_lines=True)

    session = builder.build(total=D(1))

    assert session.order_tax_amount == 0
    assert {line.type for line in session.order_lines} == {"physical", "shipping_fee"}


@pytest.mark.parametrize(
    ("add", "kind"), [("add_gift_card", "gift_card"), ("add_store_credit", "store_credit")]
)
def test_cards_are_negative_lines_without_tax(add: str, kind: str) -> None:
    builder = cart(("100", 25))
    getattr(builder, add)("card", D(30))

    assert brief(builder.build(total=D(70)))[1:] == [(kind, 0, -3000, 0)]


@pytest.mark.parametrize("add", ["add_gift_card", "add_store_credit", "add_shipping", "add_sales_tax"])
def test_a_sum_that_has_its_sign_already(add: str) -> None:
    builder = cart(("100", 25))

    with pytest.raises(CartNotPayable) as refused:
        getattr(builder, add)("a", D(-1))

    [violation] = refused.value.violations
    assert violation.path.startswith("/order_lines/1/")
    assert (violation.expected, violation.actual) == ("0 or more", -100)


@pytest.mark.parametrize("add", ["add_shipping", "add_surcharge"])
def test_a_rate_of_a_fee_is_told_with_its_own_row(add: str) -> None:
    builder = cart(("100", 25), ("100", 25))

    with pytest.raises(CartNotPayable) as refused:
        getattr(builder, add)("a", D(1), tax_rate=101)

    assert refused.value.violations[0].path == "/order_lines/2/tax_rate"


@pytest.mark.parametrize(
    ("add", "argument"),
    [("add_shipping", "price")]
    + [(f"add_{kind}", "amount") for kind in ("surcharge", "discount", "gift_card", "sales_tax", "rounding")],
)
def test_a_float_is_a_type_error(add: str, argument: str) -> None:
    with pytest.raises(TypeError, match=f"{argument} must be a Decimal or an int, not float"):
        getattr(cart(), add)("a", 1.0)


def test_a_float_total_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="total must be a Decimal or an int, not float"):
        cart(("1", 25)).build(total=1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tax must be a Decimal or an int, not float"):
        cart(("1", 25)).build(total=1, tax=0.2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "line"), [("-0.02", ("discount", 0, -2, 0)), ("0.03", ("surcharge", 0, 3, 0))]
)
def test_declared_rounding_is_a_line(amount: str, line: tuple[object, ...]) -> None:
    builder = cart(("99.97", 25))
    builder.add_rounding("Öresavrundning", D(amount))

    session = builder.build(total=D("99.97") + D(amount))

    assert brief(session)[1:] == [line]
    assert names(session)[1] == "Öresavrundning"


def test_no_rounding_is_no_line() -> None:
    builder = cart(("99.97", 25))
    builder.add_rounding("Öresavrundning", D("0.001"))

    assert len(brief(builder.build(total=D("99.97")))) == 1


@pytest.mark.parametrize("leftover", [2, -2])
def test_a_leftover_of_rounding_is_a_visible_line(leftover: int) -> None:
    builder = cart(("2.00", 25), ("3.00", 25))

    session = builder.build(total=5 + D(leftover) / 100)

    assert brief(session)[2:] == [("surcharge" if leftover > 0 else "discount", 0, leftover, 0)]
    assert names(session)[2] == "Rounding"


@pytest.mark.parametrize(
    ("total", "mend"),
    [
        ("5.03", "0.03\u00a0SEK of the cart's total is in no row."),
        ("4.97", "0.03\u00a0SEK of the cart's total was added twice, or is a discount that is missing."),
        ("3.00", "Just as much is row 1 (physical)."),
    ],
)
def test_more_than_a_leftover_is_missing(total: str, mend: str) -> None:
    with pytest.raises(CartNotPayable) as refused:
        cart(("2.00", 25), ("3.00", 25)).build(total=D(total))

    [violation] = refused.value.violations
    assert (violation.path, violation.rule) == ("/order_amount", "total")
    assert (violation.expected, violation.actual) == (f"{total}\u00a0SEK", "5.00\u00a0SEK")
    assert mend in str(violation)
    assert ("Just as much" in violation.mend) is (total == "3.00")


def us(*items: dict[str, Any]) -> SessionBuilder:
    builder = SessionBuilder("US", "USD")
    for item in items:
        builder.add_item(**{"name": "a", "quantity": 1, **item})
    return builder


def test_sales_tax_is_worked_out_from_rates_once_for_each() -> None:
    # 8.875 % of 53.98 is 4.790725; of each row by itself it would be 3.99 and 0.80.
    builder = us({"price": D("44.98"), "tax_rate": D("8.875")}, {"net_price": D(9), "tax_rate": D("8.875")})
    builder.add_shipping("Ground", D("5.99"))

    session = builder.build(total=D("64.76"))

    assert brief(session)[2:] == [("shipping_fee", 0, 599, 0), ("sales_tax", 0, 479, 0)]
    assert (names(session)[3], session.order_tax_amount) == ("Sales Tax", 479)


def test_sales_tax_is_on_what_coupons_leave() -> None:
    builder = us({"price": D(60), "tax_rate": 10}, {"price": D(40), "tax_rate": 0})
    builder.add_discount("coupon", D(10))
    builder.add_discount("lines", D(9), as_lines=True)

    session = builder.build(total=D(81) + D("4.86"), tax=D("4.86"))

    # 60 - 6 - 5.40 of it are taxed.
    assert brief(session) == [
        ("physical", 0, 5400, 0),
        ("physical", 0, 3600, 0),
        ("discount", 0, -540, 0),
        ("discount", 0, -360, 0),
        ("sales_tax", 0, 486, 0),
    ]
    assert builder.tax_drift == 0


def test_the_shops_own_sales_tax_on_a_row_is_taken() -> None:
    builder = us({"row_total": D(10), "row_tax": D("0.89"), "tax_rate": D("8.875")})

    assert builder.build(total=D("10.89")).order_tax_amount == 89


@pytest.mark.parametrize("off", [1, -1])
def test_what_rounding_left_over_is_in_the_sales_tax_we_worked_out(off: int) -> None:
    builder = us({"price": D(10), "tax_rate": D("8.875")})

    session = builder.build(total=D("10.89") + D(off) / 100)

    assert brief(session) == [("physical", 0, 1000, 0), ("sales_tax", 0, 89 + off, 0)]
    assert session.order_tax_amount == 89 + off


def test_without_rates_there_is_no_sales_tax() -> None:
    assert brief(us({"price": D(10), "tax_rate": 0}).build(total=D(10))) == [("physical", 0, 1000, 0)]


def test_declared_sales_taxes_make_every_amount_net_and_every_rate_silent() -> None:
    builder = SessionBuilder("CA", "CAD")
    builder.add_item("a", quantity=1, net_price=D(100), tax_rate=D("14.975"))
    builder.add_item("b", quantity=1, price=D(10), tax_rate=5)
    builder.add_sales_tax("GST", D("5.50"))
    builder.add_sales_tax("QST", D("10.97"))

    session = builder.build(total=D("126.47"), tax=D("16.47"))

    assert brief(session) == [
        ("physical", 0, 10000, 0),
        ("physical", 0, 1000, 0),
        ("sales_tax", 0, 550, 0),
        ("sales_tax", 0, 1097, 0),
    ]
    assert (session.order_tax_amount, builder.tax_drift) == (1647, 0)


def test_what_rounding_left_over_of_declared_sales_tax_is_a_line() -> None:
    builder = us({"price": D(10), "tax_rate": 0})
    builder.add_sales_tax("Tax", D("0.89"))

    assert brief(builder.build(total=D("10.90")))[1:] == [("sales_tax", 0, 89, 0), ("surcharge", 0, 1, 0)]


def test_a_discount_of_more_than_the_net_price_is_all_of_it() -> None:
    builder = SessionBuilder("CA", "CAD")
    builder.add_item("a", quantity=1, net_price=D(100), tax_rate=5, discount=D(105))
    builder.add_item("b", quantity=1, net_price=D(10), tax_rate=5)
    builder.add_sales_tax("GST", D("0.50"))

    assert brief(builder.build(total=D("10.50")))[0] == ("physical", 0, 0, 0)


def test_an_order_that_costs_nothing_needs_no_klarna() -> None:
    builder = cart(("10", 25))
    builder.add_gift_card("card", D(10))

    [violation] = explain(builder.build(total=D(0)))

    assert violation.rule == "zero_amount"

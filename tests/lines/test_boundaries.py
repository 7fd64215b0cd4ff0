"""Where one more or one less makes a difference: found by the mutation run, see docs/mutations.md."""

import re
from decimal import Decimal, localcontext
from typing import Any

import pytest

from django_klarna.api import OrderLine, ProductIdentifiers, SessionCreate
from django_klarna.exceptions import CartNotPayable
from django_klarna.lines import SessionBuilder, explain
from django_klarna.lines.rows import Row

D = Decimal


def cart(*prices: str, country: str = "SE", currency: str = "SEK") -> SessionBuilder:
    """A cart with one piece of each price, at 25 %."""
    builder = SessionBuilder(country, currency)
    for price in prices:
        builder.add_item("a", quantity=1, price=D(price), tax_rate=25)
    return builder


def line_with(**arguments: Any) -> OrderLine:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item(**{"name": "a", "quantity": 1, "price": D(1), "tax_rate": 25, **arguments})
    [line] = builder.build(total=D(1)).order_lines
    return line


def brief(session: SessionCreate) -> list[tuple[object, ...]]:
    """Type, rate, total and tax of each line; the rules hold."""
    assert explain(session) == []
    return [
        (line.type, line.tax_rate, line.total_amount, line.total_tax_amount) for line in session.order_lines
    ]


def test_no_tax_is_off_before_anything_is_built() -> None:
    assert SessionBuilder("SE", "SEK").tax_drift == 0


def test_no_tax_is_off_where_the_shop_says_none() -> None:
    assert Row("physical", "a", 1000).tax_drift == 0


def test_a_row_with_a_negative_discount_leaves_those_before_it() -> None:
    builder = cart("7")
    builder.add_item("b", quantity=1, price=D(10), tax_rate=25, discount=D(-3))

    assert brief(builder.build(total=D(20))) == [
        ("physical", 2500, 700, 140),
        ("physical", 2500, 1000, 200),
        ("surcharge", 2500, 300, 60),
    ]


@pytest.mark.parametrize("amount", [D(0), D("0.01")])
def test_a_surcharge_of_little_or_nothing_is_a_line(amount: Decimal) -> None:
    builder = cart("10")
    builder.add_surcharge("Wrapping", amount)

    assert brief(builder.build(total=10 + amount))[1:] == [("surcharge", 2500, int(amount * 100), 0)]


def goods(*items: tuple[str, int], free: bool = False) -> SessionBuilder:
    """A cart with one piece of each price and rate; all are ``free`` or none."""
    builder = SessionBuilder("SE", "SEK")
    for price, rate in items:
        discount = D(price) if free else 0
        builder.add_item("a", quantity=1, price=D(price), tax_rate=rate, discount=discount)
    return builder


def shipping(session: SessionCreate) -> dict[int | None, int]:
    """What each rate has of the shipping."""
    return {line.tax_rate: line.total_amount for line in session.order_lines if line.type == "shipping_fee"}


@pytest.mark.parametrize("free", [False, True])
def test_goods_of_a_rate_weigh_together(free: bool) -> None:
    builder = goods(("10", 25), ("10", 6), ("20", 25), free=free)
    builder.add_shipping("Post", D(4))

    assert shipping(builder.build(total=4 if free else 44)) == {2500: 300, 600: 100}


@pytest.mark.parametrize("free", [False, True])
def test_of_the_shipping_the_largest_remainder_gets_the_rest(free: bool) -> None:
    # 5 * 10 / 60 = 0.83, 1.67 and 2.5
    builder = goods(("10", 25), ("20", 12), ("30", 6), free=free)
    builder.add_shipping("Post", D("0.05"))

    assert shipping(builder.build(total=D("0.05") + (0 if free else 60))) == {2500: 1, 1200: 2, 600: 2}


def test_free_shipping_has_the_rate_of_most_of_the_goods() -> None:
    builder = goods(("10", 25), ("20", 6))
    builder.add_shipping("Post", D(0))

    assert shipping(builder.build(total=30)) == {600: 0}


def test_a_row_of_which_a_coupon_takes_nothing_keeps_the_shops_tax() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item("a", quantity=1, row_total=D("9.99"), row_tax=D("1.66"), tax_rate=20)
    builder.add_item("b", quantity=1, price=D(1000), tax_rate=20)
    builder.add_discount("coupon", D("0.01"))

    assert brief(builder.build(total=D("1009.98")))[0] == ("physical", 2000, 999, 166)


@pytest.mark.parametrize("as_lines", [False, True])
def test_a_discount_of_nothing_is_no_line(as_lines: bool) -> None:
    builder = cart("10")
    builder.add_discount("coupon", D(0), as_lines=as_lines)

    assert brief(builder.build(total=D(10))) == [("physical", 2500, 1000, 200)]


def test_a_discount_of_one_rate_has_its_name_alone() -> None:
    builder = cart("10")
    builder.add_discount("coupon", D(2), as_lines=True)

    assert [line.name for line in builder.build(total=D(8)).order_lines] == ["a", "coupon"]


def test_a_discount_as_lines_is_taken_off_all_fees() -> None:
    builder = cart("10")
    builder.add_shipping("Post", D(5), tax_rate=25)
    builder.add_surcharge("Wrapping", D(2), tax_rate=25)
    builder.add_discount("all", D(16), as_lines=True)

    assert brief(builder.build(total=D(1)))[3:] == [("discount", 2500, -1600, -320)]


@pytest.mark.parametrize("as_lines", [False, True])
def test_what_a_coupon_has_taken_the_next_cannot_take(as_lines: bool) -> None:
    builder = cart("10")
    builder.add_discount("one", D(8), as_lines=as_lines)
    builder.add_discount("two", D(3), as_lines=as_lines)

    with pytest.raises(CartNotPayable) as refused:
        builder.build(total=D(0))

    [violation] = refused.value.violations
    assert (violation.rule, violation.expected, violation.actual) == ("discount", "at most 200", 300)
    assert re.fullmatch("[A-Z].*[a-z].*[.]", violation.mend)


def test_the_shops_own_sales_taxes_on_rows_add_up() -> None:
    builder = SessionBuilder("US", "USD")
    for tax in ("0.89", "0.88"):
        builder.add_item("a", quantity=1, row_total=D(10), row_tax=D(tax), tax_rate=D("8.875"))

    assert brief(builder.build(total=D("21.77")))[2:] == [("sales_tax", 0, 177, 0)]


def test_a_discount_on_goods_without_tax_stays_a_line() -> None:
    builder = SessionBuilder("SE", "SEK")
    builder.add_item("book", quantity=1, price=D(10), tax_rate=0)
    builder.add_discount("coupon", D(2), as_lines=True)

    assert brief(builder.build(total=D(8))) == [("physical", 0, 1000, 0), ("discount", 0, -200, 0)]


def test_the_smallest_discount_is_one() -> None:
    builder = cart("10")
    builder.add_discount("coupon", D("0.01"))

    assert brief(builder.build(total=D("9.99"))) == [("physical", 2500, 999, 200)]


@pytest.mark.parametrize(("amount", "kind"), [("0.01", "surcharge"), ("-0.01", "discount")])
def test_the_smallest_rounding_is_a_line(amount: str, kind: str) -> None:
    builder = cart("10")
    builder.add_rounding("cash", D(amount))

    assert brief(builder.build(total=10 + D(amount)))[1:] == [(kind, 0, int(D(amount) * 100), 0)]


@pytest.mark.parametrize(
    ("add", "field"),
    [
        ("add_shipping", "price"),
        ("add_gift_card", "amount"),
        ("add_store_credit", "amount"),
        ("add_sales_tax", "amount"),
    ],
)
def test_a_wrong_sign_is_told_with_row_and_field(add: str, field: str) -> None:
    with pytest.raises(CartNotPayable) as refused:
        getattr(cart("1"), add)("a", D(-1))

    [violation] = refused.value.violations
    assert (violation.path, violation.rule) == (f"/order_lines/1/{field}", field)


def test_the_first_row_has_the_number_0() -> None:
    with pytest.raises(CartNotPayable) as refused:
        cart("-1")

    assert refused.value.violations[0].path == "/order_lines/0/price"


def test_one_line_more_than_klarna_takes() -> None:
    builder = cart("1")
    for _ in range(500):
        builder.add_item("b", quantity=3, row_total=D(1), tax_rate=25)

    assert len(builder.build(total=D(501)).order_lines) == 501


def test_the_precision_of_the_shop_changes_no_amount() -> None:
    with localcontext() as context:
        context.prec = 3
        builder = SessionBuilder("SE", "SEK")
        builder.add_item("a", quantity=D("1.2345"), price=D("100.00"), tax_rate=25)
        builder.add_item("b", quantity=D("1.2345"), net_price=D("100.00"), tax_rate=25)
        session = builder.build(total=D("277.76"))

    assert [line.total_amount for line in session.order_lines] == [12345, 15431]


def test_a_net_price_where_tax_is_a_line_is_that_of_all_pieces() -> None:
    builder = SessionBuilder("US", "USD")
    builder.add_item("a", quantity=3, net_price=D(10), tax_rate=10)

    assert brief(builder.build(total=D(33))) == [("physical", 0, 3000, 0), ("sales_tax", 0, 300, 0)]


def test_a_negative_discount_on_a_net_price_is_its_own_amount_where_tax_is_a_line() -> None:
    builder = SessionBuilder("US", "USD")
    builder.add_item("a", quantity=1, net_price=D(10), tax_rate=10, discount=D(-3))

    assert brief(builder.build(total=D("14.30")))[:2] == [("physical", 0, 1000, 0), ("surcharge", 0, 300, 0)]


def test_the_shops_tax_on_a_row_is_not_that_on_its_negative_discount() -> None:
    builder = SessionBuilder("US", "USD")
    builder.add_item("a", quantity=1, row_total=D(10), row_tax=D(1), tax_rate=10, discount=D(-3))

    assert brief(builder.build(total=D("14.30")))[2:] == [("sales_tax", 0, 130, 0)]


def test_the_shops_tax_that_is_taken_is_not_off() -> None:
    builder = SessionBuilder("US", "USD")
    builder.add_item("a", quantity=1, row_total=D(10), row_tax=D("0.89"), tax_rate=D("8.875"))

    builder.build(total=D("10.89"))

    assert builder.tax_drift == 0


def test_shipping_has_its_own_name_where_tax_is_a_line() -> None:
    builder = cart("10", country="US", currency="USD")
    builder.add_shipping("Ground", D(4))

    assert [line.name for line in builder.build(total=D("16.50")).order_lines] == ["a", "Ground", "Sales Tax"]


@pytest.mark.parametrize("name", [" a", " " + "x" * 254])
def test_a_name_that_fits_keeps_its_spaces(name: str) -> None:
    assert line_with(name=name).name == name


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("\n" + "x" * 255, "x" * 255),
        ("x" * 253 + "  y", "x" * 253 + "…"),
        ("\n" + "x" * 256, "x" * 254 + "…"),
    ],
)
def test_a_name_is_cut_where_it_has_to_be(name: str, fits: str) -> None:
    assert line_with(name=name).name == fits


@pytest.mark.parametrize(("name", "length"), [("manufacturer_part_number", 70), ("size", 64)])
def test_further_identifiers_are_cut(name: str, length: int) -> None:
    identifiers = line_with(**{name: "x" * (length + 1)}).product_identifiers

    assert getattr(identifiers, name) == "x" * (length - 1) + "…"


def test_what_is_given_whole_stays_so() -> None:
    line = line_with(merchant_data="{}", product_identifiers=ProductIdentifiers(brand="Acme"))

    assert (line.merchant_data, line.product_identifiers) == ("{}", ProductIdentifiers(brand="Acme"))


class Address:
    """What a library for addresses may give."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


@pytest.mark.parametrize("kind", [str, Address])
@pytest.mark.parametrize(("given", "taken"), [("/", "/"), ("", None), ("/" * 1024, "/" * 1024)])
def test_the_shortest_and_the_longest_address(kind: type, given: str, taken: str | None) -> None:
    assert line_with(product_url=kind(given)).product_url == taken


@pytest.mark.parametrize("field", ["reference", "brand"])
@pytest.mark.parametrize("text", ["\n", "\x00\t", "\u2028"])
def test_a_text_of_control_characters_alone_is_none(field: str, text: str) -> None:
    assert line_with(**{field: text}) == line_with()


@pytest.mark.parametrize("quantity", [2, D("1.5")])
def test_a_unit_of_control_characters_alone_is_none(quantity: Decimal | int) -> None:
    arguments = {"quantity": quantity, "price": None, "row_total": D(1)}

    assert line_with(**arguments, unit="\n") == line_with(**arguments)


@pytest.mark.parametrize("quantity", [1, D("1.5")])
@pytest.mark.parametrize(
    ("name", "rule"), [(None, "required"), (7, "type"), ("", "min_length"), ("\n", "min_length")]
)
def test_a_name_that_is_none_is_told_whatever_the_quantity(
    name: object, rule: str, quantity: Decimal | int
) -> None:
    line = line_with(name=name, quantity=quantity, price=None, row_total=D(1))

    [violation] = explain(session_of(line, 20))
    assert (violation.path, violation.rule) == ("/order_lines/0/name", rule)


def test_no_address_is_none() -> None:
    assert line_with(product_url=None).product_url is None


@pytest.mark.parametrize(("given", "meant"), [("references", "reference"), ("units", "unit")])
def test_every_field_of_an_item_can_be_meant(given: str, meant: str) -> None:
    with pytest.raises(TypeError, match=rf"^An item has no field '{given}'\. Did you mean '{meant}'\?$"):
        line_with(**{given: "a"})


def test_a_field_like_no_other_is_told_without_a_guess() -> None:
    with pytest.raises(TypeError, match=r"^An item has no field 'xyzzy'\.$"):
        line_with(xyzzy=1)


@pytest.mark.parametrize("tax_rate", [25.0, "25", None])
def test_a_rate_that_was_read_before_lets_no_float_pass(tax_rate: Any) -> None:
    with pytest.raises(TypeError, match="tax_rate must be a Decimal or an int"):
        cart("1").add_item("b", quantity=1, price=D(1), tax_rate=tax_rate)


@pytest.mark.parametrize("tax_rate", ["NaN", "sNaN", "Infinity"])
def test_a_rate_that_is_no_number_is_told(tax_rate: str) -> None:
    with pytest.raises(ValueError, match="tax_rate must be a finite number with at most 15 digits"):
        cart("1").add_item("b", quantity=1, price=D(1), tax_rate=D(tax_rate))


def test_a_line_may_come_to_a_million() -> None:
    builder = SessionBuilder("AT", "EUR")
    builder.add_item("a", quantity=1, row_total=1_000_000, tax_rate=20)

    assert explain(builder.build(total=1_000_000)) == []


def test_a_line_of_more_than_a_million_is_told() -> None:
    # Found by the property run: 750,000.01 without tax.
    builder = SessionBuilder("AT", "EUR")
    builder.add_item("a", quantity=D("1.51"), net_price=D("496688.75"), tax_rate=D("33.333333"))

    violations = explain(builder.build(total=D("1000000.01")))

    assert {(each.path, each.rule, each.expected, each.actual) for each in violations} == {
        (f"/order_lines/0/{name}", "maximum", 100_000_000, 100_000_001)
        for name in ("unit_price", "total_amount")
    }


def test_a_currency_that_is_none_is_told() -> None:
    with pytest.raises(CartNotPayable) as refused:
        SessionBuilder("SE", "SKE")

    [violation] = refused.value.violations
    assert (violation.path, violation.expected, violation.actual) == (
        "/purchase_currency",
        "a currency of ISO 4217",
        "SKE",
    )


def session_of(line: OrderLine, tax: int) -> SessionCreate:
    return SessionCreate(
        purchase_country="SE",
        purchase_currency="SEK",
        order_amount=line.total_amount,
        order_tax_amount=tax,
        order_lines=(line,),
    )


def test_a_line_without_rate_has_no_tax() -> None:
    line = OrderLine(name="a", quantity=1, unit_price=10**8, total_amount=10**8, total_tax_amount=0)

    assert explain(session_of(line, 0)) == []


def test_a_line_without_tax_has_none() -> None:
    line = OrderLine(name="a", quantity=1, unit_price=6, total_amount=6, tax_rate=2500)

    [violation] = explain(session_of(line, 0))
    assert (violation.rule, violation.expected, violation.actual) == ("total_tax_amount", 1, 0)


@pytest.mark.parametrize(("amount", "rules"), [(0, []), (1, ["discount_sign"])])
def test_a_discount_line_may_be_nothing(amount: int, rules: list[str]) -> None:
    mug = OrderLine(name="a", quantity=1, unit_price=100, total_amount=100)
    coupon = OrderLine(type="discount", name="b", quantity=1, unit_price=amount, total_amount=amount)
    session = session_of(mug, 0).replace(order_amount=100 + amount, order_lines=(mug, coupon))

    assert [violation.rule for violation in explain(session)] == rules


def test_an_unknown_type_is_told_by_its_rule() -> None:
    line = OrderLine(type="return_fee", name="a", quantity=1, unit_price=6, total_amount=6)

    assert [violation.rule for violation in explain(session_of(line, 0))] == ["line_type"]


def test_the_smallest_sum_that_is_in_no_row() -> None:
    with pytest.raises(CartNotPayable) as refused:
        cart().build(total=D("0.01"))

    [violation] = refused.value.violations
    assert violation.mend == "0.01\u00a0SEK of the cart's total is in no row."


def test_a_wrong_rate_of_a_first_surcharge_is_told_with_its_row() -> None:
    with pytest.raises(CartNotPayable) as refused:
        cart().add_surcharge("Wrapping", D(1), tax_rate=-1)

    assert refused.value.violations[0].path == "/order_lines/0/tax_rate"

"""Rows of a cart, as a shop adds them."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy, override

from django_klarna.api import OrderLine, ProductIdentifiers, SessionCreate, Subscription
from django_klarna.exceptions import CartNotPayable
from django_klarna.lines import SessionBuilder, explain

D = Decimal
Figures = tuple[object, ...]


def figures(line: OrderLine) -> Figures:
    """Type, quantity, unit price, discount, total and tax of a line."""
    return (
        line.type,
        line.quantity,
        line.unit_price,
        line.total_discount_amount,
        line.total_amount,
        line.total_tax_amount,
    )


def lines_of(session: SessionCreate) -> list[Figures]:
    return [figures(line) for line in session.order_lines]


def sek() -> SessionBuilder:
    return SessionBuilder("SE", "SEK", locale="sv-SE")


def with_item(**arguments: Any) -> SessionBuilder:
    builder = sek()
    if not arguments.keys() & {"price", "net_price", "row_total"}:
        arguments["price"] = D(1)
    builder.add_item(**{"name": "a", "quantity": 1, "tax_rate": 25, **arguments})
    return builder


def line_with(**arguments: Any) -> OrderLine:
    [line] = with_item(**arguments).build(total=D(1)).order_lines
    return line


def refused(call: Callable[[], object]) -> tuple[str, str, str | int, str | int | None]:
    """Path, rule, expected and actual of the one violation."""
    with pytest.raises(CartNotPayable) as caught:
        call()
    [violation] = caught.value.violations
    assert re.fullmatch("[A-Z].*[a-z].*[.]", violation.mend)
    return violation.path, violation.rule, violation.expected, violation.actual


def test_a_price_finer_than_the_currency_is_rounded_once_a_row() -> None:
    session = with_item(quantity=3, price=D("0.333")).build(total=D("1.00"))

    assert lines_of(session) == [("physical", 2, 33, 0, 66, 13), ("physical", 1, 34, 0, 34, 7)]


def test_the_larger_part_of_a_divided_row_takes_the_tax_remainder() -> None:
    # 1 x 33 and 2 x 34 hold 6.6 and 13.6, together 20.2: 20 is 6 and 14, or 7 and 13.
    session = with_item(quantity=3, row_total=D("1.01")).build(total=D("1.01"))

    assert lines_of(session) == [("physical", 1, 33, 0, 33, 7), ("physical", 2, 34, 0, 68, 13)]


def test_a_reduced_row_stays_one_line() -> None:
    session = with_item(quantity=3, price=D("0.333"), discount=D("0.10")).build(total=D("0.90"))

    assert lines_of(session) == [("physical", 3, 34, 12, 90, 18)]


def test_a_row_that_divides_keeps_its_price_and_discount() -> None:
    session = with_item(quantity=2, price=D(10), discount=D(3)).build(total=D(17))

    assert lines_of(session) == [("physical", 2, 1000, 300, 1700, 340)]


def test_a_row_of_a_finer_rate_is_not_divided() -> None:
    session = with_item(quantity=3, row_total=D("400.00"), tax_rate=D("14.975")).build(total=D(400))

    assert lines_of(session) == [("physical", 3, 13334, 2, 40000, 5211)]
    assert session.order_lines[0].tax_rate == 1498


def test_a_net_price_gets_its_tax_once_a_row() -> None:
    session = with_item(quantity=12, net_price=D("0.85"), tax_rate=19).build(total=D("12.14"))

    assert session.order_amount == 1214
    assert session.order_tax_amount == 194


def test_the_shops_own_tax_on_a_row_is_kept_where_it_is_right() -> None:
    # 9.99 holds 1.665: rounded up by us, and by a shop perhaps down.
    builder = with_item(row_total=D("9.99"), row_tax=D("1.66"), tax_rate=20)

    assert builder.build(total=D("9.99")).order_tax_amount == 166
    assert builder.tax_drift == 0


def test_the_shops_own_tax_on_a_row_is_replaced_where_it_is_wrong() -> None:
    builder = with_item(row_total=D("9.99"), row_tax=D("1.70"), tax_rate=20)

    assert builder.build(total=D("9.99")).order_tax_amount == 167
    assert builder.tax_drift == 3


def test_the_tax_of_a_row_is_that_after_its_discount() -> None:
    builder = with_item(row_total=D("9.99"), discount=D("4.99"), row_tax=D("1.00"))

    assert lines_of(builder.build(total=D(5))) == [("physical", 1, 999, 499, 500, 100)]
    assert builder.tax_drift == 0


def test_a_tax_that_is_off_is_replaced_and_kept() -> None:
    builder = SessionBuilder("HU", "HUF")
    builder.add_item("a", quantity=1, price=D(12990), tax_rate=27)

    session = builder.build(total=D(12990), tax=D(2762))

    assert session.order_tax_amount == 276165
    assert builder.tax_drift == 276200 - 276165


@pytest.mark.parametrize(
    ("quantity", "unit", "name"),
    [
        (D("1.5"), "kg", "cheese 1.5 kg"),
        (D("0.250"), "kg", "cheese 0.25 kg"),
        (D("1.5"), None, "cheese \N{MULTIPLICATION SIGN} 1.5"),
    ],
)
def test_an_amount_that_is_no_number_of_pieces(quantity: Decimal, unit: str | None, name: str) -> None:
    builder = with_item(name="cheese", quantity=quantity, unit=unit, price=D("7.99"))

    [line] = builder.build(total=(D("7.99") * quantity).quantize(D("0.01"), "ROUND_HALF_UP")).order_lines

    assert (line.name, line.quantity, line.quantity_unit) == (name, 1, None)


@pytest.mark.parametrize("quantity", [2, D(2), D("2.000")])
def test_a_whole_amount_keeps_its_unit(quantity: Decimal | int) -> None:
    [line] = with_item(quantity=quantity, unit="kg").build(total=D(2)).order_lines

    assert (line.name, line.quantity, line.quantity_unit) == ("a", 2, "kg")


def test_the_name_of_an_amount_is_cut_before_its_amount() -> None:
    line = line_with(name="x" * 300, quantity=D("0.5"), unit="kg", row_total=D(1), price=None)

    assert line.name == "x" * 247 + "… 0.5 kg"
    assert len(line.name) == 255


@pytest.mark.parametrize("discount", [0, 1, 2, D(1)])
def test_a_discount_may_be_an_int(discount: Decimal | int) -> None:
    session = with_item(price=10, discount=discount).build(total=10 - discount)

    assert lines_of(session)[0][3] == 100 * discount


def test_a_negative_discount_of_an_item_is_a_surcharge() -> None:
    session = with_item(quantity=2, price=D(10), discount=D(-3), reference="SKU").build(total=D(23))

    assert lines_of(session) == [("physical", 2, 1000, 0, 2000, 400), ("surcharge", 1, 300, 0, 300, 60)]
    assert [line.reference for line in session.order_lines] == ["SKU", None]


def test_the_locale_is_the_markets_own_when_none_is_given() -> None:
    builder = SessionBuilder("fi", "eur")
    builder.add_item("a", quantity=1, price=D(1), tax_rate=25)

    session = builder.build(total=D(1))

    assert (session.purchase_country, session.purchase_currency, session.locale) == ("FI", "EUR", "fi-FI")


def test_a_country_without_klarna_is_told_by_its_rule() -> None:
    builder = SessionBuilder("JP", "JPY")
    builder.add_item("a", quantity=1, price=D(100), tax_rate=10)

    session = builder.build(total=D(100))

    assert (session.locale, session.order_amount) == (None, 100)
    assert [violation.rule for violation in explain(session)] == ["market"]


def test_a_currency_that_is_none() -> None:
    assert refused(lambda: SessionBuilder("SE", "SKE"))[:2] == ("/purchase_currency", "currency")


def test_options_are_fields_of_the_session() -> None:
    builder = SessionBuilder("SE", "SEK", intent="buy_and_tokenize", merchant_data="{}")
    builder.add_item("a", quantity=1, price=D(1), tax_rate=25)

    session = builder.build(total=D(1))

    assert (session.intent, session.merchant_data) == ("buy_and_tokenize", "{}")


def test_product_fields_go_where_klarna_has_them() -> None:
    line = line_with(
        reference="SKU",
        brand="Acme",
        size="",
        color=None,
        product_url="https://shop.example/a",
        type="digital",
        subscription=Subscription(name="Box", interval="MONTH", interval_count=1),
    )

    assert (line.type, line.reference, line.product_url) == ("digital", "SKU", "https://shop.example/a")
    assert line.product_identifiers == ProductIdentifiers(brand="Acme")
    assert line.subscription == Subscription(name="Box", interval="MONTH", interval_count=1)


@pytest.mark.parametrize(
    ("name", "length"),
    [("brand", 70), ("category_path", 750), ("color", 64), ("global_trade_item_number", 50)],
)
def test_identifiers_are_cut(name: str, length: int) -> None:
    identifiers = line_with(**{name: "x" * (length + 1)}).product_identifiers

    assert getattr(identifiers, name) == "x" * (length - 1) + "…"


def test_texts_are_cut_and_cleaned() -> None:
    line = line_with(
        name="Mug\n\x00 blue " + "x" * 300, reference="y" * 300, unit="kilograms", product_url=None
    )

    assert line.name == "Mug  blue " + "x" * 244 + "…"
    assert line.reference == "y" * 254 + "…"
    assert line.quantity_unit == "kilogra…"


@pytest.mark.parametrize("name", ["Käse\u00a0„alt“", "x" * 255, "👩\u200d🍳"])
def test_texts_that_fit_stay_as_they_are(name: str) -> None:
    assert line_with(name=name).name == name


def test_half_an_address_is_none() -> None:
    address = "https://shop.example/"
    line = line_with(product_url=address + "x" * 1004, image_url=address + "x" * 1003)

    assert (line.product_url, line.image_url) == (None, address + "x" * 1003)


def test_a_lazy_name_is_that_of_the_language_at_the_time() -> None:
    with override("de"):
        line = line_with(name=gettext_lazy("Yes"), reference=gettext_lazy("No"))

    assert (line.name, line.reference) == ("Ja", "Nein")


def test_a_name_that_is_no_text_is_told_by_its_rule() -> None:
    [violation] = explain(with_item(name=None).build(total=D(1)))

    assert (violation.path, violation.rule) == ("/order_lines/0/name", "required")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"quantity": 0}, ("quantity", "more than 0", "0")),
        ({"quantity": D("-1.5")}, ("quantity", "more than 0", "-1.5")),
        ({"price": D(-1)}, ("price", "0 or more", -100)),
        ({"net_price": D(-1)}, ("net_price", "0 or more", -100)),
        ({"row_total": D(-1)}, ("row_total", "0 or more", -100)),
        ({"tax_rate": D("-0.001")}, ("tax_rate", "0 to 100 percent", "-0.001")),
        ({"tax_rate": D("100.01")}, ("tax_rate", "0 to 100 percent", "100.01")),
        ({"discount": D("1.01")}, ("discount", "at most 100", 101)),
    ],
)
def test_what_a_row_may_not_be(arguments: dict[str, Any], expected: tuple[object, ...]) -> None:
    name, wanted, actual = expected
    builder = with_item()

    priced = arguments.keys() & {"net_price", "row_total"}
    call = {"name": "b", "quantity": 1, "tax_rate": 25, **({} if priced else {"price": D(1)}), **arguments}

    assert refused(lambda: builder.add_item(**call)) == (f"/order_lines/1/{name}", name, wanted, actual)


@pytest.mark.parametrize("tax_rate", [100, D("100.004"), 0])
def test_the_ends_of_what_a_rate_may_be(tax_rate: Decimal | int) -> None:
    assert explain(with_item(tax_rate=tax_rate).build(total=D(1))) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"price": 1.0},
        {"net_price": 1.0},
        {"row_total": 1.0},
        {"tax_rate": 25.0},
        {"quantity": 1.0},
        {"discount": 0.1},
        {"discount": 0.0},
        {"row_total": D(1), "row_tax": 0.2},
        {"quantity": True},
        {"price": "1"},
    ],
)
def test_a_float_is_a_type_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{list(arguments)[-1]} must be a Decimal or an int"):
        with_item(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"price": D(1), "net_price": D(1)}, "^An item has exactly one of price, net_price and row_total$"),
        ({"price": D(1), "row_total": D(1)}, "^An item has exactly one of price, net_price and row_total$"),
        ({"price": None}, "^An item has exactly one of price, net_price and row_total$"),
        ({"price": D(1), "row_tax": D(1)}, "^row_tax goes with row_total$"),
        ({"colour": "red"}, "'colour'. Did you mean 'color'?"),
        ({"total_amount": 5}, "no field 'total_amount'"),
    ],
)
def test_a_call_that_cannot_be_meant(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message.replace("?", r"\?")):
        with_item(**arguments)


def test_a_cart_of_more_lines_than_klarna_takes_is_not_divided() -> None:
    builder = sek()
    for _ in range(600):
        builder.add_item("a", quantity=3, row_total=D(1), tax_rate=25)

    session = builder.build(total=D(600))

    assert set(lines_of(session)) == {("physical", 3, 34, 2, 100, 20)}
    assert (len(session.order_lines), explain(session)) == (600, [])


def test_a_cart_of_just_as_many_lines_as_klarna_takes_is_divided() -> None:
    builder = sek()
    for _ in range(500):
        builder.add_item("a", quantity=3, row_total=D(1), tax_rate=25)

    assert len(builder.build(total=D(500)).order_lines) == 1000


def test_a_cart_of_too_many_rows_is_told_by_its_rule() -> None:
    builder = sek()
    for _ in range(1001):
        builder.add_item("a", quantity=1, price=1, tax_rate=25)

    [violation] = explain(builder.build(total=1001))

    assert (violation.path, violation.rule, violation.expected) == ("/order_lines", "max_items", 1000)


def test_building_twice_gives_the_same() -> None:
    builder = with_item(quantity=3, row_total=D(10))
    builder.add_discount("coupon", D(1))
    builder.add_shipping("Post", D(5))

    first = builder.build(total=D(14))

    assert builder.build(total=D(14)).canonical() == first.canonical()

"""Order lines that balance, and carts that are told apart from them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_klarna.api import OrderLine, ProductIdentifiers, SessionCreate
from django_klarna.exceptions import CartNotPayable
from django_klarna.lines import SessionBuilder
from django_klarna.rules import violations_of

D = Decimal
VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "order-line-vectors.json").read_text()
)
ARGUMENTS = {"name", "quantity", "price", "tax_rate", "discount", "amount"}
METHODS = {"add_item", "add_shipping", "add_discount"}


def is_ours(vector: dict[str, Any]) -> bool:
    """What the builder offers so far: whole quantities at prices with tax, shipping, and discounts."""
    calls = vector["input"]["calls"]
    whole = all(D(arguments.get("quantity", 1)) % 1 == 0 for _method, arguments in calls)
    return whole and all(method in METHODS and set(arguments) <= ARGUMENTS for method, arguments in calls)


def build(vector: dict[str, Any]) -> SessionCreate:
    builder = SessionBuilder(vector["purchase_country"], vector["purchase_currency"])
    for method, arguments in vector["input"]["calls"]:
        getattr(builder, method)(
            **{key: value if key == "name" else D(value) for key, value in arguments.items()}
        )
    totals = {key: D(value) for key, value in vector["input"]["build"].items() if value is not None}
    return builder.build(**totals)


def comparable(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if value != 0}


OURS = [vector for vector in VECTORS if is_ours(vector)]


@pytest.mark.parametrize("vector", OURS, ids=[vector["id"] for vector in OURS])
def test_vectors(vector: dict[str, Any]) -> None:
    session = build(vector).to_dict()

    listed = [vector["order_lines"], vector["alternative_order_lines"] or []]
    assert [comparable(line) for line in session["order_lines"]] in [
        [comparable(line) for line in lines] for lines in listed
    ]
    assert session["order_amount"] == vector["order_amount"]
    assert session["order_tax_amount"] == vector["order_tax_amount"]


def test_enough_vectors_are_ours() -> None:
    assert len(OURS) >= 9


def lines_of(session: SessionCreate) -> list[tuple[object, ...]]:
    return [
        (
            line.type,
            line.quantity,
            line.unit_price,
            line.total_discount_amount,
            line.total_amount,
            line.total_tax_amount,
        )
        for line in session.order_lines
    ]


def sek() -> SessionBuilder:
    return SessionBuilder("SE", "SEK", locale="sv-SE")


def test_a_price_finer_than_the_currency_is_rounded_once_a_row() -> None:
    builder = sek()
    builder.add_item("screw", quantity=3, price=D("0.333"), tax_rate=25)

    session = builder.build(total=D("1.00"))

    assert lines_of(session) == [("physical", 2, 33, 0, 66, 13), ("physical", 1, 34, 0, 34, 7)]


def test_a_reduced_row_stays_one_line() -> None:
    builder = sek()
    builder.add_item("screw", quantity=3, price=D("0.333"), tax_rate=25, discount=D("0.10"))

    session = builder.build(total=D("0.90"))

    assert lines_of(session) == [("physical", 3, 34, 12, 90, 18)]


@pytest.mark.parametrize(("total", "kind", "amount"), [("2.01", "surcharge", 1), ("1.99", "discount", -1)])
def test_a_leftover_of_rounding_is_a_visible_line(total: str, kind: str, amount: int) -> None:
    builder = sek()
    builder.add_item("a", quantity=1, price=D("2.00"), tax_rate=25)

    session = builder.build(total=D(total))

    assert lines_of(session)[-1] == (kind, 1, amount, 0, amount, 0)
    assert session.order_lines[-1].name == "Rounding"
    assert violations_of(session) == []


def test_more_than_a_leftover_is_missing() -> None:
    builder = sek()
    builder.add_item("a", quantity=1, price=D("2.00"), tax_rate=25)

    with pytest.raises(CartNotPayable) as refused:
        builder.build(total=D("2.49"))

    [violation] = refused.value.violations
    assert (violation.rule, violation.expected, violation.actual) == (
        "total",
        "2.49\u00a0SEK",
        "2.00\u00a0SEK",
    )
    assert "0.49\u00a0SEK of the cart's total is in no row" in str(violation)


def test_a_tax_that_is_off_is_replaced_and_kept() -> None:
    builder = SessionBuilder("HU", "HUF")
    builder.add_item("a", quantity=1, price=D(12990), tax_rate=27)

    session = builder.build(total=D(12990), tax=D(2762))

    assert session.order_tax_amount == 276165
    assert builder.tax_drift == 276200 - 276165


def test_the_locale_is_the_markets_own_when_none_is_given() -> None:
    builder = SessionBuilder("fi", "eur")
    builder.add_item("a", quantity=1, price=D(1), tax_rate=25)

    session = builder.build(total=D(1))

    assert (session.purchase_country, session.purchase_currency, session.locale) == ("FI", "EUR", "fi-FI")


def test_product_fields_go_where_klarna_has_them() -> None:
    builder = sek()
    builder.add_item(
        "a",
        quantity=1,
        price=D(1),
        tax_rate=25,
        reference="SKU",
        brand="Acme",
        product_url="https://shop.example/a",
    )

    [line] = builder.build(total=D(1)).order_lines

    assert (line.reference, line.product_url) == ("SKU", "https://shop.example/a")
    assert line.product_identifiers == ProductIdentifiers(brand="Acme")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": D("1.5")}, "quantity"),
        ({"price": D(-1)}, "unit_price"),
        ({"tax_rate": D("14.975")}, "tax_rate"),
        ({"tax_rate": D(101)}, "tax_rate"),
        ({"discount": D(-1)}, "total_discount_amount"),
        ({"discount": D(2)}, "total_discount_amount"),
    ],
)
def test_what_a_row_may_not_be(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(CartNotPayable) as refused:
        sek().add_item("a", **{"quantity": 1, "price": D(1), "tax_rate": 25, **arguments})

    assert refused.value.violations[0].path == f"/order_lines/0/{field}"


@pytest.mark.parametrize(
    "arguments", [{"price": 1.0}, {"tax_rate": 25.0}, {"quantity": 1.0}, {"discount": 0.1}]
)
def test_a_float_is_a_type_error(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(arguments))):
        sek().add_item("a", **{"quantity": 1, "price": D(1), "tax_rate": 25, **arguments})


def test_a_coupon_takes_no_more_than_there_is() -> None:
    builder = sek()
    builder.add_item("a", quantity=1, price=D(10), tax_rate=25)
    builder.add_shipping("Post", D(49), tax_rate=25)
    builder.add_discount("coupon", D(11))

    with pytest.raises(CartNotPayable, match="discount"):
        builder.build(total=D(48))


@pytest.mark.parametrize("add", ["add_shipping", "add_discount"])
def test_a_sum_that_is_subtracted_elsewhere_is_refused(add: str) -> None:
    builder = sek()
    more = {"tax_rate": 25} if add == "add_shipping" else {}

    with pytest.raises(CartNotPayable, match="0 or more"):
        getattr(builder, add)("Post", D(-1), **more)


def test_an_empty_cart_is_named() -> None:
    assert [each.rule for each in violations_of(sek().build(total=D(0)))] == ["empty"]


def test_a_cart_with_nothing_but_its_delivery_is_empty() -> None:
    builder = sek()
    builder.add_shipping("Post", D(49), tax_rate=25)

    assert [each.rule for each in violations_of(builder.build(total=D(49)))] == ["empty"]


def line(**changes: Any) -> OrderLine:
    fields: dict[str, Any] = {
        "name": "a",
        "quantity": 2,
        "unit_price": 100,
        "tax_rate": 2500,
        "total_amount": 200,
        "total_tax_amount": 40,
    }
    return OrderLine(**{**fields, **changes})


def session(*lines: OrderLine, **changes: Any) -> SessionCreate:
    fields: dict[str, Any] = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "order_amount": sum(each.total_amount for each in lines),
        "order_tax_amount": sum(each.total_tax_amount or 0 for each in lines),
        "order_lines": lines,
    }
    return SessionCreate(**{**fields, **changes})


@pytest.mark.parametrize(
    ("broken", "rules"),
    [
        (session(line()), []),
        (session(line(total_tax_amount=41)), []),
        (session(line(total_tax_amount=42)), ["total_tax_amount"]),
        (session(line(total_amount=199, total_tax_amount=40)), ["total_amount"]),
        (session(line(), order_amount=201), ["order_amount"]),
        (session(line(), order_tax_amount=0), ["order_tax_amount"]),
        (session(line(), purchase_country="JP"), ["market"]),
        (session(line(), purchase_currency="EUR"), ["market"]),
        (session(line(), line(type="discount")), ["discount_sign"]),
        (session(line(unit_price=0, total_amount=0, total_tax_amount=0)), ["zero_amount"]),
        (session(line(unit_price=0, total_amount=0, total_tax_amount=0), intent="tokenize"), []),
        (session(line(quantity="2")), ["type"]),
    ],
)
def test_every_rule_is_found(broken: SessionCreate, rules: list[str]) -> None:
    assert [violation.rule for violation in violations_of(broken)] == rules


ROW = st.fixed_dictionaries(
    {
        "quantity": st.integers(1, 40),
        "price": st.decimals(D("0.01"), D(900), places=2),
        "tax_rate": st.sampled_from([0, D("5.5"), 6, 12, 19, 25]),
    }
)


@given(st.lists(ROW, min_size=1, max_size=8), st.integers(0, 100), st.integers(0, 99))
def test_any_cart_balances(rows: list[dict[str, Any]], percent: int, shipping: int) -> None:
    builder = sek()
    goods = sum((row["quantity"] * row["price"] for row in rows), D(0))
    for row in rows:
        builder.add_item("a", **row)
    coupon = (goods * percent / 100).quantize(D("0.01"))
    builder.add_discount("coupon", coupon)
    builder.add_shipping("Post", shipping, tax_rate=25)

    built = builder.build(total=goods - coupon + shipping)

    assert D(built.order_amount) / 100 == goods - coupon + shipping
    assert [each.rule for each in violations_of(built)] in ([], ["zero_amount"])

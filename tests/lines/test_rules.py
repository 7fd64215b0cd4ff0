"""Each rule that Klarna has, found and told."""

import re
from typing import Any

import pytest
from pytest_django import Settings

from django_klarna.api import OrderLine, SessionCreate
from django_klarna.exceptions import Violation
from django_klarna.lines import explain
from django_klarna.lines.rules import LINE_TYPES
from django_klarna.sandbox import Sandbox
from tests.sandbox.conftest import Client


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


def fee(kind: str) -> OrderLine:
    return OrderLine(type=kind, name="b", quantity=1, unit_price=100, total_amount=100)


def free() -> OrderLine:
    return OrderLine(name="a", quantity=1, unit_price=0, total_amount=0)


def session(*lines: OrderLine, **changes: Any) -> SessionCreate:
    fields: dict[str, Any] = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "order_amount": sum(each.total_amount for each in lines),
        "order_tax_amount": sum(each.total_tax_amount or 0 for each in lines),
        "order_lines": lines,
    }
    return SessionCreate(**{**fields, **changes})


BROKEN = [
    (session(line(total_tax_amount=42)), "/order_lines/0/total_tax_amount", "total_tax_amount", 40, 42),
    (session(line(total_tax_amount=38)), "/order_lines/0/total_tax_amount", "total_tax_amount", 40, 38),
    (session(line(tax_rate=None)), "/order_lines/0/total_tax_amount", "total_tax_amount", 0, 40),
    (session(line(), line(total_amount=199)), "/order_lines/1/total_amount", "total_amount", 200, 199),
    (session(line(total_discount_amount=1)), "/order_lines/0/total_amount", "total_amount", 199, 200),
    (session(line(), order_amount=201), "/order_amount", "order_amount", 200, 201),
    (session(line(), order_tax_amount=0), "/order_tax_amount", "order_tax_amount", 40, 0),
    (session(line(), order_tax_amount=None), "/order_tax_amount", "order_tax_amount", 40, 0),
    (
        session(line(), fee("sales_tax"), order_tax_amount=40),
        "/order_tax_amount",
        "order_tax_amount",
        140,
        40,
    ),
    (
        session(line(), purchase_country="jp"),
        "/purchase_country",
        "market",
        "a country with Klarna Payments",
        "jp",
    ),
    (session(line(), purchase_currency="EUR"), "/purchase_currency", "market", "SEK", "EUR"),
    (session(line(), fee("discount")), "/order_lines/1/total_amount", "discount_sign", "0 or less", 100),
    (session(free()), "/order_amount", "zero_amount", "more than 0", 0),
    (session(free(), intent="buy"), "/order_amount", "zero_amount", "more than 0", 0),
    (session(line(quantity="2")), "/order_lines/0/quantity", "type", "integer", "string"),
    (session(line(name="x" * 256)), "/order_lines/0/name", "max_length", 255, 256),
    (session(fee("sales_tax"), order_tax_amount=100), "/order_lines", "empty", "something bought", 0),
    (session(), "/order_lines", "empty", "something bought", 0),
]


@pytest.mark.parametrize(("broken", "path", "rule", "expected", "actual"), BROKEN)
def test_every_rule_is_found(
    broken: SessionCreate, path: str, rule: str, expected: int | str, actual: int | str
) -> None:
    [violation] = explain(broken)

    assert (violation.path, violation.rule) == (path, rule)
    assert (violation.expected, violation.actual) == (expected, actual)


@pytest.mark.parametrize("broken", [each[0] for each in BROKEN if each[2] not in {"type", "max_length"}])
def test_a_rule_of_ours_says_how_to_mend_it(broken: SessionCreate) -> None:
    [violation] = explain(broken)

    assert re.fullmatch("[A-Z].*[a-z].*[.]", violation.mend)


@pytest.mark.parametrize("broken", [each[0] for each in BROKEN])
def test_the_sandbox_agrees(broken: SessionCreate) -> None:
    """What our rules refuse the sandbox refuses; an order of nothing is for us alone to refuse."""
    rules = {violation.rule for violation in explain(broken)}

    is_ours = rules <= {"zero_amount"} or (rules == {"empty"} and broken.order_lines)
    assert (Client(Sandbox()).create(broken.to_dict()).status == 200) is bool(is_ours)


RIGHT = [
    session(line()),
    session(line(total_tax_amount=41)),
    session(line(total_tax_amount=39)),
    session(line(), fee("discount").replace(unit_price=-100, total_amount=-100)),
    session(free(), intent="tokenize"),
    session(line(), purchase_country="se", purchase_currency="sek"),
    session(line(), fee("sales_tax"), order_tax_amount=140),
    session(line(), line(type="sales_tax", tax_rate=None), order_tax_amount=240),
    session(fee("surcharge")),
    *(session(line(), fee(kind)) for kind in sorted(LINE_TYPES - {"discount", "sales_tax"})),
]


@pytest.mark.parametrize("right", RIGHT)
def test_what_klarna_takes(right: SessionCreate) -> None:
    assert explain(right) == []


def test_an_unknown_type_is_told_with_those_there_are() -> None:
    [violation] = explain(session(line(type="return_fee")))

    assert violation.path == "/order_lines/0/type"
    assert str(violation).startswith(
        "Order line 1, type: expected one of digital, discount, gift_card, physical"
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    broken = session(line(total_amount=1), line(total_tax_amount=0), order_amount=7, purchase_currency="EUR")

    assert [violation.path for violation in explain(broken)] == [
        "/order_lines/0/total_amount",
        "/order_lines/0/total_tax_amount",
        "/order_lines/1/total_tax_amount",
        "/order_amount",
        "/purchase_currency",
    ]


@pytest.mark.parametrize(("amount", "rules"), [(200, []), (199, ["max_order_amount"])])
def test_a_markets_limit_is_told_where_it_is_known(settings: Settings, amount: int, rules: list[str]) -> None:
    settings.KLARNA_MARKETS = {"SE": {"max_order_amount": amount}}

    assert [violation.rule for violation in explain(session(line()))] == rules


def test_more_than_a_market_takes_is_told(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"SE": {"max_order_amount": 199}}

    [violation] = explain(session(line()))

    assert (violation.path, violation.expected, violation.actual) == ("/order_amount", "at most 199", 200)
    assert re.fullmatch("[A-Z].*[a-z].*[.]", violation.mend)


def test_a_market_may_have_several_currencies(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"SE": {"currencies": ["SEK", "EUR"]}}

    assert explain(session(line(), purchase_currency="EUR")) == []
    [violation] = explain(session(line(), purchase_currency="USD"))
    assert violation.expected == "SEK or EUR"


@pytest.mark.parametrize(
    ("violation", "text"),
    [
        (
            explain(session(line(), line(total_tax_amount=0), order_tax_amount=40))[0],
            (
                "Order line 2, total_tax_amount: expected 40, found 0 (rule total_tax_amount). "
                "The tax is inside total_amount, and may be off by one minor unit."
            ),
        ),
        (
            explain(session(line(), order_amount=1))[0],
            "order_amount: expected 200, found 1 (rule order_amount). It is the sum over the order lines.",
        ),
        (
            explain(session(line(name="x" * 300)))[0],
            "Order line 1, name: expected at most 255 characters, found 300 (rule max_length).",
        ),
    ],
)
def test_a_violation_is_a_sentence(violation: Violation, text: str) -> None:
    assert str(violation) == text

"""The page of the order lines: its examples are run, and its tables have every rule."""

import ast
import io
import re
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from django_klarna.api import Address, Customer, KlarnaClient, MerchantUrls, OrderLine, Session, SessionCreate
from django_klarna.exceptions import (
    STATES,
    CartNotPayable,
    KlarnaBadRequestError,
    KlarnaValidationError,
    Violation,
)
from django_klarna.lines import SessionBuilder, explain
from django_klarna.rest.errors import handle_exception
from django_klarna.services.attempts import undescribed, wrong_data
from django_klarna.services.convergence import already_paid
from django_klarna.services.payloads import missing_cart, payable

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "order-lines.md").read_text()
#: A block of Python, and what comes out: text or a table.
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n(?:```text\n(.*?)```|((?:\|[^\n]*\n)+))?", re.DOTALL)
(IMPORTS, *_nothing), *EXAMPLES = EXAMPLE.findall(PAGE)
HEAD = [
    *("type", "name", "quantity", "unit_price", "total_discount_amount", "tax_rate"),
    *("total_amount", "total_tax_amount"),
]


def plain(text: str) -> str:
    """A text as the page writes it."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(("source", "text", "table"), EXAMPLES)
def test_what_comes_out(source: str, text: str, table: str) -> None:
    """Each block is run after that of the imports; below it is what it prints or raises, or what is built."""
    namespace: dict[str, Any] = {}
    exec(IMPORTS, namespace)

    assert plain(printed(source, namespace)) == text
    assert bool(text) is not bool(table), "one of them says what comes out"
    if table:
        assert explain(namespace["session"]) == []
        assert cells(table) == [HEAD, *rows_of(namespace["session"])]


def printed(source: str, namespace: dict[str, Any]) -> str:
    """What a block prints, and the error that ends it."""
    with redirect_stdout(io.StringIO()) as output:
        try:
            exec(source, namespace)
        except (CartNotPayable, TypeError) as error:
            output.write(f"{type(error).__name__}: {error}\n")
    return output.getvalue()


def cells(table: str) -> list[list[str]]:
    """The rows of a table, without the second, which is a rule."""
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    return [rows[0], *rows[2:]]


def rows_of(session: SessionCreate) -> list[list[str]]:
    """The rows that a table should have: the lines, and then the sums."""
    lines = [[str(getattr(line, name)) for name in HEAD] for line in session.order_lines]
    return [*lines, [*[""] * 6, f"**{session.order_amount}**", f"**{session.order_tax_amount}**"]]


def cart(**changes: Any) -> SessionCreate:
    """A good session, but for the changes."""
    given: dict[str, Any] = {"purchase_country": "SE", "purchase_currency": "SEK", "order_amount": 200}
    return SessionCreate(**{**given, "order_tax_amount": 0, "order_lines": [line()], **changes})


def line(**changes: Any) -> OrderLine:
    return OrderLine(**{"name": "a", "quantity": 2, "unit_price": 100, "total_amount": 200, **changes})


def row(**changes: Any) -> SessionBuilder:
    """A cart of one row, but for the changes."""
    builder = SessionBuilder("SE", "SEK")
    given = {"name": "a", "quantity": 1, "tax_rate": 25}
    price = {} if {"net_price", "row_total"} & set(changes) else {"price": 100}
    builder.add_item(**{**given, **price, **changes})
    return builder


def over_coupon() -> SessionCreate:
    builder = row()
    builder.add_discount("a", 101)
    return builder.build(total=0)


def refused() -> list[Violation]:
    answer = handle_exception(KlarnaBadRequestError("a", status_code=400), {})
    assert answer
    [reason] = answer.data["reasons"]
    return [Violation(path=reason["path"], rule=reason["rule"], expected="")]


def sent() -> object:
    """More than Klarna takes at once; the sandbox need not be there, for nothing is sent."""
    with KlarnaClient(username="a", password="b", region="eu", environment="playground") as client:
        return client.sessions.create_credit_session(cart(order_lines=[line(product_url="a" * 1024)] * 1000))


urls = MerchantUrls(confirmation="https://shop.example/thanks/")
#: Whatever can be wrong, each by a call that raises its violations or gives them; no order in Norway may come to 0.02.
WRONG: list[Callable[[], object]] = [
    partial(SessionBuilder, "SE", "SKE"),
    partial(row, quantity=0),
    *(partial(row, **{name: -1}) for name in ("price", "net_price", "row_total")),
    partial(row().add_gift_card, "a", -1),
    partial(row, tax_rate=101),
    partial(row, discount=101),
    over_coupon,
    partial(row(price=Decimal("99.60")).build, total=Decimal("104.60")),
    partial(explain, cart(order_lines=[])),
    partial(explain, cart(order_lines=[line(type="return_fee")])),
    partial(explain, cart(order_lines=[line(total_amount=199)], order_amount=199)),
    partial(explain, cart(order_lines=[line(total_tax_amount=40)], order_tax_amount=40)),
    partial(explain, cart(order_lines=[line(), line(type="discount")], order_amount=400)),
    partial(explain, cart(order_amount=1, order_tax_amount=1)),
    partial(explain, cart(order_lines=[line(unit_price=0, total_amount=0)], order_amount=0)),
    partial(explain, cart(purchase_country="JP")),
    partial(explain, cart(purchase_currency="EUR")),
    partial(explain, cart(purchase_country="NO", purchase_currency="NOK")),
    partial(explain, cart(order_amount=Decimal(200))),
    partial(explain, cart(order_amount=None)),
    partial(explain, cart(order_lines=[line(name="")])),
    partial(explain, cart(order_lines=[line(name="a" * 256)])),
    partial(explain, cart(purchase_country="Sweden", intent="give")),
    partial(explain, cart(order_lines=[line(name="\0")])),
    partial(explain, cart(order_amount=-1)),
    partial(explain, cart(order_lines=[line(total_amount=100_000_001)])),
    partial(explain, cart(order_lines=[line()] * 1001)),
    partial(explain, cart(payment_method_categories=["a", "a"])),
    partial(SessionCreate.from_dict, {"order_linez": []}),
    cart(order_lines=[]).check,
    sent,
    partial(payable, cart(billing_address=Address(city="a")), urls),
    partial(payable, cart(merchant_urls=urls), urls),
    lambda: [missing_cart(), already_paid(), undescribed()],
    lambda: list(wrong_data(Session(order_amount=1), {})),
    lambda: list(wrong_data(Session(customer=Customer(type="organization")), {})),
    refused,
]


def violations_of(call: Callable[[], object]) -> Iterable[Violation]:
    try:
        result = call()
    except (CartNotPayable, KlarnaValidationError) as error:
        return error.violations
    assert isinstance(result, list)
    return result


def rules_in_the_code() -> set[str]:
    """The words that are written where violations are made; the sandbox has none of ours."""
    package = ROOT / "django_klarna"
    trees = [ast.parse(module.read_text()) for module in package.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    words = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "rule"]
    words += [
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"refuse", "not_negative", "_amount"}
    ]
    return {word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)}


def test_every_rule_and_its_mend(settings: Settings) -> None:
    settings.KLARNA_MARKETS = {"NO": {"max_order_amount": 1}}
    found = [violation for call in WRONG for violation in violations_of(call)]
    _page, tables = PAGE.split("## What is refused")
    documented = {
        rule: "\n".join(re.findall(rf"^\| [^|]*`{rule}`.*$", tables, re.MULTILINE))
        for names in re.findall(r"^\| (`[^|]*) \|", tables, re.MULTILINE)
        for rule in re.findall(r"`(\w+)`", names)
    }
    assert set(documented) == {violation.rule for violation in found}
    assert rules_in_the_code() <= set(documented)
    for violation in found:
        assert plain(violation.mend) in documented[violation.rule]


def test_the_rules_that_are_no_mistake() -> None:
    (sentence,) = re.findall(r"with the rules (.*?)\.", PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == STATES

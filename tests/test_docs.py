"""What the documentation promises is what the code has."""

import ast
import inspect
import json
import re
import tomllib
import unittest
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model
from django.dispatch import Signal
from pytest_django import Settings

from django_klarna import checks, conf, exceptions, markets, services, signals, urls
from django_klarna.accounts import ACCOUNT_KEYS
from django_klarna.admin import measures
from django_klarna.admin.runs import Repair
from django_klarna.carts import CartAdapter
from django_klarna.exceptions import Violation
from django_klarna.lines import SessionBuilder
from django_klarna.management import commands
from django_klarna.models import (
    ATTEMPT_MOVES,
    MOVES,
    ORDER_MOVES,
    Flag,
    KlarnaAuthorization,
    KlarnaOrder,
)
from django_klarna.rest import outcomes
from django_klarna.rest.purchases import AttemptView, AuthorizationView
from django_klarna.rest.views import SessionView
from django_klarna.services import convergence, notices, placing, reconciliation, releasing
from tests.conftest import MakeCart

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
README = (ROOT / "README.md").read_text()
ORDERS = (ROOT / "docs" / "orders.md").read_text()
MODULE = (ROOT / "django_klarna" / "static" / "django_klarna" / "klarna.js").read_text()


def first_cells(text: str, heading: str) -> set[str]:
    (section,) = re.findall(rf"^## {heading}.*?$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {
        name
        for cell in re.findall(r"^\| (`[^|]+?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w[\w.]*)", cell)
    }


def test_settings() -> None:
    sources = inspect.getsource(conf) + inspect.getsource(markets)
    read = set(re.findall(r"\"(KLARNA(?:_[A-Z]+)*)\"", sources))
    table = set(re.findall(r"^\| `(KLARNA\w*)`", SETTINGS, re.MULTILINE))
    assert table == read == set(conf.SETTING_NAMES)


def test_account_keys() -> None:
    documented = first_cells(SETTINGS, "`KLARNA`") | {"PASSWORD"}
    assert documented == set(ACCOUNT_KEYS)


def test_keys_of_a_market() -> None:
    documented = first_cells(SETTINGS, "`KLARNA_MARKETS`")
    assert documented == set(markets.rules_for("SE")) == {field.name for field in fields(markets.Market)}


def test_the_example_of_markets_is_read(settings: Settings) -> None:
    (example,) = re.findall(r"```python\n(KLARNA_MARKETS = .*?)```", SETTINGS, re.DOTALL)
    settings.KLARNA_MARKETS = ast.literal_eval(example.partition(" = ")[2])

    assert markets.get_markets() != markets.MARKETS


def test_the_table_of_markets() -> None:
    rows = re.findall(r"^\| ([A-Z]{2} \| .*) \|$", REFERENCE, re.MULTILINE)
    assert rows == [
        f"{country} | {', '.join(market.currencies)} | {', '.join(market.locales)} "
        f"| {market.region} | {market.tax_model}"
        for country, market in markets.MARKETS.items()
    ]


TIMES = ("KLARNA_ENSURE_TIMEOUT", "KLARNA_SYNC_TIMEOUT", "KLARNA_ORDER_TIMEOUT", "KLARNA_EXPIRY_MARGIN")


def test_defaults_of_settings() -> None:
    for name in TIMES:
        (default,) = re.findall(rf"^\| `{name}` \| `(\d+)`", SETTINGS, re.MULTILINE)
        assert f'seconds("{name}", {default}.0)' in inspect.getsource(conf)
    (rates,) = re.findall(r"^\| `KLARNA_THROTTLE_RATES` \| `(.*?)`", SETTINGS, re.MULTILINE)
    assert json.loads(rates) == conf.THROTTLE_RATES


def test_checks() -> None:
    documented = set(re.findall(r"`django_klarna\.([EW]\d+)`", SETTINGS))
    assert documented == set(re.findall(r"E\d{3}|W\d{3}", inspect.getsource(checks)))


def test_signals() -> None:
    public = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert first_cells(REFERENCE, "Signals") == public


def test_arguments_of_signals() -> None:
    """They are said where the signals are, too."""
    source = inspect.getsource(signals)
    made = re.findall(r"((?:^#: .*\n)+)^(\w+) = \w*Signal\(", source, re.MULTILINE)
    assert {name for _said, name in made} == first_cells(REFERENCE, "Signals")
    for said, name in made:
        (documented,) = re.findall(rf"^\| `{name}` \| (.*?) \|", REFERENCE, re.MULTILINE)
        words = set(re.findall(r"`+(session|order|error)`+", said)) or {"cart"}
        assert set(re.findall(r"`(\w+)`", documented)) == words


def test_errors() -> None:
    public = {name for name in exceptions.__all__ if name != "Violation"}
    assert first_cells(REFERENCE, "Errors") == public


def test_services() -> None:
    assert first_cells(REFERENCE, "Services") == set(services.__all__)


@pytest.mark.parametrize(
    ("heading", "moves"),
    [("Of a session", MOVES), ("Of an authorization", ATTEMPT_MOVES), ("Of an order", ORDER_MOVES)],
)
def test_states(heading: str, moves: Mapping[str, frozenset[str]]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| .*? \| (.*?) ?\|$", section_of(ORDERS, heading), re.MULTILINE)
    documented = {state: set(re.findall(r"`(\w+)`", targets)) for state, targets in rows}
    assert documented == {str(state): set(map(str, targets)) for state, targets in moves.items()}


def test_flags() -> None:
    assert first_cells(ORDERS, "Flags") == {"flag", *Flag.values}


def test_reasons() -> None:
    """Each is written in full where it is made."""
    sources = "".join(
        inspect.getsource(module) for module in (notices, placing, reconciliation, releasing, convergence)
    )
    constants = re.findall(
        r"^[A-Z_, ]+ = ((?:\"[a-z_]+\"(?:, )?)+)$", inspect.getsource(placing), re.MULTILINE
    )
    made = {reason for line in constants for reason in re.findall(r"\"(\w+)\"", line)}
    made |= set(re.findall(r"(?:release|give_up)\(\w+, \"(\w+)\"", sources))
    made |= set(re.findall(r"reason=\"(\w+)\"", sources))
    (table,) = re.findall(r"^\| `reason` \|.*?\n\n", ORDERS, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"reason"} == made


def test_what_klarna_reconcile_says() -> None:
    section = section_of(ORDERS, "klarna_reconcile")
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    said = {word for cell in cells for word in re.findall(r"`(.*?)`", cell)}
    assert said == {*reconciliation.JOBS, "failed"}


def section_of(page: str, heading: str) -> str:
    found = re.search(rf"^(?:##+) {heading}$(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_endpoints() -> None:
    """Each method of each view, and each URL of a callback."""
    documented = re.findall(r"^\| `([A-Z]+) (\w+/)` \|", REFERENCE, re.MULTILINE)
    views = {"session/": SessionView, "attempt/": AttemptView, "authorization/": AuthorizationView}
    assert documented == [
        (method.upper(), address)
        for address, view in views.items()
        for method in view.http_method_names
        if method != "head"
    ]
    callbacks = re.findall(r"^\| `(callbacks/.*?)` \|", ORDERS, re.MULTILINE)
    patterns = [str(each.pattern).replace("str:", "") for each in urls.urlpatterns]
    assert patterns == [*views, *callbacks]


def test_answers_of_endpoints() -> None:
    """Each code of a 409, and what it says to do next."""
    made = set(re.findall(r"\"(\w+)\",\s+\"[A-Z].*?next=\"(\w+)\"", inspect.getsource(outcomes), re.DOTALL))
    made |= {(code, "authorize") for code in ("authorize_again", "unknown_attempt")}
    assert set(re.findall(r"\| 409 `(\w+)` \| `(\w+)` \|", REFERENCE)) == made


@pytest.mark.parametrize("model", [KlarnaOrder, KlarnaAuthorization])
def test_fields_of_models(model: type[Model]) -> None:
    (table,) = re.findall(rf"^\| field of `{model.__name__}` \|.*?\n\n", REFERENCE, re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    for name in re.findall(r"`(\w+)`", " ".join(cells)):
        assert hasattr(model, name), name


def test_events() -> None:
    """The head of the module says the same ones."""
    documented = set(re.findall(r"^\| `(klarna:[\w-]+)` \|", REFERENCE, re.MULTILINE))
    assert documented == set(re.findall(r"^ \*   (klarna:[\w-]+) ", MODULE, re.MULTILINE))
    for event, detail in re.findall(r"^ \*   (klarna:\w+) +\{(\w.*?)\}", MODULE, re.MULTILINE):
        (row,) = re.findall(rf"^\| `{event}` \| (.*?) \|", REFERENCE, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == detail.split(", ")


def test_actions_of_the_admin() -> None:
    """By their titles; the row of one begins as its title does, or where that differs from the one before."""
    section = section_of(REFERENCE, "The admin")
    rows = re.findall(r"^\| (.*?) \| `(\w+)` \|", section, re.MULTILINE)
    repairs = [value for value in vars(measures).values() if isinstance(value, Repair)]
    assert [f"django_klarna.{permission}" for _title, permission in rows] == [
        repair.permission for repair in repairs
    ]
    for (title, _permission), repair in zip(rows, repairs, strict=True):
        words = title.rpartition(": ")[2] if title.startswith("on ") else title
        assert str(repair.title).endswith(words.removeprefix("… "))


def test_adapter() -> None:
    public = {name for name in vars(CartAdapter) if not name.startswith("_")}
    assert first_cells(REFERENCE, "The adapter") == public


def test_builder() -> None:
    (section,) = re.findall(r"^## The builder.*?$(.*?)(?=^## )", REFERENCE, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `(.*?)` \|", section, re.MULTILINE) == list(calls_of(SessionBuilder))


def calls_of(cls: type) -> Iterator[str]:
    """How a class and its public methods are called, as a table writes it."""
    for name, method in vars(cls).items():
        if name == "__init__" or not name.startswith("_"):
            signature = inspect.signature(method)
            _self, *parameters = signature.parameters.values()
            plain = [each.replace(annotation=inspect.Parameter.empty) for each in parameters]
            call = str(inspect.Signature(plain)).replace("'", '"')
            yield f"{cls.__name__ if name == '__init__' else name}{call}"


def test_violation() -> None:
    (section,) = re.findall(r"^\| part \|.*?\n\n", REFERENCE, re.MULTILINE | re.DOTALL)
    first = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    properties = {name for name, value in vars(Violation).items() if isinstance(value, property)}
    assert (
        set(re.findall(r"`(\w+)`", " ".join(first))) == {each.name for each in fields(Violation)} | properties
    )


def test_rooms() -> None:
    """The picture of the architecture is what import-linter holds."""
    (picture,) = re.findall(
        r"```\n(.*?)beside     sandbox\n```", (ROOT / "docs" / "architecture.md").read_text(), re.DOTALL
    )
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert [line[11:].split() for line in picture.splitlines()] == [
        layer.replace("|", " ").split() for layer in layers
    ]


def test_commands() -> None:
    modules = Path(commands.__file__).parent.glob("[!_]*.py")
    assert set(re.findall(r"manage\.py (klarna_\w+)", REFERENCE)) == {module.stem for module in modules}


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 80


def test_every_page_is_linked_from_another_one() -> None:
    pages = {page: page.read_text() for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
    links = {
        (page.parent / target).resolve()
        for page, text in pages.items()
        for target in re.findall(r"\]\(([^)#:]+)", text)
        if target != page.name
    }
    assert set((ROOT / "docs").glob("*.md")) <= links


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), f"{target}#{anchor}"


def anchors(page: str) -> set[str]:
    """The names of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [README, SETTINGS, REFERENCE, *map(Path.read_text, (ROOT / "docs").glob("*.md"))]
)
def test_python_in_the_docs_compiles(page: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        compile(block, "docs", "exec")


@pytest.mark.django_db(transaction=True)
def test_the_test_case_in_the_docs_passes(make_cart: MakeCart) -> None:
    """As a shop would run it, with a cart of its own."""
    page = (ROOT / "docs" / "sandbox.md").read_text()
    source = next(
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "TestCase" in block
    )
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    case = namespace["CheckoutTests"]
    case.cart = make_cart()
    case.product = case.cart.lines.get().product

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)

    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def plain(source: str) -> str:
    """A module without its comments and annotations."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.unparse(tree)


def test_the_example_of_the_readme_is_the_adapter_that_is_tested() -> None:
    """Line for line, but for annotations."""
    tested = plain((ROOT / "tests" / "shop" / "klarna.py").read_text())
    (example,) = re.findall(r"# shop/klarna\.py\n(.*?)```", README, re.DOTALL)
    lines = plain(example.replace("from shop", "from tests.shop")).splitlines()
    assert [line for line in lines if line not in tested] == []

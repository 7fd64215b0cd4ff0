"""What the documentation promises is what the code has."""

import inspect
import re
import unittest
from pathlib import Path

import pytest
from django.dispatch import Signal

from django_klarna import checks, conf, exceptions, services, signals
from django_klarna.carts import CartAdapter
from django_klarna.management import commands

ROOT = Path(__file__).parent.parent
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
README = (ROOT / "README.md").read_text()


def first_cells(text, heading):
    section = re.search(rf"^## {heading}.*?$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL).group(1)
    return {
        name
        for cell in re.findall(r"^\| (`[^|]+?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w[\w.]*)", cell)
    }


def test_settings():
    read = set(re.findall(r"\"(KLARNA(?:_[A-Z]+)*)\"", inspect.getsource(conf)))
    table = set(re.findall(r"^\| `(KLARNA\w*)`", SETTINGS, re.MULTILINE))
    assert table == read


def test_account_keys():
    documented = first_cells(SETTINGS, "`KLARNA`") | {"PASSWORD"}
    assert documented == set(conf.ACCOUNT_KEYS)


def test_defaults_of_settings():
    for name in ("KLARNA_ENSURE_TIMEOUT", "KLARNA_SYNC_TIMEOUT", "KLARNA_EXPIRY_MARGIN"):
        default = re.search(rf"^\| `{name}` \| `(\d+)`", SETTINGS, re.MULTILINE).group(1)
        assert f'seconds("{name}", {default}.0)' in inspect.getsource(conf)


def test_checks():
    documented = set(re.findall(r"`django_klarna\.([EW]\d+)`", SETTINGS))
    assert documented == set(re.findall(r"E\d{3}|W\d{3}", inspect.getsource(checks)))


def test_signals():
    public = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    assert first_cells(REFERENCE, "Signals") == public


def test_errors():
    public = {name for name in exceptions.__all__ if name != "Violation"}
    assert first_cells(REFERENCE, "Errors") == public


def test_services():
    assert first_cells(REFERENCE, "Services") == set(services.__all__)


def test_adapter():
    public = {name for name in vars(CartAdapter) if not name.startswith("_")}
    assert first_cells(REFERENCE, "The adapter") == public


def test_commands():
    modules = Path(commands.__file__).parent.glob("[!_]*.py")
    assert set(re.findall(r"manage\.py (klarna_\w+)", REFERENCE)) == {module.stem for module in modules}


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 80
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    "page", [README, SETTINGS, REFERENCE, *map(Path.read_text, (ROOT / "docs").glob("*.md"))]
)
def test_python_in_the_docs_compiles(page):
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        compile(block, "docs", "exec")


@pytest.mark.django_db(transaction=True)
def test_the_test_case_in_the_docs_passes(make_cart):
    """As a shop would run it, with a cart of its own."""
    page = (ROOT / "docs" / "sandbox.md").read_text()
    source = next(
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "TestCase" in block
    )
    namespace = {}
    exec(source, namespace)
    case = namespace["CheckoutTests"]
    case.cart = make_cart()
    case.product = case.cart.lines.get().product

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)

    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def test_the_example_of_the_readme_is_the_adapter_that_is_tested():
    """Line for line, but for what the suite's shop needs to make the order later."""
    tested = (ROOT / "tests" / "shop" / "klarna.py").read_text()
    example = re.search(r"# shop/klarna\.py\n(.*?)```", README, re.DOTALL).group(1)
    lines = [line.split("  #")[0].strip() for line in example.splitlines()]
    assert [
        line for line in lines if line and line.replace("from shop", "from tests.shop") not in tested
    ] == []

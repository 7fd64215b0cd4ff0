"""The suites of good adapters pass: with pytest, with Django's runner, and as the docs write them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import TestCase, override_settings

from tests.example.conftest import environment
from tests.testing.running import outcome
from tests.testing.suites import NordicSuite, SwedishSuite

# The shop of the suite leaves the carts that it has sold as they were.
pytestmark = pytest.mark.filterwarnings("ignore::django_klarna.testing.UnchangedCartWarning")
ROOT = Path(__file__).parents[2]
ACCOUNT = {"USERNAME": "K1", "PASSWORD": "secret"}


class SwedishTests(SwedishSuite, TestCase):
    pass


@override_settings(
    KLARNA_CART_ADAPTER="tests.shop.klarna.NordicAdapter", KLARNA={"default": ACCOUNT, "norway": ACCOUNT}
)
class NordicTests(NordicSuite, TestCase):
    pass


def test_the_adapter_of_the_example_passes(tmp_path: Path) -> None:
    """In the project of the example, with Django's own test runner."""
    run = subprocess.run(
        [sys.executable, "manage.py", "test", "tests.testing.example"],
        cwd=ROOT,
        env=environment(tmp_path / "db.sqlite3"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert "Ran 12 tests" in run.stdout


@pytest.mark.django_db(transaction=True)
def test_the_suite_of_the_docs_passes() -> None:
    """As a shop would run it, with the models of its own."""
    page = (ROOT / "docs" / "testing.md").read_text()
    source = next(
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "TestCase" in block
    )
    namespace: dict[str, Any] = {}
    exec(source.replace("from shop", "from tests.shop"), namespace)

    assert outcome(namespace["ShopAdapterTests"]) == (12, {})

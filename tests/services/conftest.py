from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.services.purchases import Adapter


@pytest.fixture
def adapter(settings: Settings) -> Iterator[type[Adapter]]:
    """A shop that empties its carts, and fails as often as a test says."""
    settings.KLARNA_CART_ADAPTER = "tests.services.purchases.Adapter"
    yield Adapter
    Adapter.failures = 0


@pytest.fixture
def impatient(settings: Settings) -> None:
    """Wait a second for Klarna, and no longer."""
    settings.KLARNA_ORDER_TIMEOUT = settings.KLARNA_ENSURE_TIMEOUT = settings.KLARNA_SYNC_TIMEOUT = 1

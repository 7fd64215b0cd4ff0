"""What a request does here, it does whole or not at all."""

from collections.abc import Callable

import pytest

from django_klarna.sandbox import Sandbox
from tests.projects.shopper import Shopper
from tests.urls import OutOfStockError

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_that_fails_sends_nothing(
    klarna: Sandbox, shopper: Shopper, operations: Callable[[], list[str]]
) -> None:
    shopper.ask()

    with pytest.raises(OutOfStockError):
        shopper.type_quantity(11)

    assert operations() == ["create"]
    assert shopper.look().json()["state"] == "open"

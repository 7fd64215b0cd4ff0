"""A shop of any kind; the suite's own conftest.py knows one shop only and is not loaded here."""

from decimal import Decimal
from typing import cast

import pytest
from django.apps import apps
from django.conf import settings as project

from tests.projects.shopper import Shopper
from tests.sandboxes import klarna, operations, sandbox_server
from tests.shop.abstract import AbstractCart

# Fixtures of this module too.
__all__ = ("klarna", "operations", "sandbox_server")


@pytest.fixture
def cart() -> AbstractCart:
    """One thing for 199.00, in a cart of the project's own model."""
    model = apps.get_model(project.KLARNA_CART_MODEL)
    product = apps.get_model(model._meta.app_label, "Product")
    cart = cast("AbstractCart", model._default_manager.create())
    cart.lines.create(product=product._default_manager.create(name="Hat", price=Decimal("199.00")))
    return cart


@pytest.fixture
def shopper(cart: AbstractCart) -> Shopper:
    return Shopper(cart)

"""A shop of any kind and a Klarna for it; the suite's own conftest.py knows one shop only and is not loaded here."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import cast

import pytest
from django.apps import apps
from django.conf import settings as project
from django.core.cache import cache
from pytest_django import Settings

from django_klarna.sandbox import Sandbox, SandboxServer
from tests.projects.shopper import Shopper
from tests.shop.abstract import AbstractCart


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def klarna(sandbox_server: SandboxServer, settings: Settings) -> Sandbox:
    """A fresh Klarna at the end of a real socket."""
    sandbox_server.sandbox.reset()
    settings.KLARNA = {
        "default": {
            "USERNAME": "K1",
            "PASSWORD": "secret-of-k1",
            "ENVIRONMENT": "sandbox",
            "BASE_URL": sandbox_server.url,
        }
    }
    cache.clear()
    return sandbox_server.sandbox


@pytest.fixture
def operations(klarna: Sandbox) -> Callable[[], list[str]]:
    """What Klarna was asked, oldest first, in one word each."""
    return lambda: [call.operation.partition("_")[0] for call in klarna.calls]


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

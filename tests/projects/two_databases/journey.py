"""Another database than the default one, and a router that reads somewhere else."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.db.transaction import TransactionManagementError
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import SessionCreate
from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.projects.klarna import AnyShopAdapter
from tests.projects.two_databases.routers import SALES
from tests.shop.abstract import AbstractCart

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class WatchfulAdapter(AnyShopAdapter):
    def build_session(self, cart: AbstractCart) -> SessionCreate:
        assert transaction.get_connection(SALES).in_atomic_block
        return super().build_session(cart)


def test_cart_and_lines_are_read_in_one_transaction(
    klarna: Sandbox, cart: AbstractCart, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.projects.two_databases.journey.WatchfulAdapter"

    assert services.ensure_session(cart=cart).live


def test_services_read_where_they_write(
    klarna: Sandbox, cart: AbstractCart, operations: Callable[[], list[str]], settings: Settings
) -> None:
    settings.DATABASE_ROUTERS = ["tests.projects.two_databases.routers.AstrayRouter"]
    with pytest.raises(DatabaseError, match="klarnasession"):
        KlarnaSession.objects.exists()

    session = services.ensure_session(cart=cart)
    line = cart.lines.get()
    line.quantity = 2
    line.save()
    services.ensure_session(cart=cart)
    assert services.peek_session(cart=cart)[0] == session
    services.refresh_session(session.pk)
    assert services.sync_session(session.pk)
    assert operations() == ["create", "update", "read", "read"]

    assert services.close_session(session.pk)
    services.ensure_session(cart=cart)
    cart.delete()
    states = KlarnaSession.objects.using(SALES).values_list("state", flat=True)
    assert list(states) == ["abandoned", "abandoned"]


def test_services_refuse_a_transaction_on_the_other_database_too(
    klarna: Sandbox, cart: AbstractCart, operations: Callable[[], list[str]]
) -> None:
    with transaction.atomic(using="default"), pytest.raises(TransactionManagementError):
        services.ensure_session(cart=cart)

    assert operations() == []

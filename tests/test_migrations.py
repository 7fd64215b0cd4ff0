"""The schema: complete, reversible, and made for any cart model (tests/projects has several)."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

import django_klarna.migrations
from django_klarna.models import KlarnaSession
from tests.shop.models import Cart

TABLE = KlarnaSession._meta.db_table


def tables() -> list[str]:
    return connection.introspection.table_names()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_the_project_decides_on_the_cart_model() -> None:
    source = (Path(django_klarna.migrations.__file__).parent / "0001_initial.py").read_text()

    assert "swappable_dependency(settings.KLARNA_CART_MODEL)" in source
    assert "to=settings.KLARNA_CART_MODEL" in source


def test_the_carts_come_first() -> None:
    plan = MigrationLoader(None).graph.forwards_plan(("django_klarna", "0001_initial"))

    assert plan == [("shop", "0001_initial"), ("django_klarna", "0001_initial")]


@pytest.mark.django_db
def test_the_table_has_the_columns_of_the_model() -> None:
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, TABLE)

    assert {column.name: column.null_ok for column in columns} == {
        field.column: field.null for field in KlarnaSession._meta.local_concrete_fields
    }


@pytest.mark.django_db
def test_the_database_itself_knows_the_rules() -> None:
    """Django skips, with no more than a check, what a database cannot hold."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, TABLE).values()

    unique = [set(constraint["columns"]) for constraint in constraints if constraint["unique"]]
    assert [columns in unique for columns in ({"cart_id", "live"}, {"session_id"}, {"key"})] == [True] * 3
    assert (Cart._meta.db_table, "id") in [constraint["foreign_key"] for constraint in constraints]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("app", ["django_klarna", "shop"])
def test_there_and_back(app: str) -> None:
    """The app of the carts cannot go without ours."""
    try:
        call_command("migrate", app, "zero", verbosity=0)
        assert TABLE not in tables()
    finally:
        call_command("migrate", verbosity=0)
    assert TABLE in tables()


@pytest.mark.django_db(transaction=True)
def test_a_shop_that_lets_us_go_keeps_its_carts(cart: Cart) -> None:
    KlarnaSession.objects.create(cart_id=cart.pk, live=True, order_amount=1)
    try:
        call_command("migrate", "django_klarna", "zero", verbosity=0)
        assert cart.lines.count() == 1
    finally:
        call_command("migrate", "django_klarna", verbosity=0)
    assert not KlarnaSession.objects.exists()

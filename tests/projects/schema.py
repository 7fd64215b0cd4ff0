"""What must hold of the schema in every project."""

import pytest
from django.core.management import call_command
from django.db import connections, router

from django_klarna.models import KlarnaSession
from tests.shop.abstract import AbstractCart

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

TABLE = KlarnaSession._meta.db_table


def test_the_checks_have_nothing_to_say() -> None:
    call_command("check", fail_level="INFO", databases=list(connections))


def test_no_migration_is_missing_in_any_app() -> None:
    call_command("makemigrations", check=True, dry_run=True)


def test_the_foreign_key_is_to_the_carts_of_the_project(cart: AbstractCart) -> None:
    connection = connections[router.db_for_write(KlarnaSession)]
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, TABLE)

    assert (cart._meta.db_table, "id") in [each["foreign_key"] for each in constraints.values()]


def test_there_and_back() -> None:
    alias = router.db_for_write(KlarnaSession)
    try:
        call_command("migrate", "django_klarna", "zero", database=alias, verbosity=0)
        assert TABLE not in connections[alias].introspection.table_names()
    finally:
        call_command("migrate", "django_klarna", database=alias, verbosity=0)
    assert TABLE in connections[alias].introspection.table_names()

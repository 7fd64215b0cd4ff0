"""The schema: complete, reversible, and made for any cart model."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

import django_klarna.migrations


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_project_decides_on_the_cart_model():
    source = (Path(django_klarna.migrations.__file__).parent / "0001_initial.py").read_text()

    assert "swappable_dependency(settings.KLARNA_CART_MODEL)" in source
    assert "to=settings.KLARNA_CART_MODEL" in source


@pytest.mark.django_db(transaction=True)
def test_there_and_back():
    try:
        call_command("migrate", "django_klarna", "zero", verbosity=0)
        assert "django_klarna_klarnasession" not in connection.introspection.table_names()
    finally:
        call_command("migrate", "django_klarna", verbosity=0)
    assert "django_klarna_klarnasession" in connection.introspection.table_names()

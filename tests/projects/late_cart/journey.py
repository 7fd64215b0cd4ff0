"""Why docs/settings.md tells such a shop to say ``run_before``."""

from importlib import import_module

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_run_before_the_project_cannot_be_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    second = import_module("tests.projects.late_cart.shop.migrations.0002_cart").Migration
    call_command("migrate", "late_shop", "zero", verbosity=0)
    try:
        with monkeypatch.context() as forgotten:
            forgotten.setattr(second, "run_before", [])
            with pytest.raises(ValueError, match=r"Related model 'late_shop\.cart' cannot be resolved"):
                call_command("migrate", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)

"""Whether somebody finishes what the shoppers' browsers do not: the one check that asks a database."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution
from django.db import connections
from django.utils import timezone

from django_klarna.models import KlarnaAuthorization, KlarnaOrder, OrderState
from django_klarna.services.attempts import authorizations
from django_klarna.services.orders import orders
from django_klarna.services.transactions import database

#: What is tried by ``klarna_reconcile`` is never due for as long as this: it postpones before it tries.
LONG = timedelta(minutes=10)


def check_waiting(databases: Iterable[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W013: authorizations or orders wait, and nobody comes."""
    if database() not in (databases or ()) or not is_migrated():
        return []
    late = {"retry_at__lt": timezone.now() - LONG}
    unplaced = authorizations().unsettled().filter(**late).count()
    unrecorded = orders().filter(state=OrderState.PLACED, **late).count()
    if not unplaced and not unrecorded:
        return []
    return [
        Caution(
            f"For more than ten minutes {unplaced} authorizations of shoppers have waited for their order, and "
            f"{unrecorded} orders of Klarna's for the shop",
            hint="Run 'manage.py klarna_reconcile --watch' beside the web workers, and start it again when it ends",
            id="django_klarna.W013",
        )
    ]


def is_migrated() -> bool:
    """Tell whether our tables are there; ``migrate`` checks the database before it makes them."""
    tables = connections[database()].introspection.table_names()
    return all(model._meta.db_table in tables for model in (KlarnaAuthorization, KlarnaOrder))  # noqa: SLF001 - Django's public name

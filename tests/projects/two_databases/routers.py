from typing import Any

from django.db.models import Model

SALES = "sales"
APPS = frozenset({"shop", "django_klarna"})


class SalesRouter:
    """Keeps what is sold, and how it is paid, in a database of its own."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return SALES if model._meta.app_label in APPS else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return SALES if model._meta.app_label in APPS else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == SALES) is (app_label in APPS)


class AstrayRouter(SalesRouter):
    """Reads where nothing is, as from a replica that lags behind for ever; what hangs on a row stays with the row."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return None if "instance" in hints else "default"

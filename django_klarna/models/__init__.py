"""The rows; no I/O but the database."""

from django_klarna.models.calls import KlarnaApiCall
from django_klarna.models.sessions import (
    MOVES,
    KlarnaSession,
    KlarnaSessionQuerySet,
    State,
    drops_a_key,
    lease_end,
    new_key,
)

__all__ = (
    "MOVES",
    "KlarnaApiCall",
    "KlarnaSession",
    "KlarnaSessionQuerySet",
    "State",
    "drops_a_key",
    "lease_end",
    "new_key",
)

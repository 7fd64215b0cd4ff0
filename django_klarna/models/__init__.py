"""The rows; no I/O but the database."""

from django_klarna.models.authorizations import (
    ATTEMPT_MOVES,
    FRUITLESS,
    UNSETTLED,
    Attempt,
    KlarnaAuthorization,
    KlarnaAuthorizationQuerySet,
    Source,
    hash_of,
)
from django_klarna.models.calls import KlarnaApiCall
from django_klarna.models.orders import (
    DONE,
    ORDER_MOVES,
    Flag,
    FraudStatus,
    KlarnaOrder,
    KlarnaOrderQuerySet,
    OrderState,
)
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
    "ATTEMPT_MOVES",
    "DONE",
    "FRUITLESS",
    "MOVES",
    "ORDER_MOVES",
    "UNSETTLED",
    "Attempt",
    "Flag",
    "FraudStatus",
    "KlarnaApiCall",
    "KlarnaAuthorization",
    "KlarnaAuthorizationQuerySet",
    "KlarnaOrder",
    "KlarnaOrderQuerySet",
    "KlarnaSession",
    "KlarnaSessionQuerySet",
    "OrderState",
    "Source",
    "State",
    "drops_a_key",
    "hash_of",
    "lease_end",
    "new_key",
)

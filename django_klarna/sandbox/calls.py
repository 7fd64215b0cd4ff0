"""The calls of Klarna's APIs: how they are told apart, and the record of those received."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django_klarna.sandbox.clock import iso

SESSIONS: Final = re.compile(r"/payments/v1/sessions")
SESSION: Final = re.compile(r"/payments/v1/sessions/(?P<session_id>[^/]+)")
AUTHORIZATION: Final = re.compile(r"/payments/v1/authorizations/(?P<authorization_token>[^/]+)")
ORDERING: Final = re.compile(AUTHORIZATION.pattern + "/order")
CUSTOMER_TOKEN: Final = re.compile(AUTHORIZATION.pattern + "/customer-token")
ORDER: Final = re.compile(r"/ordermanagement/v1/orders/(?P<order_id>[^/]+)")
ROUTES: Final = (
    ("create_credit_session", "POST", SESSIONS),
    ("read_credit_session", "GET", SESSION),
    ("update_credit_session", "POST", SESSION),
    ("create_order", "POST", ORDERING),
    ("cancel_authorization", "DELETE", AUTHORIZATION),
    ("purchase_token", "POST", CUSTOMER_TOKEN),
    # Of the Order Management API, and so not in the contract of payments.
    ("get_order", "GET", ORDER),
)
OPERATIONS: Final = tuple(operation for operation, _method, _path in ROUTES)
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Say what a request asks for: the operation, what its path names, and the path's methods."""

    operation: str
    allowed: tuple[str, ...]
    session_id: str | None = None
    authorization_token: str | None = None
    order_id: str | None = None


def route(method: str, path: str) -> Route:
    """Return the operation behind a method and path; `unknown` when there is none."""
    found = [(op, verb, match) for op, verb, pattern in ROUTES if (match := pattern.fullmatch(path))]
    allowed = tuple(verb for _op, verb, _match in found)
    for operation, verb, match in found:
        if verb == method:
            return Route(operation=operation, allowed=allowed, **match.groupdict())
    return Route(operation=UNKNOWN, allowed=allowed)


@dataclass(slots=True, kw_only=True)
class Call:
    """Record one call of Klarna's APIs; `status` is None when no answer was sent."""

    operation: str
    body: object
    at: datetime
    session_id: str | None
    authorization_token: str | None = None
    order_id: str | None = None
    status: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the call as `/_sandbox/calls` lists it."""
        content: dict[str, object] = {"operation": self.operation, "status": self.status, "body": self.body}
        for name in ("session_id", "authorization_token", "order_id"):
            if getattr(self, name) is not None:
                content[name] = getattr(self, name)
        return content | {"at": iso(self.at)}

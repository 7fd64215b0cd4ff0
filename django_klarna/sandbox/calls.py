"""The calls of Klarna's API: how they are told apart, and the record of those received."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django_klarna.sandbox.clock import iso

SESSIONS: Final = re.compile(r"/payments/v1/sessions")
SESSION: Final = re.compile(r"/payments/v1/sessions/([^/]+)")
ROUTES: Final = (
    ("create_credit_session", "POST", SESSIONS),
    ("read_credit_session", "GET", SESSION),
    ("update_credit_session", "POST", SESSION),
)
OPERATIONS: Final = tuple(operation for operation, _method, _path in ROUTES)
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    """Say what a request asks for: the operation, the session in its path, and the path's methods."""

    operation: str
    session_id: str | None
    allowed: tuple[str, ...]


def route(method: str, path: str) -> Route:
    """Return the operation behind a method and path; `unknown` when there is none."""
    found = [(op, verb, match) for op, verb, pattern in ROUTES if (match := pattern.fullmatch(path))]
    allowed = tuple(verb for _op, verb, _match in found)
    for operation, verb, match in found:
        if verb == method:
            return Route(operation, next(iter(match.groups()), None), allowed)
    return Route(UNKNOWN, None, allowed)


@dataclass(slots=True, kw_only=True)
class Call:
    """Record one call of Klarna's API; `status` is None when no answer was sent."""

    operation: str
    body: object
    at: datetime
    session_id: str | None
    status: int | None = None

    def as_json(self) -> dict[str, object]:
        """Return the call as `/_sandbox/calls` lists it."""
        content: dict[str, object] = {"operation": self.operation, "status": self.status, "body": self.body}
        if self.session_id is not None:
            content["session_id"] = self.session_id
        return content | {"at": iso(self.at)}

"""What goes into the sandbox and what comes out of it, free of sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Hold one HTTP request; `path` is without the query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the value of a header whatever the case of its name, or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Hold one HTTP response, and how it is sent.

    It is sent `delay` seconds later, its body in small pieces over `drip` seconds; of a `truncated` one the
    connection is cut in the middle of the body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    drip: float = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Stand for a connection that is cut after `delay` seconds without an answer."""

    delay: float = 0


def json_response(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a JSON body, never to be cached."""
    own = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status=status, headers={**own, **(headers or {})}, body=json.dumps(content).encode())


def method_not_allowed(allowed: tuple[str, ...]) -> Response:
    """Return a 405 that names the allowed methods."""
    message = f"Only {', '.join(allowed)} here"
    return json_response(405, {"error": message}, {"Allow": ", ".join(allowed)})


def parse_json(body: bytes) -> object:
    """Return the parsed body, or None for one that is no JSON (NaN, Infinity and 1e999 are none)."""
    try:
        content: object = json.loads(body, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return content


def _finite(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ValueError(number)
    return value

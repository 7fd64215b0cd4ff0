"""How callbacks are sent: one by one, to this machine only."""

import json
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

# Klarna waits so long for the connection, and again for the answer.
PATIENCE_SECONDS: Final = 2
# What a URL may hold that is to be sent as it is; the rest, as a line's end, is quoted.
URL_CHARACTERS: Final = "%/:=&?~#+!$,;'@()*[]"


def is_reachable(url: str) -> bool:
    """Say whether a URL is one of plain HTTP to this very machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.port != 0 and _is_loopback(parts.hostname or "")
    except ValueError:
        return False


def send(url: str, body: dict[str, str] | None) -> int | None:
    """POST a callback and return the status of the answer, or None when there was none in time."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    content = b"" if body is None else json.dumps(body).encode()
    try:
        connection.request(
            "POST", quote(target, safe=URL_CHARACTERS), content, {"Content-Type": "application/json"}
        )
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback

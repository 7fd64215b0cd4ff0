"""What others made up, as part of a path."""

import re
from typing import Final
from urllib.parse import quote

# Klarna's are UUIDs, but nothing says that they have to be: any visible ASCII that keeps to its part of the path.
_TOKEN: Final = re.compile(r"(?!\.+\Z)[!-~]{1,255}")
_OF_URLS: Final = frozenset("/\\?#%")


def id_part(name: str, value: str) -> str:
    """Return an id as part of a path; raise ValueError, which says its `name`, when it would change the path."""
    # Dots would survive the quoting, and a server may read them as "this" and "the one above".
    if not value or not value.strip("."):
        raise ValueError(f"The {name} is empty or no id.")
    return quote(value, safe="")


def is_authorization_token(value: str) -> bool:
    """Return whether text can be an authorization token: visible ASCII that keeps to its part of a path."""
    return bool(_TOKEN.fullmatch(value)) and _OF_URLS.isdisjoint(value)


def token_part(token: str) -> str:
    """Return an authorization token as part of a path.

    Raises TypeError or ValueError when it is no token, and repeats nothing of it.
    """
    if not isinstance(token, str):
        raise TypeError("authorization_token must be text.")
    if not is_authorization_token(token):
        raise ValueError(
            "authorization_token must be 1 to 255 visible ASCII characters, "
            "not only dots, and without slashes and the marks ?, # and %."
        )
    return quote(token, safe="")

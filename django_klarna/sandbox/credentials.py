"""Who is calling: HTTP Basic in both of the styles that Klarna documents."""

import base64
import binascii
from collections.abc import Collection

API_KEY_PREFIX = "klarna_"


def owner(authorization: str, wrong_passwords: Collection[str]) -> str | None:
    """Return whom the sessions of these credentials belong to, or None when they are refused.

    `Basic <API key>` belongs to the key, `Basic <base64 of user:password>` to the user name. Anything not
    empty is accepted, except the passwords and keys listed as wrong.

    Source: https://docs.klarna.com/api/authentication
    """
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    user, password = _split(value.strip())
    return user if user and password and password not in wrong_passwords else None


def _split(value: str) -> tuple[str, str]:
    if value.startswith(API_KEY_PREFIX):
        return value, value
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password

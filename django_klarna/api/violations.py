"""What violations are made of: the names of JSON types, pointers, suggestions."""

import difflib
from collections.abc import Iterable

from django_klarna.api.exceptions import Violation

_SHOWN_KEY = 64

_JSON_TYPES: dict[type, str] = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "integer",
    list: "array",
    str: "string",
    tuple: "array",
    type(None): "null",
}


def type_violation(path: str, value: object, *, expected: str, mend: str = "") -> Violation:
    """Return the violation of a value that has the wrong type."""
    actual = _JSON_TYPES.get(type(value), type(value).__name__)
    return Violation(path=path, rule="type", expected=expected, actual=actual, mend=mend)


def pointer(name: object) -> str:
    """Return a key as the part of a JSON pointer."""
    # A key from outside may be anything, and neither control characters nor a novel belong in a message.
    text = name if isinstance(name, str) else f"<{type(name).__name__}>"
    shown = "".join(char if char.isprintable() else "?" for char in text[:_SHOWN_KEY])
    return shown.replace("~", "~0").replace("/", "~1")


def suggestion(name: object, known: Iterable[str]) -> str:
    """Return a question that names the known key closest to an unknown one, or nothing."""
    close = difflib.get_close_matches(name, known, n=1) if isinstance(name, str) else []
    return f"Did you mean {close[0]!r}?" if close else ""

"""From a shop's cart to order lines that Klarna accepts: `SessionBuilder` makes them, `explain` says what is wrong.

No I/O and no models: what comes out depends on what went in, and on the project's markets, alone.
"""

from django_klarna.lines.builder import SessionBuilder
from django_klarna.lines.rules import explain

__all__ = ("SessionBuilder", "explain")

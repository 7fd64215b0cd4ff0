"""What of an order differs from the session as it was authorized.

Klarna compares addresses, customer, lines and amounts. Source:
https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/validations-in-kp

Assumed: that every field of a line counts, that what was sent before may not be left out, and that an absent field
equals an empty one.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

LINE_DEFAULTS: Final = {"type": "physical", "tax_rate": 0, "total_discount_amount": 0, "total_tax_amount": 0}
CODES: Final = ("purchase_country", "purchase_currency")
AMOUNTS: Final = ("order_amount", "order_tax_amount")
# An update cannot change it, and so it is not compared either.
TYPE: Final = "type"

Content = Mapping[str, Any]


def order_mismatches(authorized: Content, sent: Content) -> Iterator[str]:
    """Yield what differs between an authorized session and the body of an order, both right by themselves."""
    yield from person_mismatches(authorized, sent)
    yield from place_mismatches(authorized, sent)
    yield from (name for name in AMOUNTS if authorized.get(name, 0) != sent.get(name, 0))
    yield from _line_mismatches(authorized["order_lines"], sent["order_lines"])


def place_mismatches(authorized: Content, sent: Content) -> Iterator[str]:
    """Yield the purchase country and currency where they are others."""
    yield from (name for name in CODES if authorized[name].upper() != sent[name].upper())


def person_mismatches(authorized: Content, sent: Content) -> Iterator[str]:
    """Yield the fields of addresses and customer that differ; who was not known before may be named now."""
    yield from _differences("billing_address", authorized.get("billing_address"), sent.get("billing_address"))
    # Without a shipping address Klarna takes the billing address for it.
    if "shipping_address" in {*authorized, *sent}:
        yield from _differences("shipping_address", _shipping(authorized), _shipping(sent))
    yield from _differences("customer", _untyped(authorized), _untyped(sent))


def _differences(field: str, known: Content | None, sent: Content | None) -> Iterator[str]:
    if known:
        given = sent or {}
        for name in sorted({*known, *given}):
            if known.get(name, "") != given.get(name, ""):
                yield f"{field}.{name}"


def _shipping(content: Content) -> Content | None:
    address: Content | None = content.get("shipping_address", content.get("billing_address"))
    return address


def _untyped(content: Content) -> Content:
    return {name: value for name, value in content.get("customer", {}).items() if name != TYPE}


def _line_mismatches(known: list[Content], sent: list[Content]) -> Iterator[str]:
    if len(known) != len(sent):
        yield f"Incorrect number of items in the cart. Expected: {len(known)}, Actual: {len(sent)}"
        return
    yield from chain.from_iterable(
        _differences(f"order_lines[{index}]", LINE_DEFAULTS | dict(one), LINE_DEFAULTS | dict(other))
        for index, (one, other) in enumerate(zip(known, sent, strict=True))
    )

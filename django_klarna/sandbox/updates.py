"""How an update becomes part of a session.

Klarna documents that top-level fields which are left out are kept, and that a customer keeps its type; lists are
replaced, for their items have no ids. What else may happen is not documented. Source:
https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/update-the-cart and
https://docs.klarna.com/payments/web-payments/additional-resources/use-cases/b2b%20purchases
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReading:
    """Choose between the readings of what Klarna leaves open.

    `extends_expiry` counts the 48 hours from the last update (the guides disagree), `merges_objects` keeps what an
    object such as `merchant_urls` leaves out, and `clears_null` takes a null for the wish to remove the field.
    """

    extends_expiry: bool = False
    merges_objects: bool = False
    clears_null: bool = False


def merged(content: Mapping[str, Any], sent: Mapping[str, Any], reading: UpdateReading) -> dict[str, Any]:
    """Return a session's content with what was sent, unchecked."""
    whole = dict(content)
    for name, value in sent.items():
        if value is None and reading.clears_null:
            whole.pop(name, None)
        elif reading.merges_objects and isinstance(value, dict):
            whole[name] = merged(_object(whole.get(name)), value, reading)
        else:
            whole[name] = value
    return whole


def with_customer_type_of(content: Mapping[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return a checked update in which the customer is still the person or organization that it was."""
    if "customer" not in whole:
        return whole
    customer = {name: value for name, value in whole["customer"].items() if name != "type"}
    kept = {name: value for name, value in content.get("customer", {}).items() if name == "type"}
    return whole | {"customer": customer | kept}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

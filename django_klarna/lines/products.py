"""What an order line tells of its product, made to fit into Klarna's fields."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise

from django_klarna.api import ProductIdentifiers
from django_klarna.api.violations import suggestion

#: How long a text may be, in characters; https://docs.klarna.com/api-reference/data-types
NAME_LENGTH: Final = 255
REFERENCE_LENGTH: Final = 255
UNIT_LENGTH: Final = 8
ADDRESS_LENGTH: Final = 1024
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def fitting(text: object, length: int) -> Any:  # noqa: ANN401 - what is no text stays, for the check to name
    """Give a text without control characters, cut to ``length``."""
    if isinstance(text, str) and len(text) <= length and text.isprintable():
        return text
    if not isinstance(text, str | Promise):
        return text
    clean = _CONTROL.sub(" ", str(text)).strip()
    return clean if len(clean) <= length else f"{clean[: length - 1].rstrip()}…"


def address(url: object) -> object:
    """Give an address, or None for one that is too long: half an address leads nowhere."""
    text = str(url or "")
    return text if 0 < len(text) <= ADDRESS_LENGTH else None


def whole(value: object) -> object:
    """Give the value as it is, or None for ""."""
    return value or None


ADDRESSES: Final = frozenset(("image_url", "product_url"))
#: Further fields of an order line that tell of the product, and how each is made to fit.
FIELDS: Final[dict[str, Callable[[object], object]]] = {
    "image_url": address,
    "product_url": address,
    "merchant_data": whole,
    "product_identifiers": whole,
    "subscription": whole,
}
#: Those of its ``product_identifiers``, with their longest texts.
IDENTIFIERS: Final = {
    "brand": 70,
    "category_path": 750,
    "color": 64,
    "global_trade_item_number": 50,
    "manufacturer_part_number": 70,
    "size": 64,
}


def product_fields(reference: object, unit: object, product: Mapping[str, object]) -> dict[str, Any]:
    """Give the fields of a line that tell of its product, of which None and "" are nothing.

    A text of control characters alone and an address that is too long are nothing too. A field that no item has is
    a `TypeError`.
    """
    fields: dict[str, Any] = {}
    if reference and (text := fitting(reference, REFERENCE_LENGTH)):
        fields["reference"] = text
    if unit and (text := fitting(unit, UNIT_LENGTH)):
        fields["quantity_unit"] = text
    if product:
        fields |= further_fields(product)
    return fields


def further_fields(product: Mapping[str, object]) -> dict[str, Any]:
    """Sort fields into those of the line and those of its ``product_identifiers``."""
    # Most items have addresses that fit, and nothing more.
    fitting_addresses = {
        name: url
        for name, url in product.items()
        if name in ADDRESSES and type(url) is str and 0 < len(url) <= ADDRESS_LENGTH
    }
    if len(fitting_addresses) == len(product):
        return fitting_addresses
    fields = {name: FIELDS[name](value) for name, value in product.items() if name in FIELDS}
    others = {name: identifier(name, value) for name, value in product.items() if name not in FIELDS}
    given = {name: value for name, value in others.items() if value}
    fields["product_identifiers"] = (
        ProductIdentifiers(**given) if given else fields.get("product_identifiers")
    )
    return {name: value for name, value in fields.items() if value is not None}


def identifier(name: str, value: object) -> Any:  # noqa: ANN401 - what is no text stays, for the check to name
    """Make one of the ``product_identifiers`` fit."""
    if name not in IDENTIFIERS:
        mend = suggestion(name, [*FIELDS, *IDENTIFIERS, "reference", "unit"])
        raise TypeError(f"An item has no field {name!r}. {mend}".rstrip())
    return fitting(value, IDENTIFIERS[name])

"""Klarna's arithmetic on order lines, in minor units and basis points.

Source: https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/tax-handling
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

LINE_TYPES: Final = frozenset(
    ("physical", "digital", "discount", "shipping_fee", "sales_tax", "gift_card", "store_credit", "surcharge")
)

Line = Mapping[str, Any]


def arithmetic_violations(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the fields of a session, already right by the contract, whose amounts do not agree."""
    lines = content["order_lines"]
    for index, line in enumerate(lines):
        for field in _line_violations(line):
            yield f"order_lines[{index}].{field}"
    if content["order_amount"] != sum(line["total_amount"] for line in lines):
        yield "order_amount"
    if content.get("order_tax_amount", 0) != sum(map(_tax_of, lines)):
        yield "order_tax_amount"


def _line_violations(line: Line) -> Iterator[str]:
    kind = line.get("type", "physical")
    if kind not in LINE_TYPES:
        yield "type"
    if kind == "discount":
        yield from (field for field in ("unit_price", "total_amount") if line[field] > 0)
    if line["total_amount"] != line["quantity"] * line["unit_price"] - line.get("total_discount_amount", 0):
        yield "total_amount"
    if not _tax_fits(line["total_amount"], line.get("tax_rate", 0), line.get("total_tax_amount", 0)):
        yield "total_tax_amount"


def _tax_fits(total: int, rate: int, tax: int) -> bool:
    # |tax - (total - total * 10000 / (10000 + rate))| <= 1, multiplied out to stay in integers.
    return abs(tax * (10_000 + rate) - total * rate) <= 10_000 + rate


def _tax_of(line: Line) -> int:
    tax: int = line["total_amount"] if line.get("type") == "sales_tax" else line.get("total_tax_amount", 0)
    return tax

"""A cart from its rows to the bytes that are sent, against what `json.dumps` alone needs for the payload."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.conf import settings

from benchmarks import payloads
from benchmarks.ratios import Case, Result, measured
from django_klarna.api import MerchantUrls, SessionCreate
from django_klarna.lines import SessionBuilder, explain

_ROUNDS: Final = 41
_FEW_ROUNDS: Final = 7
#: Lines, calls in a round, and the most that they may take of the time of `json.dumps`.
_SIZES: Final = ((10, 50, 6.0), (1000, 5, 5.0))
_PRODUCT: Final = ("name", "quantity", "reference", "product_url", "image_url")


def results(*, quick: bool) -> list[Result]:
    """Measure a small cart and the largest that Klarna takes."""
    if not settings.configured:
        settings.configure()
    return measured([_case(*size) for size in _SIZES], rounds=_FEW_ROUNDS if quick else _ROUNDS)


def _case(lines: int, calls: int, goal: float) -> Case:
    data = payloads.create(lines)
    rows = [_row(line) for line in data["order_lines"]]
    total = Decimal(data["order_amount"]) / 100
    _require_equal(json.loads(_sent(rows, total)), data)
    return Case(
        name=f"build, check, digest, serialise, {lines}",
        goal=goal,
        ours=lambda: lambda: _sent(rows, total),
        theirs=lambda: lambda: json.dumps(data),
        calls=calls,
    )


def _row(line: Mapping[str, Any]) -> dict[str, Any]:
    product = {name: line[name] for name in _PRODUCT}
    return {
        **product,
        "price": Decimal(line["unit_price"]) / 100,
        "tax_rate": Decimal(line["tax_rate"]) / 100,
        "unit": line["quantity_unit"],
    }


def _sent(rows: Iterable[Mapping[str, Any]], total: Decimal) -> bytes:
    builder = SessionBuilder("SE", "SEK", intent="buy", merchant_reference2=payloads.REFERENCE)
    for row in rows:
        builder.add_item(**row)
    session: SessionCreate = builder.build(total=total).replace(merchant_urls=MerchantUrls(**payloads.URLS))
    if explain(session):
        raise AssertionError(explain(session))
    hashlib.sha256(session.canonical()).hexdigest()
    return session.to_session().to_json()


def _require_equal(sent: object, data: object) -> None:
    if sent != data:
        raise AssertionError("What is measured is not what is compared to")

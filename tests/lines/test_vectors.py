"""Carts on which other integrations broke, each with the lines that must come out."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from django_klarna.api import SessionCreate
from django_klarna.lines import SessionBuilder, explain

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "order-line-vectors.json").read_text()
)
WORDS = {"name", "unit"}


def build(vector: dict[str, Any]) -> SessionCreate:
    builder = SessionBuilder(vector["purchase_country"], vector["purchase_currency"])
    for method, arguments in vector["input"]["calls"]:
        numbers = {key: Decimal(value) for key, value in arguments.items() if key not in WORDS}
        getattr(builder, method)(**arguments | numbers)
    totals = {key: Decimal(value) for key, value in vector["input"]["build"].items() if value is not None}
    return builder.build(**totals)


def comparable(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if value != 0} for line in lines]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vectors(vector: dict[str, Any]) -> None:
    session = build(vector)

    content = session.to_dict()
    listed = [vector["order_lines"], vector["alternative_order_lines"] or []]
    assert comparable(content["order_lines"]) in list(map(comparable, listed))
    assert content["order_amount"] == vector["order_amount"]
    assert content["order_tax_amount"] == vector["order_tax_amount"]
    assert explain(session) == []

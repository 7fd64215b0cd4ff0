"""Klarna's contract, as the tests of the client and of the sandbox compare with it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django_klarna

PATH = Path(django_klarna.__file__).with_name("sandbox") / "klarna-payments-v1.openapi.json"
CONTRACT: dict[str, Any] = json.loads(PATH.read_bytes())
SCHEMAS: dict[str, Any] = CONTRACT["components"]["schemas"]

# Statuses that the contract does not declare, and where they are from.
UNDECLARED = {
    401: "recorded: wrong credentials, or those of another region",
    413: "documented for all of Klarna's APIs: a body over 1 MB",
    429: "documented for all of Klarna's APIs: too many calls a second",
    500: "documented for Klarna Payments",
    502: "documented for order management",
    503: "as above",
    504: "as above",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: its name is ours, the rest is as in the contract."""

    name: str
    method: str
    path: str
    request: str | None
    """The schema of the body that is sent."""
    responses: dict[int, str | None]
    """The schema of the answer's body, by status."""


def operations() -> dict[str, Operation]:
    """Return all operations by name."""
    found = (
        operation(method, path, declared)
        for path, methods in CONTRACT["paths"].items()
        for method, declared in methods.items()
    )
    return {one.name: one for one in found}


def operation(method: str, path: str, declared: dict[str, Any]) -> Operation:
    return Operation(
        name=re.sub(r"(?=[A-Z])", "_", declared["operationId"]).lower(),
        method=method.upper(),
        path=path,
        request=schema_name(declared.get("requestBody", {})),
        responses={int(status): schema_name(answer) for status, answer in declared["responses"].items()},
    )


def schema_name(body: dict[str, Any]) -> str | None:
    media = body.get("content", {}).get("application/json")
    return str(media["schema"]["$ref"]).rpartition("/")[2] if media else None


OPERATIONS = operations()

# What the client has of another API, which this contract does not hold: path, statuses and fields are those of
# https://docs.klarna.com/api/ordermanagement/
ORDER_MANAGEMENT = {
    "get_order": Operation(
        name="get_order",
        method="GET",
        path="/ordermanagement/v1/orders/{order_id}",
        request=None,
        responses={200: "managed_order", 403: None, 404: None},
    )
}

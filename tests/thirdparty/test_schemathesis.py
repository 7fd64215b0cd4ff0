"""schemathesis makes requests from the contract; no answer may break it, or be new to it."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest
import requests
from hypothesis import settings

from django_klarna.sandbox import SandboxServer
from tests.contract import CONTRACT, OPERATIONS, UNDECLARED
from tests.sandbox.constraints import smallest

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis: tox -e thirdparty")

AUTHORIZATION = {"Authorization": "Basic klarna_test_api_x"}
Decorator = Callable[[Callable[[Any, SandboxServer], None]], object]
MARKET = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE"}


def with_the_undeclared() -> dict[str, Any]:
    """The contract of what the sandbox has, with the statuses that Klarna gives without declaring them."""
    contract = deepcopy(CONTRACT)
    contract["paths"] = {}
    more = {str(status): {"description": reason} for status, reason in UNDECLARED.items()}
    for operation in OPERATIONS.values():
        method = operation.method.lower()
        declared = CONTRACT["paths"][operation.path][method]
        methods = contract["paths"].setdefault(operation.path, {})
        methods[method] = {**declared, "responses": declared["responses"] | more}
    return contract


def cases(kind: str, *, accepted: Sequence[str]) -> Decorator:
    checks = {
        "positive_data_acceptance": {"expected-statuses": [*accepted, "2xx", "413"]},
        "negative_data_rejection": {"expected-statuses": ["400", "403", "404", "405", "413"]},
    }
    config = schemathesis.Config.from_dict({"checks": checks, "generation": {"mode": kind}})
    made: Decorator = schemathesis.openapi.from_dict(with_the_undeclared(), config=config).parametrize()
    return made


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


def balanced(body: dict[str, Any]) -> dict[str, Any]:
    """What was made, with a market and amounts that agree."""
    rest = {field: value for field, value in body.items() if not field.startswith("order_")}
    lines = [
        line | amounts(line["quantity"] % 100, line["unit_price"] % 1000) for line in body["order_lines"]
    ]
    total = sum(line["total_amount"] for line in lines)
    return rest | MARKET | {"order_lines": lines, "order_amount": total, "order_tax_amount": 0}


def amounts(quantity: int, unit_price: int) -> dict[str, Any]:
    zeros = dict.fromkeys(("tax_rate", "total_tax_amount", "total_discount_amount"), 0)
    total = quantity * unit_price
    return {
        "type": "physical",
        "quantity": quantity,
        "unit_price": unit_price,
        "total_amount": total,
        **zeros,
    }


def known_session(server: SandboxServer, content: dict[str, Any]) -> str:
    url = f"{server.url}/payments/v1/sessions"
    response = requests.post(url, json=content, headers=AUTHORIZATION, timeout=10)
    return str(response.json()["session_id"])


def open_token(server: SandboxServer, body: dict[str, Any]) -> str:
    """A token whose order, or customer token, may be asked for with this body."""
    session_id = known_session(
        server, smallest("session_create") | body | MARKET | {"intent": "buy_and_tokenize"}
    )
    return str(server.sandbox.authorize(session_id)["authorization_token"])


# The contract knows neither arithmetic, nor markets, nor which session and which token there is.
@cases("all", accepted=["400", "404"])
@settings(deadline=None, max_examples=40)
def test_no_answer_breaks_the_contract(case: Any, sandbox: SandboxServer) -> None:
    case.call_and_validate(base_url=sandbox.url, headers=AUTHORIZATION)


@cases("positive", accepted=[])
@settings(deadline=None, max_examples=40)
def test_what_keeps_the_contract_and_balances_is_accepted(case: Any, sandbox: SandboxServer) -> None:
    body = case.body if isinstance(case.body, dict) else {}
    if case.path.endswith("/customer-token"):
        case.body = body = {**smallest("customer_token_creation_request"), **body, **MARKET}
    elif case.path.endswith("/order") or isinstance(case.body, dict):
        case.body = body = balanced({"order_lines": smallest("session_create")["order_lines"], **body})
    if "session_id" in case.path_parameters:
        case.path_parameters["session_id"] = known_session(sandbox, smallest("session_create"))
    if "authorizationToken" in case.path_parameters:
        case.path_parameters["authorizationToken"] = open_token(sandbox, body)
    case.call_and_validate(base_url=sandbox.url, headers=AUTHORIZATION)

"""The SDK of others, klarna-orders from PyPI, takes the sandbox for Klarna."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from django_klarna.sandbox import Sandbox, SandboxServer

sdk = pytest.importorskip("klarna", reason="needs klarna-orders: tox -e thirdparty")
operations = pytest.importorskip("klarna.models.operations")
shared = pytest.importorskip("klarna.models.shared")


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(server: SandboxServer) -> Sandbox:
    return server.sandbox


@pytest.fixture
def klarna(server: SandboxServer) -> Iterator[Any]:
    # It sends what it is given as the whole header.
    security = shared.Security(api_key_auth="Basic klarna_test_api_x")
    with requests.Session() as client:
        yield sdk.Klarna(security=security, server_url=server.url, client=client)


def line(**changes: Any) -> Any:
    amounts = {"quantity": 2, "unit_price": 10000, "total_amount": 20000}
    tax = {"tax_rate": 2500, "total_tax_amount": 4000}
    return shared.OrderLine(name="Mug", **{**amounts, **tax, **changes})


def create(klarna: Any, **changes: Any) -> Any:
    market = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE"}
    amounts = {"order_amount": 20000, "order_tax_amount": 4000, "order_lines": [line()]}
    return klarna.sessions.create(shared.SessionCreateInput(**{**market, **amounts, **changes}))


def test_creates_reads_and_updates(klarna: Any, sandbox: Sandbox) -> None:
    created = create(klarna)
    assert (created.status_code, created.content_type) == (200, "application/json")
    session_id = created.merchant_session.session_id
    (category,) = created.merchant_session.payment_method_categories
    assert (category.identifier, session_id in sandbox.sessions) == ("klarna", True)

    lines = [line(quantity=1, total_amount=10000, total_tax_amount=2000)]
    changes = shared.SessionInput(order_amount=10000, order_tax_amount=2000, order_lines=lines)
    asked = operations.UpdateCreditSessionRequest(session_id=session_id, session_input=changes)
    assert klarna.sessions.update(asked).status_code == 204

    read = klarna.sessions.read(operations.ReadCreditSessionRequest(session_id=session_id))
    assert read.status_code == 200
    assert read.session_read.client_token == created.merchant_session.client_token
    assert (read.session_read.order_amount, read.session_read.order_lines) == (10000, lines)
    assert (read.session_read.status.value, read.session_read.locale) == ("incomplete", "sv-SE")
    assert read.session_read.expires_at > datetime.now(UTC)
    assert [call.status for call in sandbox.calls] == [200, 204, 200]


def authorized(klarna: Any, sandbox: Sandbox, **changes: Any) -> str:
    session_id = create(klarna, **changes).merchant_session.session_id
    return str(sandbox.authorize(session_id)["authorization_token"])


def place(klarna: Any, token: str, **changes: Any) -> Any:
    amounts = {"order_amount": 20000, "order_tax_amount": 4000, "order_lines": [line()]}
    order = {"purchase_country": "SE", "purchase_currency": "SEK", **amounts, **changes}
    body = shared.CreateOrderRequestInput(**order)
    asked = operations.CreateOrderRequest(authorization_token=token, create_order_request_input=body)
    return klarna.orders.create(asked)


def test_places_an_order_once(klarna: Any, sandbox: Sandbox) -> None:
    token = authorized(klarna, sandbox)
    placed, again = (place(klarna, token) for _ in range(2))
    assert (placed.status_code, placed.order, again.order) == (200, again.order, placed.order)
    assert placed.order.order_id in sandbox.orders
    assert placed.order.fraud_status == "ACCEPTED"
    assert placed.order.authorized_payment_method.type.value == "invoice"
    assert place(klarna, token, merchant_reference1="1").status_code == 409


def test_cancels_an_authorization(klarna: Any, sandbox: Sandbox) -> None:
    token = authorized(klarna, sandbox)
    asked = operations.CancelAuthorizationRequest(authorization_token=token)
    assert [klarna.authorizations.cancel(asked).status_code for _ in range(2)] == [204, 404]


def test_gets_a_customer_token(klarna: Any, sandbox: Sandbox) -> None:
    token = authorized(klarna, sandbox, intent=shared.SessionCreateIntentEnum.TOKENIZE)
    body = shared.CustomerTokenCreationRequest(
        description="A mug a month",
        intended_use=shared.CustomerTokenCreationRequestIntendedUseEnum.SUBSCRIPTION,
        locale="sv-SE",
        purchase_country="SE",
        purchase_currency="SEK",
    )
    asked = operations.PurchaseTokenRequest(authorization_token=token, customer_token_creation_request=body)
    given = klarna.tokens.purchase(asked)
    assert given.status_code == 200
    assert given.customer_token_creation_response.token_id == sandbox.authorizations[token].token_id


def test_is_told_what_is_wrong(klarna: Any) -> None:
    refused = create(klarna, order_amount=1)
    assert (refused.status_code, refused.merchant_session) == (400, None)
    assert refused.raw_response.json()["error_messages"] == ["Bad value: order_amount"]
    unknown = klarna.sessions.read(operations.ReadCreditSessionRequest(session_id="nothing"))
    assert (unknown.status_code, unknown.session_read) == (404, None)

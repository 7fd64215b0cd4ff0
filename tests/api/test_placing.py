"""From a session to its order and back, with the sandbox at the other end."""

import json
from collections.abc import Iterator

import pytest

from django_klarna.api import (
    Address,
    CreateOrderRequest,
    Customer,
    CustomerTokenCreationRequest,
    KlarnaAPIError,
    KlarnaAuthenticationError,
    KlarnaClient,
    KlarnaConflictError,
    KlarnaConnectionError,
    KlarnaNotFoundError,
    SessionCreate,
)
from django_klarna.sandbox import Sandbox, SandboxServer
from tests.api.payloads import TOKEN_REQUEST, order_line, session_create

ADDRESS = Address(
    given_name="Alice",
    family_name="Test",
    email="customer@email.se",
    phone="+46701740615",
    street_address="Södra Blasieholmshamnen 2",
    postal_code=" 111  48",
    city="Stockholm",
    country="SE",
)
CUSTOMER = Customer(type="person", date_of_birth="1941-03-21")


@pytest.fixture
def client(klarna: Sandbox, sandbox_server: SandboxServer) -> Iterator[KlarnaClient]:
    with KlarnaClient(username="K1", password="secret-of-k1", base_url=sandbox_server.url) as client:
        yield client


def session(**changes: object) -> SessionCreate:
    line = order_line(tax_rate=0, total_tax_amount=0)
    return session_create(order_tax_amount=0, order_lines=[line], billing_address=None, **changes)


def authorized(klarna: Sandbox, client: KlarnaClient, decision: str = "approve", **changes: object) -> str:
    """The token of a session that the shopper authorized with address and birthday."""
    created = client.sessions.create_credit_session(session(**changes))
    data = {"billing_address": ADDRESS.to_dict(), "customer": CUSTOMER.to_dict()}
    return str(klarna.authorize(created.session_id, data, decision=decision)["authorization_token"])


def order(**more: object) -> CreateOrderRequest:
    return session().to_order(billing_address=ADDRESS, customer=CUSTOMER, merchant_reference1="1001", **more)


def test_an_order_is_placed_and_found_again(klarna: Sandbox, client: KlarnaClient) -> None:
    token = authorized(klarna, client)

    placed = client.orders.create_order(token, order())

    assert placed.fraud_status == "ACCEPTED"
    assert placed.authorized_payment_method
    found = client.order_management.get_order(placed.order_id)
    assert (found.order_id, found.status, found.fraud_status) == (placed.order_id, "AUTHORIZED", "ACCEPTED")
    assert (found.order_amount, found.remaining_authorized_amount, found.captured_amount) == (2000, 2000, 0)
    assert (found.purchase_currency, found.merchant_reference1) == ("SEK", "1001")
    assert [call.operation for call in klarna.calls] == ["create_credit_session", "create_order", "get_order"]


def test_an_order_whose_answer_was_lost_is_the_same_when_repeated(
    klarna: Sandbox, client: KlarnaClient
) -> None:
    token = authorized(klarna, client)
    klarna.fail_next("create_order", drop="after")
    first = order()
    kept = first.canonical()

    with pytest.raises(KlarnaConnectionError) as caught:
        client.orders.create_order(token, first)
    placed = client.orders.create_order(token, CreateOrderRequest.from_dict(json.loads(kept)))

    assert caught.value.sent
    assert list(klarna.orders) == [placed.order_id]


def test_what_is_not_what_was_authorized_is_a_conflict(klarna: Sandbox, client: KlarnaClient) -> None:
    token = authorized(klarna, client)

    with pytest.raises(KlarnaConflictError):
        client.orders.create_order(
            token, order().replace(billing_address=ADDRESS.replace(postal_code="11148"))
        )

    assert not klarna.orders


def test_a_rejected_order(klarna: Sandbox, client: KlarnaClient) -> None:
    with pytest.raises(KlarnaAuthenticationError) as caught:
        client.orders.create_order(authorized(klarna, client, "reject"), order())

    assert caught.value.error_code == "REJECTED"


def test_a_cancelled_authorization_is_no_good(klarna: Sandbox, client: KlarnaClient) -> None:
    token = authorized(klarna, client)

    client.orders.cancel_authorization(token)

    with pytest.raises(KlarnaNotFoundError) as caught:
        client.orders.create_order(token, order())
    assert token not in f"{caught.value}{vars(caught.value)}"


def test_what_was_used_cannot_be_cancelled(klarna: Sandbox, client: KlarnaClient) -> None:
    token = authorized(klarna, client)
    client.orders.create_order(token, order())

    with pytest.raises(KlarnaAPIError) as caught:
        client.orders.cancel_authorization(token)

    assert caught.value.status_code in {403, 404}


def test_a_customer_token_is_bought(klarna: Sandbox, client: KlarnaClient) -> None:
    token = authorized(klarna, client, intent="buy_and_tokenize")

    made = client.orders.purchase_token(token, CustomerTokenCreationRequest.from_dict(TOKEN_REQUEST))

    assert made.token_id
    assert made.customer
    assert made.customer.date_of_birth == "1941-03-21"
    assert "1941" not in repr(made)
    assert made.token_id not in repr(made)


def test_an_order_that_is_not_there(client: KlarnaClient) -> None:
    with pytest.raises(KlarnaNotFoundError):
        client.order_management.get_order("3eaeb557-5e30-47f8-b840-b8d987f5945d")

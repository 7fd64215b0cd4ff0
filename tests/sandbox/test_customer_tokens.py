"""Customer tokens."""

import uuid
from typing import Any

import pytest

from tests.sandbox.conftest import Client, bad_fields, parsed, refusal

REQUEST = {
    "description": "A mug a month",
    "intended_use": "SUBSCRIPTION",
    "locale": "sv-SE",
    "purchase_country": "SE",
    "purchase_currency": "SEK",
}
ADDRESS = {"given_name": "Alice", "postal_code": "11148"}
CONSUMED = (403, "INVALID_OPERATION", "Authorization token already consumed")


def token_for(client: Client, cart: dict[str, Any], intent: str) -> str:
    data = {"billing_address": ADDRESS, "customer": {"date_of_birth": "1970-07-10", "title": "Mx"}}
    return client.token(client.created(cart | {"intent": intent})["session_id"], data)


@pytest.mark.parametrize(("intent", "state"), [("tokenize", "consumed"), ("buy_and_tokenize", "open")])
def test_customer_token_is_given_once(client: Client, cart: dict[str, Any], intent: str, state: str) -> None:
    token = token_for(client, cart, intent)
    response = client.purchase(token, REQUEST)
    content = parsed(response)
    assert response.status == 200
    authorization = client.sandbox.authorizations[token]
    assert (authorization.token_id, authorization.state) == (content.pop("token_id"), state)
    for given in (authorization.token_id, content.pop("payment_method_reference")):
        assert str(uuid.UUID(given)) == given
    assert content == {"billing_address": ADDRESS, "customer": {"date_of_birth": "1970-07-10"}}
    assert refusal(client.purchase(token, REQUEST)) == CONSUMED


def test_nobody_is_named_who_was_not(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(client.created(cart | {"intent": "tokenize"})["session_id"])
    content = parsed(client.purchase(token, REQUEST))
    assert content.keys() == {"token_id", "payment_method_reference"}


@pytest.mark.parametrize("cart_intent", [{}, {"intent": "buy"}])
def test_intent_buy_gives_none(client: Client, cart: dict[str, Any], cart_intent: dict[str, str]) -> None:
    token = client.token(client.created(cart | cart_intent)["session_id"])
    assert refusal(client.purchase(token, REQUEST))[:2] == (403, "INVALID_OPERATION")


@pytest.mark.parametrize("order_first", [True, False])
def test_order_and_customer_token_come_in_either_order(
    client: Client, cart: dict[str, Any], order_first: bool
) -> None:
    token = token_for(client, cart, "buy_and_tokenize")
    people = client.sandbox.authorizations[token].content
    body = cart | {name: people[name] for name in ("billing_address", "customer")}
    steps = [("order", body), ("customer-token", REQUEST)]
    for name, content in steps if order_first else reversed(steps):
        path = f"/payments/v1/authorizations/{token}/{name}"
        assert client.send("POST", path, content).status == 200
    assert client.sandbox.authorizations[token].state == "consumed"


@pytest.mark.parametrize("field", REQUEST)
def test_body_keeps_the_contract(client: Client, cart: dict[str, Any], field: str) -> None:
    token = token_for(client, cart, "tokenize")
    without = {name: value for name, value in REQUEST.items() if name != field}
    assert field in bad_fields(client.purchase(token, without))
    assert client.purchase(token, REQUEST).status == 200


def test_body_fits_the_market_and_the_session(client: Client, cart: dict[str, Any]) -> None:
    token = token_for(client, cart, "tokenize")
    assert bad_fields(client.purchase(token, REQUEST | {"locale": "nb-NO"})) == ["locale"]
    others = {
        "locale": "nb-NO",
        "purchase_country": "NO",
        "purchase_currency": "NOK",
        "billing_address": ADDRESS | {"given_name": "Bob"},
    }
    assert refusal(client.purchase(token, REQUEST | others)) == (
        409,
        "BAD_VALUE",
        "Not matching fields: [billing_address.given_name, purchase_country, purchase_currency]",
    )
    assert client.purchase(token, REQUEST | {"billing_address": ADDRESS}).status == 200


def test_body_that_is_no_object(client: Client, cart: dict[str, Any]) -> None:
    token = token_for(client, cart, "tokenize")
    assert refusal(client.purchase(token, b"[]"))[:2] == (400, "BAD_REQUEST")

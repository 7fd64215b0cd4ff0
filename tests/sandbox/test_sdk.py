"""What the browser gets."""

from typing import Any

import jwt
import pytest

from django_klarna.sandbox import Response
from tests.sandbox.conftest import Client, parsed

PATH = "/kp/lib/v1/session"
AUTHORIZE = "/kp/lib/v1/authorize"
ADDRESS = {"postal_code": "11148"}
WRONG = {"postal_code": "1" * 11}


def shown(client: Client, token: str) -> Response:
    return Client(client.sandbox, f"Bearer {token}").send("GET", PATH)


def test_widget_shows_the_session_behind_its_token(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    response = shown(client, created["client_token"])
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert parsed(response) == {
        "order_amount": 21500,
        "purchase_currency": "SEK",
        "locale": "en-US",
        "quantity": 2,
        "payment_method_categories": ["klarna"],
    }
    lines = cart["order_lines"][:1]
    changes = {"order_lines": lines, "order_amount": 20000, "order_tax_amount": 4000, "locale": "sv-SE"}
    client.update(created["session_id"], changes)
    content = parsed(shown(client, created["client_token"]))
    assert (content["order_amount"], content["locale"]) == (20000, "sv-SE")


def test_widget_gets_nothing_for_a_session_that_is_over(client: Client, cart: dict[str, Any]) -> None:
    expired = client.created(cart)
    client.sandbox.advance(48 * 3600)
    completed = client.created(cart)
    client.sandbox.complete(completed["session_id"])
    for created, code in ((expired, "NOT_FOUND"), (completed, "SESSION_COMPLETED")):
        response = shown(client, created["client_token"])
        assert (response.status, parsed(response)["error_code"]) == (404, code)
        assert response.headers["Access-Control-Allow-Origin"] == "*"


def asked(client: Client, token: str, path: str, content: object) -> Response:
    response = Client(client.sandbox, f"Bearer {token}").send("POST", path, content)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    return response


def test_data_change_the_session_before_it_is_shown(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    content = client.sandbox.sessions[created["session_id"]]
    response = asked(client, created["client_token"], PATH, {"data": {"billing_address": ADDRESS}})
    assert (response.status, parsed(response)["order_amount"]) == (200, 21500)
    assert content.content["billing_address"] == ADDRESS
    response = asked(client, created["client_token"], PATH, {"data": {"billing_address": WRONG}})
    assert (response.status, parsed(response)["invalid_fields"]) == (200, ["billing_address.postal_code"])
    assert content.content["billing_address"] == ADDRESS
    client.sandbox.complete(created["session_id"])
    response = asked(client, created["client_token"], PATH, {"data": {}})
    assert (response.status, parsed(response)["error_code"]) == (404, "SESSION_COMPLETED")


def test_data_from_the_browser_end_a_token_as_an_update_does(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    token = client.token(created["session_id"])
    asked(client, created["client_token"], PATH, {"data": {}})
    assert client.sandbox.authorizations[token].state == "open"
    asked(client, created["client_token"], PATH, {"data": {"billing_address": ADDRESS}})
    assert client.sandbox.authorizations[token].state == "superseded"


def test_decision_is_answered_as_the_callback_gets_it(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    given = {"decision": "approve", "data": {"billing_address": ADDRESS}}
    response = asked(client, created["client_token"], AUTHORIZE, given)
    (token,) = client.sandbox.authorizations
    assert response.status == 200
    assert parsed(response) == {"approved": True, "show_form": True, "authorization_token": token}
    assert client.sandbox.sessions[created["session_id"]].content["billing_address"] == ADDRESS
    response = asked(client, created["client_token"], AUTHORIZE, {"decision": "decline"})
    assert parsed(response) == {"approved": False, "show_form": False}
    wrong = {"decision": "approve", "data": {"billing_address": WRONG}}
    answer = parsed(asked(client, created["client_token"], AUTHORIZE, wrong))
    assert (answer["show_form"], answer["error"]["invalid_fields"]) == (True, ["billing_address.postal_code"])


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        (AUTHORIZE, {}, "decision"),
        (AUTHORIZE, b"{", "decision"),
        (AUTHORIZE, {"decision": ["approve"]}, "decision"),
        (AUTHORIZE, {"decision": "approve", "data": "x"}, "data"),
        (PATH, {"data": [1]}, "data"),
    ],
)
def test_what_the_browser_cannot_ask(
    client: Client, cart: dict[str, Any], path: str, content: object, name: str
) -> None:
    response = asked(client, client.created(cart)["client_token"], path, content)
    assert (response.status, parsed(response)["error"].partition(":")[0]) == (400, name)
    assert not client.sandbox.authorizations


def test_token_of_another_making_is_refused(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    session_id = created["session_id"]
    forged = jwt.encode({"session_id": session_id}, "k" * 32, algorithm="HS256")
    unsigned = jwt.encode({"session_id": session_id}, None, algorithm="none")
    for token in ("", "a.b.c", forged, unsigned):
        assert shown(client, token).status == 401
        assert asked(client, token, AUTHORIZE, {"decision": "approve"}).status == 401
    assert Client(client.sandbox, f"Basic {created['client_token']}").send("GET", PATH).status == 401


@pytest.mark.parametrize("path", [PATH, AUTHORIZE])
def test_preflight(client: Client, path: str) -> None:
    response = Client(client.sandbox, "").send("OPTIONS", path)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "content_type", "part"),
    [
        ("/", "text/html; charset=utf-8", b"/_sandbox/faults"),
        ("/kp/lib/v1/api.js", "text/javascript; charset=utf-8", b"klarnaAsyncCallback"),
        ("/kp/lib/v1/badge.svg", "image/svg+xml", b"<svg"),
    ],
)
def test_files(client: Client, path: str, content_type: str, part: bytes) -> None:
    response = Client(client.sandbox, "").send("GET", path)
    assert (response.status, response.headers["Content-Type"]) == (200, content_type)
    assert part in response.body

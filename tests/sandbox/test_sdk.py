"""What the browser gets."""

from typing import Any

import jwt
import pytest

from django_klarna.sandbox import Response
from tests.sandbox.conftest import Client, parsed

PATH = "/kp/lib/v1/session"


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


def test_token_of_another_making_is_refused(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    session_id = created["session_id"]
    forged = jwt.encode({"session_id": session_id}, "k" * 32, algorithm="HS256")
    unsigned = jwt.encode({"session_id": session_id}, None, algorithm="none")
    for token in ("", "a.b.c", forged, unsigned):
        assert shown(client, token).status == 401
    assert Client(client.sandbox, f"Basic {created['client_token']}").send("GET", PATH).status == 401


def test_preflight(client: Client) -> None:
    response = Client(client.sandbox, "").send("OPTIONS", PATH)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization"
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

"""A sandbox in this process, a client that speaks to it without sockets, and one behind a socket."""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from django_klarna.sandbox import Drop, Request, Response, Sandbox, SandboxServer

CART: dict[str, Any] = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "order_amount": 21500,
    "order_tax_amount": 4300,
    "order_lines": [
        {
            "name": "Mug",
            "quantity": 2,
            "unit_price": 10000,
            "tax_rate": 2500,
            "total_amount": 20000,
            "total_tax_amount": 4000,
        },
        {
            "type": "shipping_fee",
            "name": "Post",
            "quantity": 1,
            "unit_price": 1500,
            "tax_rate": 2500,
            "total_amount": 1500,
            "total_tax_amount": 300,
        },
    ],
}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Client:
    """Ask a sandbox in this process."""

    sandbox: Sandbox
    authorization: str = basic("K123_shop", "secret")

    def send(self, method: str, path: str, content: object = None, **headers: str) -> Response:
        body = (
            content
            if isinstance(content, bytes)
            else b""
            if content is None
            else json.dumps(content).encode()
        )
        request = Request(
            method=method, path=path, headers={"authorization": self.authorization, **headers}, body=body
        )
        answer = self.sandbox.handle(request)
        assert isinstance(answer, Response), answer
        return answer

    def dropped(self, method: str, path: str, content: object = None) -> Drop:
        headers = {"Authorization": self.authorization}
        answer = self.sandbox.handle(
            Request(method=method, path=path, headers=headers, body=json.dumps(content).encode())
        )
        assert isinstance(answer, Drop), answer
        return answer

    def create(self, content: object) -> Response:
        return self.send("POST", "/payments/v1/sessions", content)

    def created(self, content: object) -> dict[str, Any]:
        response = self.create(content)
        assert response.status == 200, response
        session: dict[str, Any] = parsed(response)
        return session

    def read(self, session_id: str) -> Response:
        return self.send("GET", f"/payments/v1/sessions/{session_id}")

    def update(self, session_id: str, content: object) -> Response:
        return self.send("POST", f"/payments/v1/sessions/{session_id}", content)

    def token(self, session_id: str, data: Any = None, decision: str = "approve") -> str:
        """Authorize a session before the widget."""
        result = self.sandbox.authorize(session_id, data, decision=decision)
        assert result["approved"] is True, result
        return str(result["authorization_token"])

    def place(self, token: str, content: object) -> Response:
        return self.send("POST", f"/payments/v1/authorizations/{token}/order", content)

    def placed(self, token: str, content: object) -> dict[str, Any]:
        response = self.place(token, content)
        assert response.status == 200, response
        order: dict[str, Any] = parsed(response)
        return order

    def cancel(self, token: str) -> Response:
        return self.send("DELETE", f"/payments/v1/authorizations/{token}")

    def purchase(self, token: str, content: object) -> Response:
        return self.send("POST", f"/payments/v1/authorizations/{token}/customer-token", content)

    def order(self, order_id: str) -> Response:
        return self.send("GET", f"/ordermanagement/v1/orders/{order_id}")

    def control(self, method: str, name: str, content: object = None) -> tuple[int, Any]:
        response = self.send(method, f"/_sandbox/{name}", content)
        return response.status, parsed(response)


def parsed(response: Response) -> Any:
    return json.loads(response.body)


def refusal(response: Response) -> tuple[int, str, str]:
    """The status, code and only message of an error."""
    content = parsed(response)
    (message,) = content["error_messages"]
    return response.status, content["error_code"], message


def bad_fields(response: Response) -> list[str]:
    content = parsed(response)
    assert (response.status, content["error_code"]) == (400, "BAD_VALUE")
    message: str
    (message,) = content["error_messages"]
    assert message.startswith("Bad value: ")
    return message.removeprefix("Bad value: ").split(", ")


@pytest.fixture
def cart() -> dict[str, Any]:
    return deepcopy(CART)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(base_url="http://127.0.0.1:8100")


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server

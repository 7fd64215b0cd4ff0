"""HTTP Basic in both of Klarna's styles."""

import base64
from typing import Any

import pytest

from django_klarna.sandbox import Sandbox
from tests.sandbox.conftest import Client, basic


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        basic("user", "password"),
        basic("user", "pass:word"),
        basic("K1", "klarna_test_api_x"),
        "basic klarna_test_api_x",
    ],
)
def test_accepted(sandbox: Sandbox, cart: dict[str, Any], authorization: str) -> None:
    assert Client(sandbox, authorization).create(cart).status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        encoded(b"no colon"),
        encoded(b":password"),
        encoded(b"user:"),
        encoded(b"\xff:\xfe"),
        basic("user", "wrong"),
        basic("user", "password") + "!",
        "Bearer klarna_test_api_x",
    ],
)
def test_refused_with_a_page_and_no_correlation_id(
    sandbox: Sandbox, cart: dict[str, Any], authorization: str
) -> None:
    response = Client(sandbox, authorization).create(cart)
    assert response.status == 401
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert b"<html>" in response.body
    assert "Klarna-Correlation-Id" not in response.headers
    assert not sandbox.sessions


def test_api_key_is_its_own_owner(sandbox: Sandbox, cart: dict[str, Any]) -> None:
    session_id = Client(sandbox, "Basic klarna_test_api_a").created(cart)["session_id"]
    assert Client(sandbox, "Basic klarna_test_api_a").read(session_id).status == 200
    assert Client(sandbox, "Basic klarna_test_api_b").read(session_id).status == 404

"""The client against a server that Prism, which is not ours, makes of nothing but the contract."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from django_klarna.api import (
    CreateOrderRequest,
    CustomerTokenCreationRequest,
    CustomerTokenCreationResponse,
    KlarnaClient,
    MerchantSession,
    Order,
    Session,
    SessionCreate,
    SessionRead,
)
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Boolean, Integer, Items, Kind, Nested, Text
from tests.contract import OPERATIONS as CONTRACTED
from tests.contract import PATH

INSTALLED = Path(__file__).parent / "node_modules" / ".bin"
PRISM = shutil.which("prism") or shutil.which("prism", path=str(INSTALLED))
CALLS = 5

pytestmark = pytest.mark.skipif(
    PRISM is None, reason="needs Prism: npm ci --prefix tests/thirdparty, or prism on the PATH"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module", params=[1, 2, 3], ids=lambda seed: f"seed-{seed}")
def prism_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Run Prism with answers that it invents; --errors makes it answer a request that breaks the contract with 4xx."""
    port = free_port()
    options = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--dynamic",
        "--errors",
        "--seed",
        str(request.param),
    ]
    assert PRISM
    with subprocess.Popen([PRISM, "mock", *options, PATH], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.fail("Prism did not start.")


@pytest.fixture
def prism(prism_port: int) -> Iterator[KlarnaClient]:
    # Prism fills an answer up with strangers, which can make it large.
    with KlarnaClient(
        api_key="k",
        base_url=f"http://127.0.0.1:{prism_port}",
        timeout=60,
        read_timeout=60,
        max_response_bytes=2**26,
    ) as client:
        yield client


# Requests with all that may be in them


def whole(cls: type[Schema]) -> dict[str, Any]:
    return {name: longest(field.kind) for name, field in cls.__fields__.items() if not field.read_only}


PATTERNS = {
    "^[A-Za-z]{2,2}$": "SE",
    "^[A-Za-z]{3,3}$": "SEK",
    "^[A-Za-z]{2,2}(?:-[A-Za-z]{2,2})*$": "sv-SE",
    "^#[A-Fa-f0-9]{6}$": "#a0B1c2",
    "^([0-9]{4}|[0-9]{9})$": "123456789",
    "^(person|organization)$": "organization",
}


def longest(kind: Kind) -> object:
    if isinstance(kind, Nested):
        assert issubclass(kind.target, Schema)
        return whole(kind.target)
    if isinstance(kind, Items):
        return [longest(kind.item)] * 3
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer):
        return 10_000_000 if kind.maximum is None else kind.maximum
    assert isinstance(kind, Text)
    text = "Ö" * (kind.max_length or 300)
    return kind.enum[-1] if kind.enum else PATTERNS.get(kind.pattern or "", text)


LEAST: dict[str, Any] = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "order_amount": 0,
    "order_lines": [{"name": "x", "quantity": 0, "unit_price": -1, "total_amount": 0}],
}
CREATES = [LEAST, whole(SessionCreate)]
UPDATES = [{}, LEAST, whole(Session)]
ORDERS = [LEAST, whole(CreateOrderRequest)]
TOKEN = "b4bd3423-24e3-4d37-a2d6-2c0e6ad6f3e5"  # a stranger's: Prism knows nobody


def create(client: KlarnaClient) -> None:
    for data in CREATES:
        created = client.sessions.create_credit_session(SessionCreate.from_dict(data))
        assert type(created) is MerchantSession
        assert created.session_id
        assert created.client_token


def read(client: KlarnaClient) -> None:
    for _ in range(CALLS):
        found = client.sessions.read_credit_session("0b1d9815-165e-42e2-8867-35bc03789e00")
        assert type(found) is SessionRead
        assert found.to_dict()


def update(client: KlarnaClient) -> None:
    for data in UPDATES:
        client.sessions.update_credit_session("0b1d9815-165e-42e2-8867-35bc03789e00", Session.from_dict(data))


def create_order(client: KlarnaClient) -> None:
    for data in ORDERS:
        placed = client.orders.create_order(TOKEN, CreateOrderRequest.from_dict(data))
        assert type(placed) is Order
        assert placed.order_id


def cancel(client: KlarnaClient) -> None:
    client.orders.cancel_authorization(TOKEN)


def purchase(client: KlarnaClient) -> None:
    request = CustomerTokenCreationRequest.from_dict(whole(CustomerTokenCreationRequest))
    given = client.orders.purchase_token(TOKEN, request)
    assert type(given) is CustomerTokenCreationResponse
    assert given.token_id


OPERATIONS: dict[str, Callable[[KlarnaClient], None]] = {
    "create_credit_session": create,
    "read_credit_session": read,
    "update_credit_session": update,
    "create_order": create_order,
    "cancel_authorization": cancel,
    "purchase_token": purchase,
}


def test_no_operation_is_left_out() -> None:
    assert OPERATIONS.keys() == CONTRACTED.keys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_prism_finds_no_violation_and_its_answers_are_understood(operation: str, prism: KlarnaClient) -> None:
    # A violation would be an answer of 400 or 422, which raises.
    OPERATIONS[operation](prism)


@pytest.mark.parametrize(
    "broken", [{}, {**LEAST, "purchase_country": "Sweden"}, {**LEAST, "order_lines": []}]
)
def test_prism_would_find_a_violation(broken: dict[str, Any], prism_port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", prism_port, timeout=60)
    with contextlib.closing(connection):
        connection.request(
            "POST", "/payments/v1/sessions", json.dumps(broken), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.status in {400, 422}
        assert "Error" in (answer.getheader("sl-violations") or "")

"""Answers that are damaged, and requests that arrive otherwise than they were sent."""

from typing import Any

import pytest

from django_klarna.sandbox import Drop, Sandbox
from tests.sandbox.conftest import Client, parsed

CREATE = ("POST", "/payments/v1/sessions")


def statuses(client: Client) -> list[int | None]:
    return [call.status for call in client.sandbox.calls]


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (403, "403 Forbidden"),
        (502, "502 Bad Gateway"),
        (503, "503 Service Unavailable"),
        (504, "504 Gateway Timeout"),
        (599, "599"),
    ],
)
def test_gateway_answers_with_a_page(client: Client, cart: dict[str, Any], status: int, title: str) -> None:
    client.sandbox.fail_next(status=status, body="html")
    response = client.create(cart)
    assert (response.status, response.headers) == (status, {"Content-Type": "text/html"})
    assert f"<title>{title}</title>".encode() in response.body
    assert not client.sandbox.sessions


def test_protection_against_floods_answers_with_a_status_alone(client: Client, cart: dict[str, Any]) -> None:
    client.control("POST", "faults", {"status": 403, "body": "empty"})
    response = client.create(cart)
    assert (response.status, response.headers, response.body) == (403, {}, b"")


@pytest.mark.parametrize("code", ["MERCHANT_INACTIVE", "INVALID_OPERATION"])
def test_documented_codes_of_403(client: Client, cart: dict[str, Any], code: str) -> None:
    client.sandbox.fail_next(status=403, error_code=code)
    assert parsed(client.create(cart))["error_code"] == code


def test_page_instead_of_the_answer_to_what_was_done(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(body="html", count=2)
    created = client.create(cart)
    (session_id,) = client.sandbox.sessions
    changed = client.update(session_id, {"locale": "sv-SE"})
    for response in (created, changed):
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html")
    assert client.sandbox.sessions[session_id].content["locale"] == "sv-SE"


def test_page_of_a_401_stays_one(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(status=401, body="html")
    assert b"<title>401 Authorization Required</title>" in client.create(cart).body


def test_truncated_and_dripping_answers_are_marked(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(body="truncated", drip=3, delay=2)
    response = client.create(cart)
    assert (response.truncated, response.drip, response.delay) == (True, 3, 2)
    assert response.headers["Klarna-Correlation-Id"]
    assert len(client.sandbox.sessions) == 1


def test_duplicated_create_leaves_a_session_that_nobody_knows(client: Client, cart: dict[str, Any]) -> None:
    client.control("POST", "faults", {"operation": "create_credit_session", "duplicate": True})
    known = client.created(cart)["session_id"]
    assert len(client.sandbox.sessions) == 2
    first, copy = client.sandbox.calls
    assert (first.session_id, first.status) == (known, 200)
    assert (copy.session_id in client.sandbox.sessions, copy.session_id != known, copy.status) == (
        True,
        True,
        None,
    )
    assert copy.body == cart


def test_duplicated_request_may_lose_its_answer(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(duplicate=True, drop="after", delay=1)
    assert client.dropped(*CREATE, cart) == Drop(delay=1)
    assert (len(client.sandbox.sessions), statuses(client)) == (2, [None, None])


def test_overtaken_update_is_done_after_the_next_one(client: Client, cart: dict[str, Any]) -> None:
    session_id, other = (client.created(cart)["session_id"] for _ in range(2))
    path = f"/payments/v1/sessions/{session_id}"
    client.control("POST", "faults", {"operation": "update_credit_session", "drop": "overtaken"})
    assert client.dropped("POST", path, {"locale": "sv-SE"}) == Drop()
    client.read(session_id)
    client.update(other, {"locale": "en-SE"})
    assert "locale" not in client.sandbox.sessions[session_id].content
    assert client.update(session_id, {"locale": "en-SE"}).status == 204
    assert client.sandbox.sessions[session_id].content["locale"] == "sv-SE"
    client.update(session_id, {"locale": "en-SE"})
    assert client.sandbox.sessions[session_id].content["locale"] == "en-SE"
    assert statuses(client) == [200, 200, None, 200, 204, 204, 204]


def test_overtaken_update_waits_for_one_that_arrives(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.fail_next(drop="overtaken")
    client.sandbox.fail_next(status=500)
    client.dropped("POST", f"/payments/v1/sessions/{session_id}", {"locale": "sv-SE"})
    assert client.update(session_id, {"locale": "en-SE"}).status == 500
    assert client.sandbox.sessions[session_id].content == cart


def test_reset_forgets_overtaken_requests(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(drop="overtaken")
    client.dropped(*CREATE, cart)
    client.sandbox.reset()
    client.created(cart)
    assert len(client.sandbox.sessions) == 1


def struck(fault: dict[str, Any], calls: int = 200) -> list[bool]:
    client = Client(Sandbox())
    assert (
        client.control("POST", "faults", {"operation": "read_credit_session", "status": 500, **fault})[0]
        == 200
    )
    found = []
    for _ in range(calls):
        client.update("x", {})
        found.append(client.read("x").status == 500)
    return found


def test_probability_strikes_the_same_calls_for_the_same_seed() -> None:
    assert struck({"probability": 0.1, "seed": 7}) == struck({"probability": 0.1, "seed": 7})
    assert struck({"probability": 0.1, "seed": 7}) != struck({"probability": 0.1, "seed": 8})
    assert struck({"probability": 0.1}) == struck({"probability": 0.1, "seed": 0})


def test_probability_strikes_so_many() -> None:
    assert 5 <= sum(struck({"probability": 0.1, "seed": 7})) <= 40
    assert all(struck({"probability": 1}))


def test_probability_ends_with_its_count_or_by_hand(client: Client) -> None:
    assert sum(struck({"probability": 0.5, "count": 3})) == 3
    client.sandbox.fail_next(status=500, probability=1)
    for _ in range(3):
        assert client.read("x").status == 500
    (pending,) = client.control("GET", "faults")[1]
    assert (pending["probability"], pending["count"]) == (1, None)
    client.sandbox.clear_faults()
    assert client.read("x").status == 404


def test_call_that_chance_spares_meets_the_next_fault(client: Client) -> None:
    client.sandbox.fail_next(status=500, probability=1e-9)
    client.sandbox.fail_next(status=503)
    assert [client.read("x").status for _ in range(2)] == [503, 404]

"""Steering the sandbox: calls, faults, clock, reset."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from django_klarna.sandbox import Drop, Fault, Sandbox
from tests.sandbox.conftest import Client, parsed

CREATE = ("POST", "/payments/v1/sessions")


def test_calls_are_listed_oldest_first(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.update(session_id, {"order_amount": 1})
    client.read(session_id)
    client.send("GET", "/payments/v2/things")
    status, calls = client.control("GET", "calls")
    assert status == 200
    assert [datetime.fromisoformat(call.pop("at")) for call in calls]
    assert calls == [
        {"operation": "create_credit_session", "status": 200, "body": cart, "session_id": session_id},
        {
            "operation": "update_credit_session",
            "status": 400,
            "body": {"order_amount": 1},
            "session_id": session_id,
        },
        {"operation": "read_credit_session", "status": 200, "body": None, "session_id": session_id},
        {"operation": "unknown", "status": 404, "body": None},
    ]


def test_control_and_browser_are_no_calls(client: Client) -> None:
    client.control("GET", "calls")
    for path in ("/", "/kp/lib/v1/api.js", "/kp/lib/v1/badge.svg", "/kp/lib/v1/session"):
        client.send("GET", path)
    assert client.sandbox.calls == []


def test_call_with_an_unreadable_body_has_none(client: Client) -> None:
    client.create(b"{")
    (call,) = client.sandbox.calls
    assert (call.body, call.status) == (None, 400)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_REQUEST"),
        (403, "INVALID_OPERATION"),
        (404, "NOT_FOUND"),
        (409, "BAD_VALUE"),
        (413, "REQUEST_TOO_LARGE"),
        (422, "BAD_REQUEST"),
        (429, "TOO_MANY_REQUESTS"),
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "TEMPORARILY_UNAVAILABLE"),
        (599, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_fault_answers_instead_of_doing(client: Client, cart: dict[str, Any], status: int, code: str) -> None:
    client.sandbox.fail_next("create_credit_session", status=status)
    response = client.create(cart)
    assert (response.status, parsed(response)["error_code"]) == (status, code)
    assert not client.sandbox.sessions
    assert ("X-Ratelimit-Reset" in response.headers) is (status == 429)
    assert client.create(cart).status == 200


@pytest.mark.parametrize(
    ("given", "reset"),
    [
        ({}, "1"),
        ({"retry_after": 0}, "0"),
        ({"retry_after": 2.5}, "2.5"),
        ({"retry_after": 1_700_000_000}, "1700000000"),
    ],
)
def test_fault_429_says_when_its_limit_is_lifted(
    client: Client, cart: dict[str, Any], given: dict[str, Any], reset: str
) -> None:
    assert client.control("POST", "faults", {"status": 429, **given})[0] == 200
    client.sandbox.fail_next(status=429, **given)
    assert [client.create(cart).headers["X-Ratelimit-Reset"] for _ in range(2)] == [reset, reset]


def test_fault_401_looks_like_the_real_one(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(status=401)
    response = client.create(cart)
    assert (response.status, response.headers["Content-Type"]) == (401, "text/html")


def test_fault_with_a_code_of_its_own(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    fault = {"operation": "updateCreditSession", "status": 404, "error_code": "SESSION_COMPLETED"}
    assert client.control("POST", "faults", fault)[0] == 200
    assert client.read(session_id).status == 200
    assert parsed(client.update(session_id, {}))["error_code"] == "SESSION_COMPLETED"


def test_faults_are_counted_and_taken_in_order(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next("read_credit_session", status=500)
    client.sandbox.fail_next(status=503, count=2)
    client.sandbox.fail_next(status=429)
    assert [client.create(cart).status for _ in range(4)] == [503, 503, 429, 200]
    assert client.read("x").status == 500
    assert client.sandbox.faults == []


@pytest.mark.parametrize(("drop", "made"), [("before", 0), ("after", 1), (True, 1)])
def test_dropped_call(client: Client, cart: dict[str, Any], drop: str | bool, made: int) -> None:
    client.control("POST", "faults", {"drop": drop})
    assert client.dropped(*CREATE, cart) == Drop()
    assert len(client.sandbox.sessions) == made
    (call,) = client.sandbox.calls
    assert (call.operation, call.status, call.body) == ("create_credit_session", None, cart)


def test_late_request_is_applied_after_its_connection_was_dropped(
    client: Client, cart: dict[str, Any]
) -> None:
    session_id = client.created(cart)["session_id"]
    client.control("POST", "faults", {"operation": "updateCreditSession", "drop": "late", "delay": 60})
    path = f"/payments/v1/sessions/{session_id}"
    assert client.dropped("POST", path, {"locale": "sv-SE"}) == Drop()
    assert client.update(session_id, {"locale": "en-SE"}).status == 204
    assert parsed(client.read(session_id))["locale"] == "en-SE"
    client.sandbox.advance(61)
    assert parsed(client.read(session_id))["locale"] == "sv-SE"
    assert [call.status for call in client.sandbox.calls] == [200, None, 204, 200, 200]
    client.update(session_id, {"locale": "en-SE"})
    assert parsed(client.read(session_id))["locale"] == "en-SE"


def test_late_requests_are_applied_in_the_order_of_their_time(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    path = f"/payments/v1/sessions/{session_id}"
    for delay, locale in ((90, "sv-SE"), (60, "en-SE")):
        client.sandbox.fail_next(drop="late", delay=delay)
        client.dropped("POST", path, {"locale": locale})
    client.sandbox.advance(100)
    assert client.sandbox.sessions[session_id].content["locale"] == "sv-SE"


def test_late_request_is_seen_by_whoever_looks(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(drop="late", delay=60)
    client.dropped(*CREATE, cart)
    assert (len(client.sandbox.sessions), client.sandbox.calls[0].session_id) == (0, None)
    client.sandbox.advance(61)
    (call,) = client.sandbox.calls
    assert list(client.sandbox.sessions) == [call.session_id]
    assert call.status is None


def test_late_request_that_is_refused_changes_nothing(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(drop="late", delay=60)
    client.dropped(*CREATE, cart | {"order_amount": 1})
    client.sandbox.advance(61)
    assert not client.sandbox.sessions


def test_reset_forgets_late_requests(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(drop="late", delay=60)
    client.dropped(*CREATE, cart)
    client.sandbox.reset()
    client.sandbox.advance(61)
    assert not client.sandbox.sessions


def test_delay_goes_with_a_status_a_drop_or_the_usual_answer(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.fail_next(delay=2)
    client.sandbox.fail_next(delay=3, status=500)
    client.sandbox.fail_next(delay=4, drop="before")
    client.sandbox.fail_next(delay=5, drop="after")
    answers = [client.create(cart), client.create(cart)]
    assert [(answer.status, answer.delay) for answer in answers] == [(200, 2), (500, 3)]
    assert client.dropped(*CREATE, cart) == Drop(delay=4)
    assert client.dropped(*CREATE, cart) == Drop(delay=5)


def test_pending_faults_are_listed_and_cleared(client: Client, cart: dict[str, Any]) -> None:
    assert client.control("POST", "faults", {"status": 500, "count": 3})[0] == 200
    client.create(cart)
    (pending,) = client.control("GET", "faults")[1]
    assert (pending["status"], pending["count"], pending["operation"]) == (500, 2, None)
    assert client.control("DELETE", "faults") == (200, [])
    assert client.create(cart).status == 200


def test_fault_of_the_caller_stays_as_it_is(client: Client, cart: dict[str, Any]) -> None:
    fault = Fault(status=500)
    for _ in range(2):
        client.sandbox.add_fault(fault)
        client.sandbox.faults[0].count = 5
        assert [client.create(cart).status for _ in range(2)] == [500, 200]
    assert fault.count == 1


def test_drop_of_false_is_none(client: Client, cart: dict[str, Any]) -> None:
    assert client.control("POST", "faults", {"drop": False, "status": 500})[0] == 200
    assert client.create(cart).status == 500


def test_numbers_beyond_all_bounds_are_no_json(client: Client) -> None:
    response = client.create(b'{"order_amount": 1e999}')
    assert (response.status, parsed(response)["error_code"]) == (400, "BAD_REQUEST")
    assert b"Infinity" not in client.send("GET", "/_sandbox/calls").body
    assert client.control("POST", "clock", b'{"advance": -1e999}')[0] == 400


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("operation", {"operation": "create_order_now", "status": 500}),
        ("operation", {"operation": ["x"], "status": 500}),
        ("status", {}),
        ("status", []),
        ("status", None),
        ("status", {"status": 200}),
        ("status", {"status": "500"}),
        ("status", {"status": True}),
        ("error_code", {"status": 500, "error_code": 5}),
        ("error_code", {"delay": 1, "error_code": "X"}),
        ("delay", {"delay": -1}),
        ("delay", {"delay": "1"}),
        ("delay", {"delay": 1e9}),
        ("drop", {"drop": "sometimes"}),
        ("drop", {"drop": [1]}),
        ("drop", {"drop": "late", "delay": 1, "status": 500}),
        ("delay", {"drop": "late"}),
        ("status", {"drop": False}),
        ("retry_after", {"status": 429, "retry_after": "1"}),
        ("retry_after", {"status": 429, "retry_after": True}),
        ("retry_after", {"status": 429, "retry_after": -1}),
        ("retry_after", {"status": 503, "retry_after": 1}),
        ("drop", {"drop": "after", "status": 500}),
        ("drip", {"drip": -1}),
        ("drip", {"drip": 1, "drop": "after"}),
        ("body", {"body": "xml"}),
        ("body", {"body": ["html"]}),
        ("body", {"body": "html", "drop": "after"}),
        ("error_code", {"status": 403, "body": "html", "error_code": "X"}),
        ("error_code", {"status": 403, "body": "empty", "error_code": "X"}),
        ("delay", {"drop": "overtaken", "delay": 1}),
        ("duplicate", {"duplicate": 1}),
        ("duplicate", {"duplicate": True, "status": 500}),
        ("duplicate", {"duplicate": True, "drop": "before"}),
        ("duplicate", {"duplicate": True, "drop": "late", "delay": 1}),
        ("duplicate", {"duplicate": True, "drop": "overtaken"}),
        ("probability", {"status": 500, "probability": 0}),
        ("probability", {"status": 500, "probability": 1.1}),
        ("probability", {"status": 500, "probability": True}),
        ("seed", {"status": 500, "probability": 0.5, "seed": 1.5}),
        ("seed", {"status": 500, "seed": 1}),
        ("count", {"status": 500, "count": 0}),
        ("count", {"status": 500, "count": 1.5}),
        ("stauts", {"stauts": 500}),
    ],
)
def test_bad_fault_is_refused_by_the_name_of_its_field(client: Client, field: str, content: object) -> None:
    status, answer = client.control("POST", "faults", content)
    assert status == 400
    assert answer["error"].startswith(f"{field}: ")
    assert client.sandbox.faults == []


def test_fail_next_refuses_what_makes_no_fault(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="count: must be"):
        sandbox.fail_next(status=500, count=0)


def test_shopper_klarna_and_merchant_by_hand(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    address = {"postal_code": "11148"}
    asked = {"session_id": session_id, "data": {"billing_address": address}, "decision": "pending"}
    status, result = client.control("POST", "authorize", asked)
    assert (status, result["approved"]) == (200, True)
    token = result["authorization_token"]
    body = cart | {"billing_address": address}
    order_id = client.placed(token, body)["order_id"]
    expected = {
        "order_id": order_id,
        "session_id": session_id,
        "authorization_token": token,
        "body": body,
        "fraud_status": "PENDING",
        "status": "AUTHORIZED",
    }
    assert client.control("GET", "orders") == (200, [expected])
    decided = {"order_id": order_id, "fraud_status": "ACCEPTED"}
    assert client.control("POST", "decide", decided) == (200, expected | {"fraud_status": "ACCEPTED"})
    (call,) = [call for call in client.control("GET", "calls")[1] if call["operation"] == "create_order"]
    assert (call["session_id"], call["authorization_token"], call["order_id"]) == (
        session_id,
        token,
        order_id,
    )


def test_by_hand_the_decision_is_to_approve(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    assert client.control("POST", "authorize", {"session_id": session_id})[1]["approved"] is True


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("authorize", None, "session_id"),
        ("authorize", {"session_id": "x"}, "session_id"),
        ("authorize", {"session_id": "known", "decision": "perhaps"}, "decision"),
        ("authorize", {"session_id": "known", "data": "x"}, "data"),
        ("authorize", {"session_id": "known", "date": {}}, "date"),
        ("decide", {}, "order_id"),
        ("decide", {"order_id": ["x"], "fraud_status": "ACCEPTED"}, "order_id"),
        ("decide", {"order_id": "known"}, "fraud_status"),
        ("decide", {"order_id": "known", "fraud_status": ["ACCEPTED"]}, "fraud_status"),
        ("decide", {"order_id": "known", "fraud_status": "ACCEPTED", "x": 1}, "x"),
    ],
)
def test_bad_steering_is_refused_by_the_name_of_its_field(
    client: Client, cart: dict[str, Any], name: str, content: dict[str, Any] | None, field: str
) -> None:
    known = {"session_id": client.created(cart)["session_id"]}
    known["order_id"] = client.placed(
        client.token(client.created(cart)["session_id"], decision="pending"), cart
    )["order_id"]
    given = content and {key: known[key] if value == "known" else value for key, value in content.items()}
    status, answer = client.control("POST", name, given)
    assert (status, answer["error"].partition(":")[0]) == (400, field)


@pytest.mark.parametrize("name", ["advance", "seconds"])
def test_clock_moves_forward(client: Client, name: str) -> None:
    before = datetime.fromisoformat(client.control("GET", "clock")[1]["now"])
    status, answer = client.control("POST", "clock", {name: 90})
    moved = datetime.fromisoformat(answer["now"]) - before
    assert status == 200
    assert timedelta(seconds=90) <= moved < timedelta(seconds=95)


@pytest.mark.parametrize(
    "content", [None, [], {}, {"advance": "1"}, {"advance": True}, {"advance": -1}, {"advance": 1e12}]
)
def test_clock_refuses_what_is_no_time(client: Client, content: object) -> None:
    status, answer = client.control("POST", "clock", content)
    assert status == 400
    assert answer["error"].startswith("advance: ")


def test_reset_forgets_everything(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.fail_next(status=500)
    client.sandbox.advance(3600)
    moved = client.sandbox.now
    assert client.control("POST", "reset") == (200, {})
    assert (len(client.sandbox.sessions), client.sandbox.calls, client.sandbox.faults) == (0, [], [])
    assert client.sandbox.now < moved
    assert client.read(session_id).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/payments/v1/sessions", "POST"),
        ("DELETE", "/payments/v1/sessions/x", "GET, POST"),
        ("POST", "/_sandbox/calls", "GET"),
        ("PUT", "/_sandbox/faults", "GET, POST, DELETE"),
        ("GET", "/_sandbox/reset", "POST"),
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/kp/lib/v1/session", "GET, POST, OPTIONS"),
        ("GET", "/kp/lib/v1/authorize", "POST, OPTIONS"),
        ("GET", "/_sandbox/callbacks/deliver", "POST"),
        ("PUT", "/payments/v1/authorizations/x", "DELETE"),
        ("GET", "/payments/v1/authorizations/x/order", "POST"),
        ("POST", "/kp/redirect/x", "GET, HEAD"),
        ("POST", "/ordermanagement/v1/orders/x", "GET"),
    ],
)
def test_wrong_method(client: Client, method: str, path: str, allow: str) -> None:
    response = client.send(method, path)
    assert (response.status, response.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/payments/v1/sessions/", "/payments/v1/sessions/a/b", "/_sandbox/x"]
)
def test_unknown_path(client: Client, path: str) -> None:
    response = client.send("GET", path)
    assert response.status == 404
    assert isinstance(parsed(response), dict)

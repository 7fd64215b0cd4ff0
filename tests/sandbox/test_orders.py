"""Orders: placed once, the same answer for the same token."""

import uuid
from typing import Any

import pytest

from django_klarna.sandbox import Drop, Sandbox
from tests.sandbox.conftest import Client, bad_fields, basic, parsed, refusal

COMPLETED = (404, "SESSION_COMPLETED", "Session already completed")
CONSUMED = (403, "INVALID_OPERATION", "Authorization token already consumed")
REJECTED = (403, "REJECTED", "Authorization is not approved")
DIFFERENT = (409, "BAD_VALUE", "The order has been already completed with different request body")
URLS = {
    "confirmation": "https://shop.example/thanks?order={order.id}&session={session.id}",
    "push": "https://shop.example/push/{order.id}",
}


@pytest.fixture
def session_id(client: Client, cart: dict[str, Any]) -> str:
    return str(client.created(cart)["session_id"])


# Placing


def test_placed_order(client: Client, cart: dict[str, Any], session_id: str) -> None:
    token = client.token(session_id)
    answer = client.placed(token, cart | {"merchant_urls": URLS})
    order_id = answer["order_id"]
    assert str(uuid.UUID(order_id)) == order_id
    assert answer == {
        "order_id": order_id,
        "redirect_url": f"http://127.0.0.1:8100/kp/redirect/{order_id}",
        "fraud_status": "ACCEPTED",
        "authorized_payment_method": {"type": "invoice"},
    }
    (order,) = client.sandbox.orders.values()
    assert (order.order_id, order.session_id, order.authorization_token) == (order_id, session_id, token)
    assert (order.fraud_status, order.status) == ("ACCEPTED", "AUTHORIZED")
    assert order.body == cart | {"merchant_urls": URLS}
    assert parsed(client.read(session_id))["status"] == "complete"
    assert client.sandbox.authorizations[token].state == "consumed"
    call = client.sandbox.calls[1]
    assert (call.operation, call.session_id, call.order_id) == ("create_order", session_id, order_id)


def test_without_a_confirmation_url_there_is_no_redirect(
    client: Client, cart: dict[str, Any], session_id: str
) -> None:
    assert "redirect_url" not in client.placed(client.token(session_id), cart)


def test_urls_of_the_session_are_good_for_the_order(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart | {"merchant_urls": URLS})["session_id"]
    answer = client.placed(client.token(session_id), cart)
    for method in ("GET", "HEAD"):
        redirected = client.send(method, answer["redirect_url"].removeprefix("http://127.0.0.1:8100"))
        assert redirected.status == 302
        assert redirected.headers["Location"] == (
            f"https://shop.example/thanks?order={answer['order_id']}&session={session_id}"
        )


def test_redirect_page(client: Client, cart: dict[str, Any], session_id: str) -> None:
    order_id = client.placed(client.token(session_id), cart)["order_id"]
    assert client.send("GET", f"/kp/redirect/{order_id}").status == 404
    assert client.send("GET", "/kp/redirect/nothing").status == 404
    assert client.send("POST", f"/kp/redirect/{order_id}").status == 405


def test_redirect_is_one_header(client: Client, cart: dict[str, Any], session_id: str) -> None:
    urls = {"confirmation": "https://shop.example/å\r\nSet-Cookie: a=b"}
    order_id = client.placed(client.token(session_id), cart | {"merchant_urls": urls})["order_id"]
    location = client.send("GET", f"/kp/redirect/{order_id}").headers["Location"]
    assert location == "https://shop.example/%C3%A5%0D%0ASet-Cookie:%20a=b"


@pytest.mark.parametrize(("decision", "status"), [("pending", "PENDING"), ("fraud", "REJECTED")])
def test_fraud_status(
    client: Client, cart: dict[str, Any], session_id: str, decision: str, status: str
) -> None:
    answer = client.placed(client.token(session_id, decision=decision), cart)
    assert answer["fraud_status"] == status
    assert client.sandbox.orders[answer["order_id"]].fraud_status == status


def test_rejected_order_is_none(client: Client, cart: dict[str, Any], session_id: str) -> None:
    token = client.token(session_id, decision="reject")
    for _ in range(2):
        assert refusal(client.place(token, cart)) == REJECTED
    assert not client.sandbox.orders
    assert client.sandbox.sessions[session_id].status == "incomplete"


def test_intent_tokenize_is_for_no_order(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(client.created(cart | {"intent": "tokenize"})["session_id"])
    assert refusal(client.place(token, cart))[:2] == (403, "INVALID_OPERATION")


def test_body_is_checked_as_a_session_is(client: Client, cart: dict[str, Any], session_id: str) -> None:
    for changes, fields in (
        ({"order_amount": 1}, ["order_amount"]),
        ({"purchase_currency": "NOK"}, ["purchase_currency"]),
        ({"auto_capture": "yes"}, ["auto_capture"]),
        ({"order_lines": []}, ["order_lines"]),
    ):
        assert bad_fields(client.place(client.token(session_id), cart | changes)) == fields


def test_fields_of_sessions_alone_are_ignored(client: Client, cart: dict[str, Any], session_id: str) -> None:
    more = {"intent": 5, "attachment": 5, "options": 5, "status": 5, "surprise": 5}
    token = client.token(session_id)
    order_id = client.placed(token, cart | more)["order_id"]
    assert client.sandbox.orders[order_id].body == cart
    assert client.placed(token, cart)["order_id"] == order_id


def test_body_that_is_no_object_leaves_the_token(
    client: Client, cart: dict[str, Any], session_id: str
) -> None:
    token = client.token(session_id)
    assert refusal(client.place(token, b"{"))[:2] == (400, "BAD_REQUEST")
    assert client.place(token, cart).status == 200


# Once more


def test_same_body_gets_the_same_order(client: Client, cart: dict[str, Any], session_id: str) -> None:
    token = client.token(session_id, decision="pending")
    body = cart | {"merchant_urls": URLS}
    first = client.placed(token, body)
    client.sandbox.advance(2 * 3600)
    assert client.placed(token, dict(reversed(body.items()))) == first
    assert len(client.sandbox.orders) == 1
    assert [callback.kind for callback in client.sandbox.callbacks] == ["push"]


@pytest.mark.parametrize(("reading", "answer"), [("consumed", CONSUMED), ("completed", COMPLETED)])
def test_same_body_may_be_refused(cart: dict[str, Any], reading: str, answer: tuple[int, str, str]) -> None:
    client = Client(Sandbox(replayed_order=reading))
    token = client.token(client.created(cart)["session_id"])
    client.placed(token, cart)
    assert refusal(client.place(token, cart)) == answer
    client.sandbox.replayed_order = "order"
    assert client.place(token, cart).status == 200


def test_unknown_reading_is_refused() -> None:
    with pytest.raises(ValueError, match="replayed_order: must be one of order, consumed, completed"):
        Sandbox(replayed_order="perhaps")


@pytest.mark.parametrize("reading", ["order", "consumed", "completed"])
def test_other_body_conflicts(client: Client, cart: dict[str, Any], session_id: str, reading: str) -> None:
    client.sandbox.replayed_order = reading
    token = client.token(session_id)
    client.placed(token, cart)
    assert refusal(client.place(token, cart | {"merchant_reference1": "1"})) == DIFFERENT
    assert len(client.sandbox.orders) == 1


def test_failure_is_given_again_for_its_token_alone(
    client: Client, cart: dict[str, Any], session_id: str
) -> None:
    token = client.token(session_id)
    wrong = {"order_lines": cart["order_lines"][:1], "order_amount": 20000, "order_tax_amount": 4000}
    first = client.place(token, cart | wrong)
    assert first.status == 409
    again = client.place(token, cart)
    assert (again.status, again.body) == (409, first.body)
    assert client.sandbox.authorizations[token].state == "open"
    assert client.cancel(token).status == 204
    assert client.place(client.token(session_id), cart).status == 200


@pytest.mark.parametrize("status", [401, 429, 403, 500, 503])
def test_fault_is_not_given_again(client: Client, cart: dict[str, Any], session_id: str, status: int) -> None:
    token = client.token(session_id)
    client.sandbox.fail_next("create_order", status=status)
    assert client.place(token, cart).status == status
    assert client.place(token, cart).status == 200


def test_token_left_over_of_a_completed_session(
    client: Client, cart: dict[str, Any], session_id: str
) -> None:
    token = client.token(session_id)
    client.sandbox.complete(session_id)
    assert refusal(client.place(token, cart)) == COMPLETED
    assert refusal(client.purchase(token, {})) == COMPLETED


def test_completed_session_is_done(client: Client, cart: dict[str, Any], session_id: str) -> None:
    client.placed(client.token(session_id), cart)
    assert refusal(client.update(session_id, {"locale": "sv-SE"})) == COMPLETED
    assert client.sandbox.authorize(session_id)["error"]["error_code"] == "SESSION_COMPLETED"


# Faults


def test_order_whose_answer_was_lost_is_given_again(
    client: Client, cart: dict[str, Any], session_id: str
) -> None:
    token = client.token(session_id)
    path = f"/payments/v1/authorizations/{token}/order"
    client.sandbox.fail_next("create_order", drop="after")
    assert client.dropped("POST", path, cart) == Drop()
    (order_id,) = client.sandbox.orders
    assert client.placed(token, cart)["order_id"] == order_id
    assert [call.status for call in client.sandbox.calls] == [200, None, 200]


def test_late_order_is_placed_after_all(client: Client, cart: dict[str, Any], session_id: str) -> None:
    path = f"/payments/v1/authorizations/{client.token(session_id)}/order"
    client.sandbox.fail_next("createOrder", drop="late", delay=60)
    client.dropped("POST", path, cart)
    assert not client.sandbox.orders
    client.sandbox.advance(61)
    assert len(client.sandbox.orders) == 1


def test_overtaken_order_comes_second(client: Client, cart: dict[str, Any], session_id: str) -> None:
    token = client.token(session_id)
    path = f"/payments/v1/authorizations/{token}/order"
    client.sandbox.fail_next("create_order", drop="overtaken")
    client.dropped("POST", path, cart | {"merchant_reference1": "first"})
    client.placed(token, cart)
    (order,) = client.sandbox.orders.values()
    assert "merchant_reference1" not in order.body


def test_doubled_order_is_one(client: Client, cart: dict[str, Any], session_id: str) -> None:
    token = client.token(session_id)
    client.sandbox.fail_next("create_order", duplicate=True)
    client.placed(token, cart)
    assert len(client.sandbox.orders) == 1


def test_orders_count_as_other_operations(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(rate_limits="live"))
    token = client.token(client.created(cart)["session_id"])
    assert client.place(token, cart).headers["X-Ratelimit-Limit"] == "200"


# Reading and deciding


def test_order_can_be_read(client: Client, cart: dict[str, Any], session_id: str) -> None:
    more = {"merchant_reference1": "1001", "merchant_reference2": "key", "locale": "sv-SE"}
    order_id = client.placed(client.token(session_id, decision="pending"), cart | more)["order_id"]
    response = client.order(order_id)
    content = parsed(response)
    assert response.status == 200
    assert content.pop("created_at") < content.pop("expires_at")
    assert content.pop("klarna_reference") == order_id[:8].upper()
    assert content == {
        **{name: value for name, value in (cart | more).items() if name != "order_tax_amount"},
        "order_id": order_id,
        "status": "AUTHORIZED",
        "fraud_status": "PENDING",
        "original_order_amount": 21500,
        "remaining_authorized_amount": 21500,
        "captured_amount": 0,
        "refunded_amount": 0,
        "captures": [],
        "refunds": [],
    }
    client.sandbox.decide(order_id, "ACCEPTED")
    assert parsed(client.order(order_id))["fraud_status"] == "ACCEPTED"
    assert (client.sandbox.calls[-1].operation, client.sandbox.calls[-1].order_id) == ("get_order", order_id)


def test_order_that_there_is_not(client: Client, cart: dict[str, Any], session_id: str) -> None:
    order_id = client.placed(client.token(session_id), cart)["order_id"]
    other = Client(client.sandbox, basic("K999_other", "secret"))
    for response in (other.order(order_id), client.order(str(uuid.uuid4()))):
        assert refusal(response) == (404, "NO_SUCH_ORDER", "No such order")
    assert refusal(client.order("1001")) == (400, "INVALID_ORDER_ID", "Invalid order id")


def test_only_a_pending_order_is_decided(client: Client, cart: dict[str, Any], session_id: str) -> None:
    order_id = client.placed(client.token(session_id, decision="pending"), cart)["order_id"]
    with pytest.raises(ValueError, match="fraud_status: must be one of ACCEPTED, REJECTED"):
        client.sandbox.decide(order_id, "PENDING")
    with pytest.raises(KeyError):
        client.sandbox.decide("nothing", "ACCEPTED")
    client.sandbox.decide(order_id, "REJECTED")
    assert client.sandbox.orders[order_id].fraud_status == "REJECTED"
    with pytest.raises(ValueError, match="order_id: must be that of an order that is pending"):
        client.sandbox.decide(order_id, "ACCEPTED")

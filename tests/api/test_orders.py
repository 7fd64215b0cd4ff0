"""What is done with an authorization, and how an order is looked at."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from django_klarna.api import (
    Address,
    Attachment,
    AuthorizedPaymentMethod,
    Call,
    CreateOrderRequest,
    Customer,
    CustomerTokenCreationRequest,
    KlarnaAPIError,
    KlarnaClient,
    KlarnaConnectionError,
    KlarnaResponseError,
    KlarnaServerError,
    KlarnaTimeoutError,
    KlarnaValidationError,
    ManagedOrder,
    MerchantUrls,
    Options,
    Order,
    OrderLine,
)
from tests.api.conftest import Behaviour, MakeClient, Peer, answer, is_silent, leaves, says_and_leaves
from tests.api.payloads import MANAGED_ORDER, ORDER, TOKEN, TOKEN_REQUEST, order_line, session_create
from tests.api.test_client import head

PATH = "/payments/v1/authorizations/b4bd3423-24e3"


def order_request(**more: object) -> CreateOrderRequest:
    return session_create().to_order(**more)


def token_request(**changes: object) -> CustomerTokenCreationRequest:
    return CustomerTokenCreationRequest.from_dict({**TOKEN_REQUEST, **changes})


def refused(client: KlarnaClient) -> KlarnaAPIError:
    with pytest.raises(KlarnaAPIError) as caught:
        client.orders.purchase_token("t", token_request())
    return caught.value


# What is sent and what comes back


def test_an_order_is_placed(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, ORDER))
    order = klarna_client.orders.create_order("b4bd3423-24e3", order_request(auto_capture=True))
    assert (order.order_id, order.fraud_status, order.redirect_url) == (
        "o-1",
        "ACCEPTED",
        ORDER["redirect_url"],
    )
    assert order.authorized_payment_method == AuthorizedPaymentMethod(type="invoice", number_of_days=14)
    first, headers = head(peer.requests[0])
    assert first == f"POST {PATH}/order HTTP/1.1"
    assert headers["content-type"] == "application/json"
    body = peer.requests[0].partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {**session_create().to_dict(), "auto_capture": True}
    assert body == order_request(auto_capture=True).canonical()


def test_an_authorization_is_cancelled(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(204))
    klarna_client.orders.cancel_authorization("b4bd3423-24e3")
    first, headers = head(peer.requests[0])
    assert first == f"DELETE {PATH} HTTP/1.1"
    assert "content-type" not in headers
    assert peer.requests[0].endswith(b"\r\n\r\n")


def test_a_customer_token_is_made(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(
        answer(200, {**TOKEN, "customer": {"date_of_birth": "1970-01-01"}, "billing_address": {"city": "x"}})
    )
    made = klarna_client.orders.purchase_token("b4bd3423-24e3", token_request())
    assert (made.token_id, made.billing_address) == (TOKEN["token_id"], Address(city="x"))
    assert made.customer
    assert made.customer.date_of_birth == "1970-01-01"
    assert head(peer.requests[0])[0] == f"POST {PATH}/customer-token HTTP/1.1"
    assert json.loads(peer.requests[0].partition(b"\r\n\r\n")[2]) == TOKEN_REQUEST


def test_an_order_is_looked_at(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, MANAGED_ORDER))
    order = klarna_client.order_management.get_order("a/b")
    assert head(peer.requests[0])[0] == "GET /ordermanagement/v1/orders/a%2Fb HTTP/1.1"
    assert order.to_dict() == {
        name: value for name, value in MANAGED_ORDER.items() if name in ManagedOrder.__fields__
    }
    assert order.to_dict().keys() == ManagedOrder.__fields__.keys()
    assert "planted" not in repr(order)


@pytest.mark.parametrize("order_id", ["", ".", "..", None])
def test_an_order_id_that_would_change_the_path_is_refused(
    peer: Peer, klarna_client: KlarnaClient, order_id: Any
) -> None:
    with pytest.raises(ValueError, match="order id"):
        klarna_client.order_management.get_order(order_id)
    assert peer.connections == 0


def test_input_is_checked_before_anything_is_sent(peer: Peer, klarna_client: KlarnaClient) -> None:
    orders = klarna_client.orders
    with pytest.raises(KlarnaValidationError) as caught:
        orders.create_order("t", order_request(auto_capture=1, purchase_country="Sweden"))
    assert {(v.path, v.rule, v.expected) for v in caught.value.violations} >= {
        ("/auto_capture", "type", "boolean")
    }
    with pytest.raises(KlarnaValidationError, match="description"):
        orders.purchase_token("t", token_request().replace(description="x" * 256))
    with pytest.raises(KlarnaValidationError, match="max_bytes"):
        orders.create_order(
            "t", order_request(order_lines=[order_line(merchant_data="Å" * 1024) for _ in range(200)])
        )
    with pytest.raises(TypeError, match="to_order"):
        orders.create_order("t", session_create())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="from_dict"):
        orders.purchase_token("t", TOKEN_REQUEST)  # type: ignore[arg-type]
    assert peer.connections == 0


@pytest.mark.parametrize("value", [0, 1, 0.0, "true", [], Order(order_id="o")])
def test_a_truth_value_is_true_or_false(value: object) -> None:
    (violation,) = order_request(auto_capture=value).violations()
    assert (violation.path, violation.rule) == ("/auto_capture", "type")
    with pytest.raises(KlarnaValidationError, match="auto_capture"):
        CreateOrderRequest.from_dict({**order_request().to_dict(), "auto_capture": value})


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_sent_as_it_is(value: bool) -> None:
    order = order_request(auto_capture=value)
    order.check()
    assert json.loads(order.to_json())["auto_capture"] is value
    assert order_request().auto_capture is None


# Tokens


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "../planted",
        "planted/x",
        "planted\\x",
        "planted?x",
        "planted#x",
        "planted%2e",
        "planted x",
        "planted\nx",
        "planted\n",
        "planted\x00",
        "planted\x7f",
        "plantedå",
        "planted".ljust(256, "x"),
    ],
)
@pytest.mark.parametrize("operation", ["create_order", "cancel_authorization", "purchase_token"])
def test_what_is_no_token_is_refused_and_not_repeated(
    token: str, operation: str, peer: Peer, klarna_client: KlarnaClient
) -> None:
    arguments: dict[str, list[object]] = {
        "create_order": [order_request()],
        "purchase_token": [token_request()],
    }
    with pytest.raises(ValueError, match="authorization_token") as caught:
        getattr(klarna_client.orders, operation)(token, *arguments.get(operation, []))
    assert "planted" not in f"{caught.value}{caught.value.__context__}"
    assert peer.connections == 0


@pytest.mark.parametrize("token", [None, 5, b"planted"])
def test_a_token_that_is_no_text(token: Any, peer: Peer, klarna_client: KlarnaClient) -> None:
    with pytest.raises(TypeError, match="authorization_token must be text") as caught:
        klarna_client.orders.cancel_authorization(token)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "part"),
    [("x" * 255, "x" * 255), ("a.b-c_d~e", "a.b-c_d~e"), ("a=b:c", "a%3Db%3Ac"), (".a", ".a")],
)
def test_a_token_gets_into_the_path(token: str, part: str, peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client.orders.cancel_authorization(token)
    assert head(peer.requests[0])[0] == f"DELETE /payments/v1/authorizations/{part} HTTP/1.1"


def test_a_token_gets_to_its_place_and_to_its_call_only(peer: Peer, make_client: MakeClient) -> None:
    client = make_client(base_url=f"{peer.url}/~hidden~")
    client.orders.cancel_authorization(authorization_token="t-1")
    client.sessions.update_credit_session("~hidden~", session_create().to_session())
    assert [head(request)[0] for request in peer.requests] == [
        "DELETE /~hidden~/payments/v1/authorizations/t-1 HTTP/1.1",
        "POST /~hidden~/payments/v1/sessions/~hidden~ HTTP/1.1",
    ]


def test_a_token_goes_through_a_proxy(peer: Peer, make_client: MakeClient) -> None:
    client = make_client(base_url="http://localhost:9", proxies={"http": peer.url})
    client.orders.cancel_authorization("t-1")
    assert head(peer.requests[0])[0] == "DELETE http://localhost:9/payments/v1/authorizations/t-1 HTTP/1.1"


# An order is placed once


@pytest.mark.parametrize("end", [is_silent, leaves, says_and_leaves(b"HTTP/1."), answer(500), answer(503)])
def test_what_may_have_been_placed_is_not_sent_again(
    end: Behaviour | bytes, peer: Peer, make_client: MakeClient
) -> None:
    calls: list[Call] = []
    peer.behaves(end)
    with pytest.raises((KlarnaConnectionError, KlarnaServerError)) as caught:
        make_client(read_timeout=0.2, on_call=calls.append).orders.create_order("t-1", order_request())
    assert getattr(caught.value, "sent", True)
    assert (len(peer.requests), len(calls)) == (1, 1)
    assert (calls[0].operation, calls[0].method, calls[0].sent) == ("create_order", "POST", True)


def test_what_was_never_sent_is_tried_again(make_client: MakeClient, refused_url: str) -> None:
    calls: list[Call] = []
    with pytest.raises(KlarnaConnectionError) as caught:
        make_client(base_url=refused_url, on_call=calls.append).orders.create_order("t-1", order_request())
    assert not caught.value.sent
    assert [(call.sent, call.attempts > 1) for call in calls] == [(False, True)]


def test_a_call_has_its_timeout(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(is_silent)
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.orders.create_order("t", order_request(), timeout=0.2)
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.orders.cancel_authorization("t", timeout=0.2)
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.orders.purchase_token("t", token_request(), timeout=0.2)
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.order_management.get_order("o", timeout=0.2)


# Answers


@pytest.mark.parametrize(
    ("told", "method"),
    [
        ("invoice", AuthorizedPaymentMethod(type="invoice")),
        ("", AuthorizedPaymentMethod(type="")),
        ({"type": "brand_new", "new": 1}, AuthorizedPaymentMethod(type="brand_new")),
        (
            {"type": "card", "number_of_days": 2**40},
            AuthorizedPaymentMethod(type="card", number_of_days=2**40),
        ),
        (None, None),
        ({}, None),
        ({"type": 5}, None),
        ({"type": "card", "number_of_days": "14"}, None),
        (["invoice"], None),
        (5, None),
    ],
)
def test_a_payment_method_is_read_in_every_form(told: object, method: AuthorizedPaymentMethod | None) -> None:
    order = Order.parse({**ORDER, "authorized_payment_method": told})
    assert order == Order.parse(ORDER).replace(authorized_payment_method=method)


def test_nothing_optional_keeps_an_order_from_being_read() -> None:
    odd = {"fraud_status": ["PENDING"], "redirect_url": "a\0b", "brand_new": {}}
    assert Order.parse({"order_id": "o-1", **odd}) == Order(order_id="o-1")
    assert ManagedOrder.parse({"order_id": "o-1", "order_amount": 5.0, "status": 1}) == ManagedOrder(
        order_id="o-1"
    )


@pytest.mark.parametrize("data", [{}, {"order_id": None}, {"order_id": 5}, [], "o-1", None])
def test_an_order_without_an_id_cannot_be_read(data: object, peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, data, Klarna_Correlation_Id="c-1"))
    with pytest.raises(KlarnaResponseError) as caught:
        klarna_client.orders.create_order("t-1", order_request())
    assert (caught.value.status_code, caught.value.correlation_id) == (200, "c-1")


REFUSAL = {
    "error_code": "REJECTED",
    "error_messages": ["No."],
    "fraud_status": "REJECTED",
    "reason": "STEP_UP_REQUIRED",
    "authorized_payment_method": {"type": "card", "number_of_days": 14},
}


def test_a_refused_customer_token_says_why(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(403, REFUSAL))
    error = refused(klarna_client)
    assert (error.fraud_status, error.reason) == ("REJECTED", "STEP_UP_REQUIRED")
    assert error.authorized_payment_method == AuthorizedPaymentMethod(type="card", number_of_days=14)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    for text in ("STEP_UP", "card", "14"):
        assert text not in f"{error}{error!r}"


@pytest.mark.parametrize(
    ("told", "method"),
    [("card", AuthorizedPaymentMethod(type="card")), ({"type": 5}, None), ([], None), (None, None)],
)
def test_a_refusal_is_read_leniently(
    told: object, method: AuthorizedPaymentMethod | None, peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(400, {"authorized_payment_method": told, "reason": "x" * 5000, "fraud_status": 5}))
    error = refused(klarna_client)
    assert (error.authorized_payment_method, error.reason, error.fraud_status) == (method, None, None)


def test_other_errors_say_nothing_of_it(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(404, {"error_code": "NOT_FOUND"}))
    error = refused(klarna_client)
    assert (error.fraud_status, error.reason, error.authorized_payment_method) == (None, None, None)


def test_a_mistyped_id_is_named_with_its_rule() -> None:
    with pytest.raises(KlarnaResponseError, match="order_id: expected string, found integer"):
        Order.parse({"order_id": 5})


# From a session to its order


def test_an_order_has_all_that_it_shares_with_the_session() -> None:
    session = session_create(
        intent="buy",
        acquiring_channel="ECOMMERCE",
        design="d",
        options=Options(color_text="#000000"),
        attachment=Attachment(content_type="x", body="{}"),
        order_tax_amount=400,
        merchant_data="m",
        merchant_urls=MerchantUrls(confirmation="https://shop.example/"),
        merchant_reference1="1",
        merchant_reference2="2",
        custom_payment_method_ids=["c"],
        customer=Customer(type="person"),
        shipping_address=Address(city="x"),
    )
    order = session.to_order()
    order.check()
    left = {"intent", "acquiring_channel", "design", "options", "attachment"}
    assert order.to_dict() == {name: part for name, part in session.to_dict().items() if name not in left}
    assert order.to_dict().keys() == {
        name for name, field in CreateOrderRequest.__fields__.items() if not field.read_only
    } - {"auto_capture"}
    assert order.order_lines is session.order_lines


def test_what_is_given_goes_over_what_the_session_has() -> None:
    address = Address(given_name="Ada", postal_code=" 111 22 ")
    session = session_create(merchant_reference1="old")
    order = session.to_order(
        shipping_address=address, merchant_reference1="new", billing_address=None, auto_capture=False
    )
    assert (order.shipping_address, order.merchant_reference1, order.billing_address) == (
        address,
        "new",
        None,
    )
    assert order.auto_capture is False
    assert (session.merchant_reference1, session.shipping_address) == ("old", None)


def test_a_field_that_an_order_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="CreateOrderRequest has no field 'intent'"):
        session_create().to_order(intent="buy")
    with pytest.raises(TypeError, match="Did you mean 'customer'"):
        session_create().to_order(custmer=Customer())


# The same order again


def again(order: CreateOrderRequest) -> CreateOrderRequest:
    """The order as it comes back from where it was kept."""
    return CreateOrderRequest.from_dict(json.loads(order.canonical()))


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
LINES = st.builds(
    OrderLine,
    name=TEXTS.filter(bool),
    quantity=st.integers(0, 9),
    unit_price=st.integers(-(10**8), 10**8),
    total_amount=st.integers(-(2**63), 10**8),
    merchant_data=st.none() | TEXTS,
)
ORDERS = st.builds(
    CreateOrderRequest,
    auto_capture=st.none() | st.booleans(),
    billing_address=st.none() | st.builds(Address, postal_code=TEXTS, street_address=TEXTS),
    customer=st.none() | st.builds(Customer, title=TEXTS),
    merchant_urls=st.just(MerchantUrls(confirmation="https://shop.example/?a=1&b=é")),
    merchant_reference1=st.none() | TEXTS,
    order_amount=st.integers(0, 2**63 - 1),
    order_lines=st.lists(LINES, min_size=1, max_size=4),
    purchase_country=st.just("SE"),
    purchase_currency=st.just("SEK"),
)


@settings(deadline=None)
@given(ORDERS)
@example(order_request(billing_address=Address(postal_code=" 111  22\u00a0", city="Malmö 🇸🇪 👩\u200d🚀")))
@example(order_request(order_lines=[order_line(name=f"Shoe {n} 👟", reference=" ") for n in range(1000)]))
def test_an_order_that_was_kept_is_the_same_byte_for_byte(order: CreateOrderRequest) -> None:
    kept = order.canonical()
    repeated = again(order)
    assert repeated == order
    assert (repeated.canonical(), repeated.to_json(), order.to_json()) == (kept, kept, kept)


def test_an_order_is_repeated_byte_for_byte(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(leaves, answer(200, ORDER))
    order = order_request(shipping_address=Address(postal_code=" 111  22 ", city="Malmö 🇸🇪"))
    with pytest.raises(KlarnaConnectionError):
        klarna_client.orders.create_order("t-1", order)
    klarna_client.orders.create_order("t-1", again(order))
    one, other = (request.partition(b"\r\n\r\n")[2] for request in peer.requests)
    assert one == other

"""Secrets are planted wherever they can be, and everything that the client tells is searched for them."""

import base64
import http.client
from collections.abc import Callable

import pytest
from django.views.debug import ExceptionReporter

from django_klarna.api import (
    Address,
    Attachment,
    Call,
    CreateOrderRequest,
    Customer,
    CustomerTokenCreationRequest,
    KlarnaClient,
    KlarnaError,
    MerchantUrls,
    SessionCreate,
)
from tests.api.conftest import Behaviour, MakeClient, Peer, answer, is_silent, leaves, says_and_leaves
from tests.api.payloads import TOKEN_REQUEST, order_line, session_create
from tests.api.test_failures import told as told_by

PLANTED = "planted-"
HIDDEN = (PLANTED, base64.b64encode(b"K123:planted-password").decode(), "Basic ")
CREATED = {"session_id": "s-1", "client_token": "planted-client-token", "brand_new": "planted-new"}
READ = {
    "client_token": "planted-client-token",
    "authorization_token": "planted-authorization-token",
    "billing_address": {"email": "planted-email"},
    "merchant_urls": {"authorization": "https://shop.example/planted-url"},
    "redirect_url": "https://payments.klarna.example/planted-redirect",
    "token_id": "planted-customer-token",
    "order_id": "o-1",
    "fraud_status": "PENDING",
}
# Some of what may be in a token is written in another way in a path.
AUTHORIZATION = "planted-authorization=token"
TOKENS = (AUTHORIZATION, "planted-authorization%3Dtoken", "planted-authorization")
ENDS: dict[str, Behaviour | bytes] = {
    "well": answer(200, {**CREATED, **READ}, Set_Cookie="planted-cookie=1"),
    "cut": says_and_leaves(answer(200, {**CREATED, **READ})[:-5]),
    "unread": answer(200, {**READ, "session_id": ["planted-id"], "client_token": 5}),
    "no JSON": answer(200, b"<html>planted-page"),
    "not packed": answer(200, b"planted-page", Content_Encoding="gzip"),
    "refused": answer(400, {"error_code": "BAD_VALUE", "error_messages": ["Bad value: locale"], **READ}),
    "unauthorized": answer(401, b"<html>planted-page", WWW_Authenticate="Basic planted-realm"),
    "redirected": answer(307, b"", Location="https://planted-host.example/planted-path"),
    "limited": answer(429, READ, Retry_After="planted-date"),
    "broken": answer(500, b"planted-page"),
    "dropped": leaves,
    "nonsense": b"planted-status-line\r\n\r\n",
    "odd head": b"HTTP/1.1 200 OK\r\nplanted-line\r\n\r\n",
}


def session() -> SessionCreate:
    return session_create(
        order_lines=[order_line(merchant_data="planted-data")],
        billing_address=Address(given_name="planted-name", email="planted-email"),
        customer=Customer(national_identification_number="planted-number"),
        merchant_urls=MerchantUrls(authorization="https://shop.example/planted-url"),
        attachment=Attachment(content_type="x", body="planted-body"),
        merchant_data="planted-data",
    )


def create(client: KlarnaClient) -> object:
    return client.sessions.create_credit_session(session(), timeout=2)


def read(client: KlarnaClient) -> object:
    return client.sessions.read_credit_session("s-1", timeout=2)


def update(client: KlarnaClient) -> None:
    client.sessions.update_credit_session("s-1", session().to_session(), timeout=2)


def create_order(client: KlarnaClient) -> object:
    return client.orders.create_order(AUTHORIZATION, order(), timeout=2)


def cancel(client: KlarnaClient) -> None:
    client.orders.cancel_authorization(authorization_token=AUTHORIZATION, timeout=2)


def purchase(client: KlarnaClient) -> object:
    return client.orders.purchase_token(AUTHORIZATION, token_request(), timeout=2)


def get_order(client: KlarnaClient) -> object:
    return client.order_management.get_order("o-1", timeout=2)


def order() -> CreateOrderRequest:
    return session().to_order()


def token_request() -> CustomerTokenCreationRequest:
    data = {**TOKEN_REQUEST, "billing_address": {"email": "planted-email"}}
    return CustomerTokenCreationRequest.from_dict(data)


WITH_TOKEN = [create_order, cancel, purchase]
OPERATIONS = [create, read, update, *WITH_TOKEN, get_order]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("end", ENDS)
def test_nothing_planted_comes_out(
    end: str,
    operation: Callable[[KlarnaClient], object],
    peer: Peer,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("", "urllib3", "requests", "django_klarna"):
        caplog.set_level(1, name or None)
    calls: list[Call] = []
    peer.behaves(ENDS[end])
    client = make_client(on_call=calls.append)
    try:
        out = repr(operation(client))
    except KlarnaError as error:
        out = told_by(error)
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert any(record.name == "django_klarna.api" for record in caplog.records)
    out += "".join(logged) + repr(calls) + repr(client) + repr(vars(client))
    out += repr([session(), order(), token_request()])
    assert [secret for secret in HIDDEN if secret in out] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_planted_comes_out_when_nobody_answers(
    operation: Callable[[KlarnaClient], object],
    refused_url: str,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    client = make_client(
        base_url=refused_url, proxies={"http": refused_url.replace("//", "//planted-user:planted-password@")}
    )
    with pytest.raises(KlarnaError) as caught:
        operation(client)
    out = told_by(caught.value) + caplog.text + repr(vars(client)) + repr(vars(client._transport))
    assert [secret for secret in HIDDEN if secret in out] == []


# The authorization token is in the path, which libraries like to tell.


def sent(peer: Peer) -> set[str]:
    return {request.split(b"\r\n")[0].decode() for request in peer.requests}


@pytest.mark.parametrize("operation", WITH_TOKEN)
def test_the_log_of_urllib3_has_the_path_without_the_token(
    operation: Callable[[KlarnaClient], object],
    peer: Peer,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    peer.behaves(answer(200, READ))
    operation(make_client())
    assert "/payments/v1/authorizations/~hidden~" in caplog.text
    assert ["planted-authorization%3Dtoken" in line for line in sent(peer)] == [True]
    assert PLANTED not in caplog.text


@pytest.mark.parametrize("operation", WITH_TOKEN)
def test_what_watches_http_client_sees_no_token(
    operation: Callable[[KlarnaClient], object],
    peer: Peer,
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    putrequest = http.client.HTTPConnection.putrequest

    def watch(self: http.client.HTTPConnection, method: str, url: str, **options: bool) -> None:
        seen.append(url)
        putrequest(self, method, url, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", watch)
    peer.behaves(answer(200, READ))
    operation(make_client())
    assert [PLANTED in url for url in seen] == [False]
    assert [PLANTED in line for line in sent(peer)] == [True]


@pytest.mark.parametrize("operation", WITH_TOKEN)
@pytest.mark.parametrize(
    "told",
    [
        {"error_code": AUTHORIZATION, "error_messages": [f"Invalid token {AUTHORIZATION}"]},
        {"error_message": AUTHORIZATION, "reason": AUTHORIZATION, "fraud_status": f"<{AUTHORIZATION}>"},
        {"correlation_id": AUTHORIZATION},
        {"error_messages": ["/authorizations/planted-authorization%3Dtoken/order"]},
        {"error_messages": ["x" * 490 + AUTHORIZATION]},
    ],
)
def test_an_error_does_not_repeat_the_token_that_klarna_repeats(
    told: dict[str, object],
    operation: Callable[[KlarnaClient], object],
    peer: Peer,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    calls: list[Call] = []
    peer.behaves(answer(404, told), answer(404, told, Klarna_Correlation_Id=AUTHORIZATION))
    for _ in range(2):
        with pytest.raises(KlarnaError) as caught:
            operation(make_client(on_call=calls.append))
        assert "..." in f"{vars(caught.value)}"
        assert PLANTED not in told_by(caught.value) + caplog.text + repr(calls)


def breaks(connection: object, data: object) -> None:
    raise RuntimeError("a library with a mistake")


@pytest.mark.parametrize("operation", WITH_TOKEN)
@pytest.mark.parametrize(
    "end", ["answered", "silent", "refused", "unsent", "mistake", "no order", "no token"]
)
def test_the_debug_page_has_no_frame_with_the_token(
    end: str,
    operation: Callable[[KlarnaClient], object],
    peer: Peer,
    make_client: MakeClient,
    refused_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = make_client(read_timeout=0.2)
    peer.behaves({"silent": is_silent}.get(end, answer(404)))
    if end == "refused":
        client = make_client(base_url=refused_url)
    elif end == "unsent":
        client = make_client(timeout=1e-9)
    elif end == "mistake":
        monkeypatch.setattr(http.client.HTTPConnection, "send", breaks)
    elif end == "no order":
        monkeypatch.setitem(globals(), "order", session)
        monkeypatch.setitem(globals(), "token_request", session)
    elif end == "no token":
        monkeypatch.setitem(globals(), "AUTHORIZATION", f"{AUTHORIZATION}\n")
    with pytest.raises((KlarnaError, RuntimeError, TypeError, ValueError)) as caught:
        operation(client)
    page = debug_page(caught.value)
    assert "django_klarna/api/orders.py" in page
    assert [secret for secret in TOKENS if secret in page] == []


def debug_page(error: BaseException) -> str:
    return ExceptionReporter(None, type(error), error, error.__traceback__).get_traceback_html()

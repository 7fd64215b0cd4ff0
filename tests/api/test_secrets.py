"""Secrets are planted wherever they can be, and everything that the client tells is searched for them."""

import base64
from collections.abc import Callable

import pytest

from django_klarna.api import (
    Address,
    Attachment,
    Call,
    Customer,
    KlarnaClient,
    KlarnaError,
    MerchantUrls,
    SessionCreate,
)
from tests.api.conftest import Behaviour, MakeClient, Peer, answer, leaves, says_and_leaves
from tests.api.payloads import order_line, session_create
from tests.api.test_failures import told

PLANTED = "planted-"
HIDDEN = (PLANTED, base64.b64encode(b"K123:planted-password").decode(), "Basic ")
CREATED = {"session_id": "s-1", "client_token": "planted-client-token", "brand_new": "planted-new"}
READ = {
    "client_token": "planted-client-token",
    "authorization_token": "planted-authorization-token",
    "billing_address": {"email": "planted-email"},
    "merchant_urls": {"authorization": "https://shop.example/planted-url"},
}
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


@pytest.mark.parametrize("operation", [create, read, update])
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
        out = told(error)
    logged = [f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records]
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert any(record.name == "django_klarna.api" for record in caplog.records)
    out += "".join(logged) + repr(calls) + repr(client) + repr(vars(client)) + repr(session())
    assert [secret for secret in HIDDEN if secret in out] == []


@pytest.mark.parametrize("operation", [create, read, update])
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
    out = told(caught.value) + caplog.text + repr(vars(client)) + repr(vars(client._transport))
    assert [secret for secret in HIDDEN if secret in out] == []

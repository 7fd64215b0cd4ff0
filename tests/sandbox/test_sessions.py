"""Sessions as Klarna keeps them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from django_klarna.sandbox import Sandbox
from tests.sandbox.conftest import Client, bad_fields, basic, parsed

HOURS = 3600


def test_create_answers_id_token_and_categories(client: Client, cart: dict[str, Any]) -> None:
    response = client.create(cart)
    content = parsed(response)
    assert response.status == 200
    assert set(content) == {"session_id", "client_token", "payment_method_categories"}
    assert str(uuid.UUID(content["session_id"])) == content["session_id"]
    (category,) = content["payment_method_categories"]
    assert (category["identifier"], category["name"]) == ("klarna", "Pay with Klarna")
    assert category["asset_urls"]["standard"] == "http://127.0.0.1:8100/kp/lib/v1/badge.svg"


def test_client_token_is_a_jwt_that_leads_to_the_session(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart | {"locale": "sv-SE"})
    assert jwt.get_unverified_header(created["client_token"])["alg"] == "HS256"
    assert jwt.decode(created["client_token"], options={"verify_signature": False}) == {
        "session_id": created["session_id"],
        "base_url": "http://127.0.0.1:8100",
        "language": "sv-SE",
        "purchase_country": "SE",
    }


def test_read_returns_what_was_sent_and_what_klarna_added(client: Client, cart: dict[str, Any]) -> None:
    extra = {
        "intent": "buy",
        "locale": "sv-SE",
        "merchant_reference1": "1001",
        "merchant_reference2": "key",
        "merchant_data": "{}",
        "attachment": {"content_type": "application/vnd.klarna.internal.emd-v2+json", "body": "{}"},
        "options": {"color_text": "#112233"},
    }
    created = client.created(cart | extra)
    response = client.read(created["session_id"])
    content = parsed(response)
    assert response.status == 200
    expires_at = content.pop("expires_at")
    assert content == {
        **cart,
        **extra,
        "client_token": created["client_token"],
        "payment_method_categories": created["payment_method_categories"],
        "status": "incomplete",
    }
    assert expires_at.endswith("Z")
    left = datetime.fromisoformat(expires_at) - datetime.now(UTC)
    assert timedelta(hours=47, minutes=59) < left <= timedelta(hours=48)


def test_read_gives_the_default_locale(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart)
    assert parsed(client.read(created["session_id"]))["locale"] == "en-US"


def test_read_keeps_people_and_the_authorization_url_back(client: Client, cart: dict[str, Any]) -> None:
    urls = {name: f"https://shop.example/{name}" for name in ("confirmation", "notification", "push")}
    people = {
        "customer": {"type": "person"},
        "billing_address": {"country": "SE", "given_name": "Alice"},
        "shipping_address": {"country": "SE", "given_name": "Alice"},
    }
    secret = {"authorization": "https://shop.example/secret"}
    created = client.created(cart | people | {"merchant_urls": urls | secret})
    content = parsed(client.read(created["session_id"]))
    assert not set(content) & set(people)
    assert content["merchant_urls"] == urls
    assert client.sandbox.sessions[created["session_id"]].content["customer"] == {"type": "person"}


def test_update_merges_the_top_level_and_replaces_the_lines(client: Client, cart: dict[str, Any]) -> None:
    created = client.created(cart | {"locale": "sv-SE", "merchant_urls": {"push": "https://a.example"}})
    changes = {
        "order_amount": 20000,
        "order_tax_amount": 4000,
        "order_lines": cart["order_lines"][:1],
        "merchant_urls": {"confirmation": "https://b.example"},
    }
    response = client.update(created["session_id"], changes)
    assert (response.status, response.body) == (204, b"")
    assert response.headers["Klarna-Correlation-Id"]
    content = parsed(client.read(created["session_id"]))
    assert {key: content[key] for key in changes} == changes
    assert (content["purchase_country"], content["locale"]) == ("SE", "sv-SE")
    assert content["client_token"] == created["client_token"]


def test_update_is_checked_as_a_whole_new_session_and_else_changes_nothing(
    client: Client, cart: dict[str, Any]
) -> None:
    session_id = client.created(cart)["session_id"]
    before = parsed(client.read(session_id))
    assert bad_fields(client.update(session_id, {"order_amount": 1})) == ["order_amount"]
    assert bad_fields(client.update(session_id, {"purchase_country": "NO"})) == ["purchase_currency"]
    assert bad_fields(client.update(session_id, {"order_lines": []})) == ["order_lines"]
    assert parsed(client.read(session_id)) == before


def test_read_only_and_unknown_fields_are_ignored(client: Client, cart: dict[str, Any]) -> None:
    sent = {"status": "complete", "expires_at": "2000-01-01T00:00:00Z", "client_token": 5, "surprise": 1}
    session_id = client.created(cart | sent)["session_id"]
    content = parsed(client.read(session_id))
    assert (content["status"], content["client_token"] == 5, "surprise" in content) == (
        "incomplete",
        False,
        False,
    )
    assert client.update(session_id, sent).status == 204
    assert parsed(client.read(session_id)) == content


@pytest.mark.parametrize("session_id", ["nothing", str(uuid.UUID(int=7))])
def test_unknown_session(client: Client, cart: dict[str, Any], session_id: str) -> None:
    for response in (client.read(session_id), client.update(session_id, cart)):
        content = parsed(response)
        assert (response.status, content["error_code"]) == (404, "NOT_FOUND")
        assert content["error_messages"] == ["Invalid session id"]
        assert content["correlation_id"] == response.headers["Klarna-Correlation-Id"]


def test_session_of_other_credentials_is_unknown(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    other = Client(client.sandbox, basic("K999_other", "secret"))
    assert other.read(session_id).status == 404
    assert other.update(session_id, {"locale": "sv-SE"}).status == 404
    assert Client(client.sandbox, basic("K123_shop", "rotated")).read(session_id).status == 200


def test_session_expires_48_hours_after_it_was_made(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.advance(47 * HOURS)
    assert client.update(session_id, {"locale": "sv-SE"}).status == 204
    client.sandbox.advance(HOURS)
    assert parsed(client.read(session_id))["error_messages"] == ["Invalid session id"]
    assert client.update(session_id, {"locale": "sv-SE"}).status == 404


def test_update_extends_the_life_when_asked_to(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(update_extends_expiry=True))
    session_id = client.created(cart)["session_id"]
    client.sandbox.advance(47 * HOURS)
    assert client.update(session_id, {"locale": "sv-SE"}).status == 204
    client.sandbox.advance(47 * HOURS)
    assert client.read(session_id).status == 200


def test_completed_session_can_be_read_and_not_changed(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.complete(session_id)
    assert parsed(client.read(session_id))["status"] == "complete"
    response = client.update(session_id, {"locale": "sv-SE"})
    assert (response.status, parsed(response)["error_code"]) == (404, "SESSION_COMPLETED")


def test_every_json_answer_has_its_own_correlation_id(client: Client, cart: dict[str, Any]) -> None:
    created = client.create(cart)
    session_id = parsed(created)["session_id"]
    answers = [created, client.read(session_id), client.update(session_id, {}), client.create({})]
    ids = [response.headers["Klarna-Correlation-Id"] for response in answers]
    assert len({uuid.UUID(correlation_id) for correlation_id in ids}) == 4

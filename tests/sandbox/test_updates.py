"""What becomes of a session when it is updated, by each reading of what Klarna leaves open."""

from typing import Any

import pytest

from django_klarna.sandbox import Sandbox
from tests.sandbox.conftest import Client, bad_fields

URLS = {"push": "https://a.example", "confirmation": "https://a.example/thanks"}


def content(client: Client, session_id: str) -> dict[str, Any]:
    return client.sandbox.sessions[session_id].content


def updated(client: Client, cart: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    session_id = client.created(cart)["session_id"]
    assert client.update(session_id, changes).status == 204
    return content(client, session_id)


def test_left_out_fields_are_kept_and_objects_replaced(client: Client, cart: dict[str, Any]) -> None:
    after = updated(client, cart | {"merchant_urls": URLS}, {"merchant_urls": {"push": "https://b.example"}})
    assert after == cart | {"merchant_urls": {"push": "https://b.example"}}


def test_objects_may_be_merged(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(update_merges_objects=True))
    changes = {"merchant_urls": {"push": "https://b.example"}, "options": {"color_text": "#000000"}}
    after = updated(client, cart | {"merchant_urls": URLS}, changes)
    assert after["merchant_urls"] == URLS | {"push": "https://b.example"}
    assert after["options"] == {"color_text": "#000000"}


def test_lists_are_replaced_all_the_same(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(update_merges_objects=True))
    lines = cart["order_lines"][:1]
    after = updated(client, cart, {"order_lines": lines, "order_amount": 20000, "order_tax_amount": 4000})
    assert after["order_lines"] == lines


@pytest.mark.parametrize("field", ["merchant_urls", "locale"])
def test_null_is_a_bad_value(client: Client, cart: dict[str, Any], field: str) -> None:
    session_id = client.created(cart | {"merchant_urls": URLS, "locale": "sv-SE"})["session_id"]
    assert bad_fields(client.update(session_id, {field: None})) == [field]
    assert bad_fields(client.update(session_id, {"merchant_urls": {"push": None}})) == ["merchant_urls.push"]


def test_null_may_remove_a_field(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(update_clears_null=True))
    assert updated(client, cart | {"merchant_urls": URLS}, {"merchant_urls": None, "locale": None}) == cart
    session_id = client.created(cart)["session_id"]
    assert bad_fields(client.update(session_id, {"order_lines": None})) == ["order_lines"]


def test_null_may_remove_a_field_of_a_merged_object(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(update_merges_objects=True, update_clears_null=True))
    after = updated(client, cart | {"merchant_urls": URLS}, {"merchant_urls": {"push": None}})
    assert after["merchant_urls"] == {"confirmation": "https://a.example/thanks"}


@pytest.mark.parametrize(
    ("before", "sent", "after"),
    [
        ({"type": "person"}, {"type": "organization"}, {"type": "person"}),
        (
            {"type": "organization"},
            {"type": "person", "vat_id": "SE1"},
            {"type": "organization", "vat_id": "SE1"},
        ),
        ({"type": "organization"}, {"vat_id": "SE1"}, {"type": "organization", "vat_id": "SE1"}),
        ({"gender": "female"}, {"type": "organization"}, {}),
    ],
)
def test_customer_keeps_its_type(
    client: Client, cart: dict[str, Any], before: dict[str, str], sent: dict[str, str], after: dict[str, str]
) -> None:
    assert updated(client, cart | {"customer": before}, {"customer": sent})["customer"] == after


def test_wrong_type_of_customer_is_refused_all_the_same(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    assert bad_fields(client.update(session_id, {"customer": {"type": "cat"}})) == ["customer.type"]
    assert bad_fields(client.update(session_id, {"customer": "cat"})) == ["customer"]


@pytest.mark.parametrize(
    "place", [{"locale": "en-SE"}, {"purchase_country": "NO", "purchase_currency": "NOK"}]
)
def test_place_may_be_changed_when_the_whole_fits(
    client: Client, cart: dict[str, Any], place: dict[str, str]
) -> None:
    assert updated(client, cart, place) == cart | place

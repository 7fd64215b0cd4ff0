"""Authorizations: who gives them, what they are bound to, and how they end."""

import uuid
from typing import Any

import pytest

from django_klarna.sandbox import Sandbox
from tests.sandbox.conftest import Client, basic, parsed, refusal

MINUTES = 60
INVALID = (404, "NOT_FOUND", "Invalid authorization token")
ADDRESS = {"given_name": "Alice", "family_name": "Test", "postal_code": "11148", "country": "SE"}


def states(sandbox: Sandbox) -> list[str]:
    return [authorization.state for authorization in sandbox.authorizations.values()]


# Deciding


def test_approval_gives_a_token(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    result = client.sandbox.authorize(session_id)
    token = result.pop("authorization_token")
    assert str(uuid.UUID(token)) == token
    assert result == {"approved": True, "show_form": True}
    (authorization,) = client.sandbox.authorizations.values()
    assert (authorization.authorization_token, authorization.session_id) == (token, session_id)
    assert (authorization.state, authorization.content) == ("open", cart)
    assert authorization.created_at <= client.sandbox.now


@pytest.mark.parametrize(("decision", "show_form"), [("decline", False), ("close", True)])
def test_no_approval_gives_none(client: Client, cart: dict[str, Any], decision: str, show_form: bool) -> None:
    session_id = client.created(cart)["session_id"]
    result = client.sandbox.authorize(session_id, decision=decision)
    assert result == {"approved": False, "show_form": show_form}
    assert not client.sandbox.authorizations


@pytest.mark.parametrize("decision", ["pending", "reject", "fraud"])
def test_what_an_order_will_be_is_decided_with_an_approval(
    client: Client, cart: dict[str, Any], decision: str
) -> None:
    assert client.token(client.created(cart)["session_id"], decision=decision)


def test_unknown_sessions_and_decisions_are_refused(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    with pytest.raises(ValueError, match="decision: must be one of approve, pending"):
        client.sandbox.authorize(session_id, decision="perhaps")
    with pytest.raises(ValueError, match="data: must be an object"):
        client.sandbox.authorize(session_id, ["x"])  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        client.sandbox.authorize("nothing")


@pytest.mark.parametrize("over", ["complete", "expired"])
def test_session_that_is_over_is_not_authorized(client: Client, cart: dict[str, Any], over: str) -> None:
    session_id = client.created(cart)["session_id"]
    if over == "complete":
        client.sandbox.complete(session_id)
    else:
        client.sandbox.advance(48 * 60 * MINUTES)
    result = client.sandbox.authorize(session_id)
    assert (result["approved"], result["show_form"]) == (False, False)
    assert result["error"]["error_code"] == {"complete": "SESSION_COMPLETED", "expired": "NOT_FOUND"}[over]


# Data


def test_data_are_merged_into_the_session(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    lines = cart["order_lines"][:1]
    sums = {"order_lines": lines, "order_amount": 20000, "order_tax_amount": 4000}
    token = client.token(session_id, {"billing_address": ADDRESS, **sums})
    whole = cart | sums | {"billing_address": ADDRESS}
    assert client.sandbox.sessions[session_id].content == whole
    assert client.sandbox.authorizations[token].content == whole


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"billing_address": ADDRESS | {"postal_code": "1" * 11}}, ["billing_address.postal_code"]),
        ({"customer": {"type": "cat"}, "locale": 5}, ["customer.type", "locale"]),
        ({"order_amount": 1}, ["order_amount"]),
    ],
)
def test_wrong_data_are_named_and_change_nothing(
    client: Client, cart: dict[str, Any], data: dict[str, Any], fields: list[str]
) -> None:
    session_id = client.created(cart)["session_id"]
    result = client.sandbox.authorize(session_id, data)
    assert (result["approved"], result["show_form"]) == (False, True)
    assert sorted(result["error"]["invalid_fields"]) == fields
    assert client.sandbox.sessions[session_id].content == cart
    assert not client.sandbox.authorizations


def test_data_stay_when_klarna_declines(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.authorize(session_id, {"billing_address": ADDRESS}, decision="decline")
    assert client.sandbox.sessions[session_id].content["billing_address"] == ADDRESS


# Reading


def test_read_shows_people_and_token_after_the_authorization(client: Client, cart: dict[str, Any]) -> None:
    customer = {"date_of_birth": "1970-07-10", "national_identification_number": "1", "last_four_ssn": "1234"}
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id, {"billing_address": ADDRESS, "customer": customer})
    content = parsed(client.read(session_id))
    assert content["billing_address"] == ADDRESS
    assert content["customer"] == {"date_of_birth": "1970-07-10"}
    assert content["authorization_token"] == token


def test_read_shows_no_token_that_is_of_no_use(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    assert "authorization_token" not in parsed(client.read(session_id))
    client.cancel(client.token(session_id))
    assert "authorization_token" not in parsed(client.read(session_id))
    client.token(session_id)
    client.sandbox.advance(60 * MINUTES)
    assert "authorization_token" not in parsed(client.read(session_id))
    client.placed(client.token(session_id), cart)
    assert "authorization_token" not in parsed(client.read(session_id))


def test_read_may_keep_the_token_back(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.token(session_id, {"billing_address": ADDRESS})
    client.sandbox.read_shows_authorization_token = False
    content = parsed(client.read(session_id))
    assert ("authorization_token" in content, content["billing_address"]) == (False, ADDRESS)


# The end of a token


def test_new_authorization_ends_the_older_one(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    older, newer = (client.token(session_id) for _ in range(2))
    assert states(client.sandbox) == ["superseded", "open"]
    for response in (client.place(older, cart), client.cancel(older), client.purchase(older, {})):
        assert refusal(response) == INVALID
    assert client.place(newer, cart).status == 200


def test_decline_leaves_the_older_one(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id)
    client.sandbox.authorize(session_id, decision="decline")
    assert client.place(token, cart).status == 200


def test_token_is_good_for_60_minutes(client: Client, cart: dict[str, Any]) -> None:
    first, second = (client.token(client.created(cart)["session_id"]) for _ in range(2))
    client.sandbox.advance(59 * MINUTES)
    assert client.place(first, cart).status == 200
    client.sandbox.advance(MINUTES)
    for response in (client.place(second, cart), client.cancel(second), client.purchase(second, {})):
        assert refusal(response) == INVALID


def test_token_dies_with_its_session(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.advance(47.5 * 60 * MINUTES)
    token = client.token(session_id)
    client.sandbox.advance(30 * MINUTES)
    assert refusal(client.place(token, cart)) == INVALID


def test_unknown_tokens_and_those_of_others(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(client.created(cart)["session_id"])
    other = Client(client.sandbox, basic("K999_other", "secret"))
    for who, what in ((other, token), (client, "nothing"), (client, str(uuid.uuid4()))):
        for response in (who.place(what, cart), who.cancel(what), who.purchase(what, {})):
            assert refusal(response) == INVALID
    assert states(client.sandbox) == ["open"]


def test_update_ends_the_token(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id)
    assert client.update(session_id, {"order_amount": 1}).status == 400
    assert states(client.sandbox) == ["open"]
    assert client.update(session_id, {"locale": "sv-SE"}).status == 204
    assert refusal(client.place(token, cart)) == INVALID


def test_update_may_leave_the_token_bound_to_what_was_authorized(
    client: Client, cart: dict[str, Any]
) -> None:
    client.sandbox.update_voids_authorization = False
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id)
    lines = cart["order_lines"][:1]
    changes = {"order_lines": lines, "order_amount": 20000, "order_tax_amount": 4000}
    assert client.update(session_id, changes).status == 204
    assert client.place(token, cart).status == 200


def test_cancelled_token_is_of_no_use_and_the_session_is(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id)
    response = client.cancel(token)
    assert (response.status, response.body) == (204, b"")
    assert response.headers["Klarna-Correlation-Id"]
    assert refusal(client.cancel(token)) == INVALID
    assert refusal(client.place(token, cart)) == INVALID
    assert client.place(client.token(session_id), cart).status == 200
    assert states(client.sandbox) == ["cancelled", "consumed"]


def test_used_token_cannot_be_cancelled(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(client.created(cart)["session_id"])
    client.placed(token, cart)
    assert refusal(client.cancel(token)) == INVALID
    assert states(client.sandbox) == ["consumed"]


def test_calls_say_which_session_and_token_they_were_about(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    token = client.token(session_id)
    client.cancel(token)
    client.cancel("nothing")
    known, unknown = client.control("GET", "calls")[1][1:]
    assert (known["operation"], known["session_id"], known["authorization_token"]) == (
        "cancel_authorization",
        session_id,
        token,
    )
    assert (unknown["authorization_token"], "session_id" in unknown) == ("nothing", False)


# Switches


def test_switches_are_put_back(cart: dict[str, Any]) -> None:
    sandbox = Sandbox(replayed_order="consumed", update_voids_authorization=False)
    sandbox.replayed_order = "completed"
    sandbox.update_voids_authorization = True
    sandbox.read_shows_authorization_token = False
    sandbox.reset()
    assert (sandbox.replayed_order, sandbox.update_voids_authorization) == ("consumed", False)
    assert sandbox.read_shows_authorization_token is True


def test_reset_forgets_authorizations_and_orders(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(client.created(cart)["session_id"])
    client.placed(token, cart)
    client.sandbox.reset()
    assert (len(client.sandbox.authorizations), len(client.sandbox.orders)) == (0, 0)
    assert refusal(client.place(token, cart)) == INVALID

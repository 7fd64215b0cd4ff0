"""What Klarna's agreement with a merchant decides."""

from typing import Any

import pytest

from django_klarna.sandbox import Merchant, Sandbox
from django_klarna.sandbox.categories import COUNTRIES_BY_CATEGORY, NAMES
from django_klarna.sandbox.markets import CURRENCIES
from tests.sandbox.conftest import Client, bad_fields, basic, parsed

US = {"purchase_country": "US", "purchase_currency": "USD"}


def identifiers(content: dict[str, Any]) -> list[str]:
    return [category["identifier"] for category in content["payment_method_categories"]]


@pytest.mark.parametrize("region", ["eu", "na", "oc"])
def test_account_of_another_region_looks_like_wrong_credentials(cart: dict[str, Any], region: str) -> None:
    merchants = {name: Merchant(region=name) for name in ("eu", "na", "oc")} | {"any": Merchant()}
    sandbox = Sandbox(region=region, merchants=merchants)
    at_home = {
        name for name in merchants if Client(sandbox, basic(name, "secret")).create(cart).status == 200
    }
    assert at_home == {region, "any"}
    foreign = Client(sandbox, basic("oc" if region == "eu" else "eu", "secret")).create(cart)
    assert (foreign.status, foreign.headers["Content-Type"]) == (401, "text/html")


def test_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="region: must be one of eu, na, oc"):
        Sandbox(region="us")


def test_inactive_merchant_may_do_nothing(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    client.sandbox.merchants["K123_shop"] = Merchant(active=False)
    for response in (client.create(cart), client.read(session_id), client.update(session_id, {})):
        assert (response.status, parsed(response)["error_code"]) == (403, "MERCHANT_INACTIVE")
    assert Client(client.sandbox, basic("K2", "secret")).create(cart).status == 200


def test_country_outside_the_agreement(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.merchants["K123_shop"] = Merchant(countries=["SE"])
    session_id = client.created(cart)["session_id"]
    refused = ["purchase_country", "purchase_currency"]
    assert bad_fields(client.create(cart | US)) == refused
    assert bad_fields(client.update(session_id, US)) == refused
    assert client.create(cart | {"purchase_country": "se"}).status == 200


@pytest.mark.parametrize(
    ("asked", "country", "offered"),
    [
        (["klarna"], "SE", ["klarna"]),
        (["klarna"], "NZ", ["klarna"]),
        (["pay_now", "pay_later", "direct_debit"], "SE", ["pay_later", "pay_now", "direct_debit"]),
        (["pay_now", "pay_later", "direct_debit"], "US", ["pay_now"]),
        (["pay_later"], "US", []),
        ([], "SE", []),
    ],
)
def test_categories_are_those_asked_for_that_the_market_has(
    client: Client, cart: dict[str, Any], asked: list[str], country: str, offered: list[str]
) -> None:
    client.sandbox.merchants["K123_shop"] = Merchant(categories=asked)
    market = {"purchase_country": country, "purchase_currency": CURRENCIES[country]}
    created = client.created(cart | market)
    assert identifiers(created) == offered
    assert (
        parsed(client.read(created["session_id"]))["payment_method_categories"]
        == (created["payment_method_categories"])
    )
    assert all(category["name"] for category in created["payment_method_categories"])
    widget = Client(client.sandbox, f"Bearer {created['client_token']}").send("GET", "/kp/lib/v1/session")
    assert parsed(widget)["payment_method_categories"] == offered


def test_the_table_of_categories_names_markets_and_every_category() -> None:
    assert {"klarna", *COUNTRIES_BY_CATEGORY} == set(NAMES)
    for countries in COUNTRIES_BY_CATEGORY.values():
        assert countries <= CURRENCIES.keys()
    assert frozenset().union(*COUNTRIES_BY_CATEGORY.values()) == CURRENCIES.keys()


def test_merchants_are_set_and_listed(client: Client, cart: dict[str, Any]) -> None:
    given = {"region": "na", "active": True, "countries": ["US", "CA"], "categories": ["pay_later"]}
    default = {"region": None, "active": False, "countries": None, "categories": ["klarna"]}
    assert client.control("POST", "merchants", {"user": "N1", **given}) == (200, {"N1": given})
    assert client.control("POST", "merchants", {"active": False}) == (200, {"N1": given, "*": default})
    assert client.control("GET", "merchants") == (200, {"N1": given, "*": default})
    assert client.create(cart).status == 403
    assert Client(client.sandbox, basic("N1", "secret")).create(cart).status == 401


def test_sets_are_listed_too(client: Client) -> None:
    client.sandbox.merchants["K1"] = Merchant(countries={"SE", "NO"}, categories=frozenset(("klarna",)))
    listed = client.control("GET", "merchants")[1]["K1"]
    assert (listed["countries"], listed["categories"]) == (["NO", "SE"], ["klarna"])


def test_reset_goes_back_to_the_merchants_given(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(merchants={"K123_shop": Merchant(active=False)}))
    client.control("POST", "merchants", {"user": "K123_shop"})
    client.control("POST", "merchants", {"user": "K2", "active": False})
    assert client.create(cart).status == 200
    client.control("POST", "reset")
    assert client.create(cart).status == 403
    assert Client(client.sandbox, basic("K2", "secret")).create(cart).status == 200


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("region", {"region": "us"}),
        ("region", {"region": ["eu"]}),
        ("active", {"active": "no"}),
        ("countries", {"countries": "SE"}),
        ("countries", {"countries": ["XX"]}),
        ("countries", {"countries": [["SE"]]}),
        ("categories", {"categories": None}),
        ("categories", {"categories": ["pay_never"]}),
        ("user", {"user": 5}),
        ("usr", {"usr": "K1"}),
    ],
)
def test_bad_merchant_is_refused_by_the_name_of_its_field(
    client: Client, field: str, content: object
) -> None:
    status, answer = client.control("POST", "merchants", content)
    assert status == 400
    assert answer["error"].startswith(f"{field}: ")
    assert client.control("GET", "merchants") == (200, {})


def test_order_is_placed_by_hand(client: Client, cart: dict[str, Any]) -> None:
    session_id = client.created(cart)["session_id"]
    assert client.control("POST", "complete", {"session_id": session_id}) == (200, {})
    assert parsed(client.read(session_id))["status"] == "complete"


@pytest.mark.parametrize("content", [None, {}, {"session_id": "x"}, {"session_id": ["x"]}])
def test_order_of_no_session(client: Client, content: object) -> None:
    status, answer = client.control("POST", "complete", content)
    assert status == 400
    assert answer["error"].startswith("session_id: ")

"""The endpoints of a purchase as a page uses them, and as others try to."""

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import Address, Customer, OrderLine, Session
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaOrder, KlarnaSession, OrderState, State
from django_klarna.sandbox import Sandbox
from tests.sandboxes import at_klarna
from tests.shop.delivering import DeliveringAdapter, WrongDataAdapter
from tests.shop.models import Cart, CartLine, Order

if TYPE_CHECKING:
    # Only the stubs have a name for a response with what the test client adds to it.
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

pytestmark = pytest.mark.django_db(transaction=True)

SESSION, ATTEMPT, AUTHORIZATION = "/klarna/session/", "/klarna/attempt/", "/klarna/authorization/"


def post(client: Client, url: str, body: object = None, method: str = "POST") -> "Answer":
    content = "" if body is None else json.dumps(body)
    return client.generic(method, url, content, content_type="application/json")


@pytest.fixture
def delivering(settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.DeliveringAdapter"


@pytest.fixture
def wrong_data(settings: Settings) -> Iterator[type[WrongDataAdapter]]:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.WrongDataAdapter"
    yield WrongDataAdapter
    WrongDataAdapter.data = None


class Page:
    """A checkout page: what it fetches before the click, and what it does with Klarna's answer."""

    def __init__(self, klarna: Sandbox, shopper: Client) -> None:
        self.klarna = klarna
        self.shopper = shopper

    def opens(self) -> dict[str, Any]:
        assert post(self.shopper, SESSION).status_code == 200
        answer = post(self.shopper, ATTEMPT)
        assert answer.status_code == 200
        attempt: dict[str, Any] = answer.json()
        self.attempt = attempt
        return attempt

    def authorizes(self, decision: str = "approve") -> dict[str, str]:
        attempt = self.opens()
        session = str(KlarnaSession.objects.get(live=True).session_id)
        answer = self.klarna.authorize(session, attempt["data"], decision=decision)
        return {"attempt": attempt["attempt"], "authorization_token": answer["authorization_token"]}

    def buys(self, decision: str = "approve") -> "Answer":
        return post(self.shopper, AUTHORIZATION, self.authorizes(decision))


@pytest.fixture
def page(klarna: Sandbox, shopper: Client) -> Page:
    return Page(klarna, shopper)


def test_purchase(klarna: Sandbox, page: Page) -> None:
    answer = page.buys()

    assert answer.status_code == 200
    (order_id,) = klarna.orders
    assert answer.json() == {"state": "placed", "redirect_url": KlarnaOrder.objects.get().redirect_url}
    assert answer.json()["redirect_url"].startswith(klarna.base_url)
    assert Order.objects.get().klarna_order_id == order_id
    assert "no-store" in answer["Cache-Control"]


def test_pending_purchase(page: Page) -> None:
    assert page.buys("pending").json()["state"] == "pending"


@pytest.mark.parametrize("decision", ["reject", "fraud"])
def test_rejected_purchase(page: Page, decision: str) -> None:
    answer = page.buys(decision)

    assert (answer.status_code, answer.json()["code"], answer.json()["next"]) == (409, "declined", "hide")
    assert not Order.objects.exists()


def test_same_request_again_gives_the_same_answer(klarna: Sandbox, page: Page) -> None:
    told = page.authorizes()
    answers = [post(page.shopper, AUTHORIZATION, told).json() for _time in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert len(klarna.orders) == Order.objects.count() == 1


@pytest.mark.usefixtures("delivering")
def test_order_says_what_authorize_said_byte_for_byte(klarna: Sandbox, page: Page) -> None:
    told = page.authorizes()
    before = at_klarna(klarna, KlarnaSession.objects.get()).content
    assert post(page.shopper, AUTHORIZATION, told).status_code == 200

    (order,) = klarna.orders.values()
    shared = order.body.keys() & {*before, "billing_address", "shipping_address"}
    for name in shared - {"merchant_reference1", "merchant_reference2"}:
        assert json.dumps(order.body[name], sort_keys=True) == json.dumps(before[name], sort_keys=True)
    assert order.body["billing_address"] == page.attempt["data"]["billing_address"]
    assert order.body["billing_address"]["postal_code"] == DeliveringAdapter.address.postal_code == " 111  48"
    assert order.body["merchant_reference1"] == KlarnaOrder.objects.get().merchant_reference1 != ""


@pytest.mark.usefixtures("delivering")
def test_nothing_personal_is_told_before_the_click(klarna: Sandbox, page: Page) -> None:
    attempt = page.opens()

    assert attempt["data"]["billing_address"]["city"] == "Stockholm"
    assert "Stockholm" not in json.dumps([call.body for call in klarna.calls])
    assert "Stockholm" not in json.dumps(KlarnaSession.objects.get().payload)


def test_company(klarna: Sandbox, page: Page, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.CompanyAdapter"

    assert page.buys().status_code == 200

    customer = {"type": "organization", "organization_registration_id": "556737-0431"}
    assert page.attempt["data"] == {"customer": customer}
    assert [order.body["customer"] for order in klarna.orders.values()] == [customer]


@pytest.mark.parametrize(
    ("data", "path", "rule"),
    [
        (
            Session(billing_address=Address(postal_code="12345678901")),
            "/billing_address/postal_code",
            "max_length",
        ),
        (Session(order_amount=1), "/order_amount", "authorize_data"),
        (
            Session(order_lines=[OrderLine(name="x", quantity=1, unit_price=1, total_amount=1)]),
            "/order_lines",
            "authorize_data",
        ),
        (Session(customer=Customer(type="organization")), "/customer/type", "customer_type"),
    ],
)
def test_wrong_data_are_named_before_the_click(
    page: Page, wrong_data: type[WrongDataAdapter], data: object, path: str, rule: str
) -> None:
    post(page.shopper, SESSION)
    WrongDataAdapter.data = data

    answer = post(page.shopper, ATTEMPT)

    assert (answer.status_code, answer.json()["code"]) == (409, "cart_not_payable")
    assert [(each["path"], each["rule"]) for each in answer.json()["reasons"]] == [(path, rule)]
    assert not KlarnaAuthorization.objects.exists()


def test_data_of_another_type_are_a_mistake_of_the_shop(
    page: Page, wrong_data: type[WrongDataAdapter]
) -> None:
    post(page.shopper, SESSION)
    WrongDataAdapter.data = {"billing_address": {}}

    with pytest.raises(TypeError, match=r"WrongDataAdapter.authorize_data\(\) gave no Session"):
        post(page.shopper, ATTEMPT)


def test_attempt_is_prepared_once_for_the_same(page: Page, wrong_data: type[WrongDataAdapter]) -> None:
    first, second = page.opens(), page.opens()
    WrongDataAdapter.data = Session(billing_address=Address(city="Kiruna"))
    third = page.opens()
    CartLine.objects.update(quantity=2)
    fourth = page.opens()

    assert first == second
    assert len({attempt["attempt"] for attempt in (first, third, fourth)}) == 3


@pytest.mark.parametrize("is_changed", [True, False])
def test_attempt_needs_a_session_that_equals_the_cart(page: Page, is_changed: bool) -> None:
    if is_changed:
        post(page.shopper, SESSION)
        CartLine.objects.update(quantity=2)

    answer = post(page.shopper, ATTEMPT)

    assert (answer.status_code, answer.json()["code"], answer.json()["next"]) == (
        409,
        "session_stale",
        "session",
    )


def test_changed_cart_is_not_bought_and_the_page_asks_again(klarna: Sandbox, page: Page) -> None:
    told = page.authorizes()
    CartLine.objects.update(quantity=2)

    answer = post(page.shopper, AUTHORIZATION, told)

    assert answer.status_code == 409
    assert {name: answer.json()[name] for name in ("code", "reason", "next")} == {
        "code": "authorize_again",
        "reason": "cart_changed",
        "next": "authorize",
    }
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]
    assert page.buys().status_code == 200
    assert [order.body["order_amount"] for order in klarna.orders.values()] == [44700]


def test_open_outcome_is_asked_for_again(klarna: Sandbox, page: Page, settings: Settings) -> None:
    settings.KLARNA_ORDER_TIMEOUT = 1
    told = page.authorizes()
    klarna.fail_next("create_order", drop="after", count=100)

    answer = post(page.shopper, AUTHORIZATION, told)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    shown = page.shopper.get(SESSION).json()
    assert (shown["state"], shown["client_token"], shown["payment_method_categories"]) == (
        "placing",
        None,
        [],
    )
    too_late = post(page.shopper, AUTHORIZATION, told, "DELETE")
    assert (too_late.status_code, too_late.json()["code"]) == (409, "placing")
    klarna.clear_faults()
    assert post(page.shopper, AUTHORIZATION, {}).json()["state"] == "placed"


def test_reload_after_the_approval_goes_on(klarna: Sandbox, page: Page, cart: Cart) -> None:
    told = page.authorizes()
    services.receive_authorization(cart=cart, attempt=told["attempt"], token=told["authorization_token"])

    looks = [post(page.shopper, SESSION).json(), page.shopper.get(SESSION).json()]
    assert [(look["state"], look["client_token"]) for look in looks] == [("authorized", None)] * 2
    assert post(page.shopper, ATTEMPT).json()["code"] == "session_stale"

    assert post(page.shopper, AUTHORIZATION, {}).json()["state"] == "placed"
    assert len(klarna.orders) == 1


def test_page_that_comes_back_is_led_to_the_end(page: Page) -> None:
    next_page = page.buys().json()["redirect_url"]

    again = post(page.shopper, SESSION)

    assert (again.status_code, again.json()["redirect_url"]) == (409, next_page)
    assert [reason["rule"] for reason in again.json()["reasons"]] == ["session_completed"]
    assert post(page.shopper, AUTHORIZATION, {}).json()["state"] == "placed"
    too_late = post(page.shopper, AUTHORIZATION, None, "DELETE")
    assert (too_late.status_code, too_late.json()["code"], too_late.json()["redirect_url"]) == (
        409,
        "placed",
        next_page,
    )


def test_order_of_which_the_id_is_not_known_is_pending_to_the_shopper(klarna: Sandbox, page: Page) -> None:
    klarna.replayed_order = "consumed"
    told = page.authorizes()
    klarna.fail_next("create_order", drop="after")

    answer = post(page.shopper, AUTHORIZATION, told)

    assert answer.json() == {"state": "pending", "redirect_url": "https://shop.example/thanks/"}


def test_nothing_to_go_on_with(page: Page) -> None:
    page.opens()
    KlarnaSession.objects.update(state=State.AUTHORIZED)  # as if the last token had ended in a crash

    answer = post(page.shopper, AUTHORIZATION, {})

    assert (answer.status_code, answer.json()["code"], answer.json()["next"]) == (
        409,
        "unknown_attempt",
        "authorize",
    )
    assert post(page.shopper, SESSION).json()["state"] == "open"


def test_stranger_cannot_use_what_a_shopper_authorized(
    klarna: Sandbox, page: Page, make_cart: Any, client: Client
) -> None:
    told = page.authorizes()
    stranger = Client()
    session = stranger.session
    session["cart_id"] = make_cart().pk
    session.save()
    stranger.cookies["sessionid"] = str(session.session_key)

    assert post(stranger, AUTHORIZATION, told).json()["code"] == "unknown_attempt"
    assert post(stranger, AUTHORIZATION, told, "DELETE").status_code == 204
    assert [one.state for one in klarna.authorizations.values()] == ["open"]
    assert post(page.shopper, AUTHORIZATION, told).status_code == 200


@pytest.mark.parametrize("is_told", [True, False])
def test_other_way_to_pay_frees_the_authorization(
    klarna: Sandbox, page: Page, cart: Cart, is_told: bool
) -> None:
    told = page.authorizes()
    if is_told:
        services.receive_authorization(cart=cart, attempt=told["attempt"], token=told["authorization_token"])

    answer = post(page.shopper, AUTHORIZATION, {} if is_told else told, "DELETE")

    assert (answer.status_code, answer.content) == (204, b"")
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]
    assert KlarnaAuthorization.objects.get().state == Attempt.CANCELLED
    assert post(page.shopper, AUTHORIZATION, None, "DELETE").status_code == 204
    assert page.buys().status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"attempt": "x"},
        {"authorization_token": "x"},
        {"attempt": "x" * 33, "authorization_token": "x"},
        {"attempt": "x", "authorization_token": "x" * 256},
        {"attempt": "x", "authorization_token": "../order"},
        {"attempt": "x", "authorization_token": "a b"},
        {"attempt": "x", "authorization_token": "a?b"},
        {"attempt": "x", "authorization_token": ".."},
        {"attempt": "x", "authorization_token": "…"},
        {"attempt": [], "authorization_token": {}},
        [],
        "x",
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_wrong_body_is_refused(klarna: Sandbox, page: Page, body: object, method: str) -> None:
    answer = post(page.shopper, AUTHORIZATION, body, method)

    assert answer.status_code == 400
    assert not klarna.calls


def test_made_up_token_orders_nothing(klarna: Sandbox, page: Page) -> None:
    attempt = page.opens()["attempt"]

    answer = post(page.shopper, AUTHORIZATION, {"attempt": attempt, "authorization_token": "made-up"})

    assert (answer.status_code, answer.json()["code"]) == (409, "authorize_again")
    assert page.buys().status_code == 200


@pytest.mark.parametrize("url", [ATTEMPT, AUTHORIZATION])
def test_csrf_is_enforced_for_anonymous_shoppers(klarna: Sandbox, shopper: Client, url: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = shopper.cookies

    assert post(strict, url).status_code == 403


@pytest.mark.parametrize("url", [ATTEMPT, AUTHORIZATION])
def test_no_cart_no_purchase(klarna: Sandbox, client: Client, url: str) -> None:
    answer = post(client, url)

    assert (answer.status_code, [each["rule"] for each in answer.json()["reasons"]]) == (409, ["no_cart"])


@pytest.mark.parametrize(
    ("url", "scope", "method"),
    [
        (ATTEMPT, "attempt", "POST"),
        (AUTHORIZATION, "authorization", "POST"),
        (AUTHORIZATION, "authorization", "DELETE"),
    ],
)
def test_visitor_may_not_ask_without_end(
    klarna: Sandbox, shopper: Client, settings: Settings, url: str, scope: str, method: str
) -> None:
    settings.KLARNA_THROTTLE_RATES = {scope: "2/min"}

    answers = [post(shopper, url, method=method) for _time in range(3)]

    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert int(answers[2]["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://pay.klarna.com/eu/redirect/x", True),
        ("https://klarna.com/x", True),
        ("http://pay.klarna.com/x", False),
        ("https://klarna.com.attacker.example/x", False),
        ("https://attackerklarna.com/x", False),
        ("javascript:alert(1)", False),
        ("//attacker.example", False),
    ],
)
def test_shopper_is_sent_to_klarna_or_to_the_shop_only(
    klarna: Sandbox, page: Page, url: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told = page.authorizes()
    sent_by = klarna.base_url
    klarna.base_url = url
    try:
        answer = post(page.shopper, AUTHORIZATION, told)
    finally:
        klarna.base_url = sent_by

    next_page = answer.json()["redirect_url"]
    assert next_page.startswith(url) if kept else next_page == "https://shop.example/thanks/"
    assert ("A redirect URL is not Klarna's, and is not followed" in caplog.messages) != kept


def test_no_token_or_address_is_logged(
    klarna: Sandbox, page: Page, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.delivering.DeliveringAdapter"
    with caplog.at_level(logging.DEBUG):
        told = page.authorizes()
        klarna.fail_next("create_order", status=500)
        post(page.shopper, AUTHORIZATION, told)
        second = page.authorizes() if not Order.objects.exists() else told

    for secret in (told["authorization_token"], second["authorization_token"], "Blasieholmshamnen", "alice@"):
        assert secret not in caplog.text
    assert KlarnaOrder.objects.get().state == OrderState.RECORDED

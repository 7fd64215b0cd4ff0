"""From the click to the order: whatever the shopper, Klarna, the network or the shop does, there is one or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request, Route

    from tests.browser.ledger import Ledger
    from tests.browser.sandbox import RemoteSandbox
    from tests.browser.shopper import Shopper
    from tests.browser.troubles import Troubles

MUG = "Stoneware mug Mossa"
ONE, TWO = "298,00 kr", "547,00 kr"
AUTHORIZATION = "**/klarna/authorization/"
OFFLINE = "net::ERR_INTERNET_DISCONNECTED: POST"
ALICE = {
    "given_name": "Alice  Maria",
    "family_name": "Åkerström-Test",
    "street_address": "Södra Blasieholmshamnen 2, 3 tr",
    "postal_code": "111 48",
    "city": "Stockholm",
    "email": "alice@example.com",
}


@pytest.fixture
def at_checkout(shopper: Shopper) -> Shopper:
    """Somebody with one mug, ready to pay."""
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees_widget(ONE)
    return shopper


@pytest.fixture
def silence(context: BrowserContext, troubles: Troubles) -> list[Request]:
    """Let nothing that the page tells of an authorization arrive; what it tries to tell, oldest first."""
    tried: list[Request] = []

    def swallow(route: Route) -> None:
        if route.request.method == "DELETE":
            route.continue_()
            return
        tried.append(route.request)
        route.abort("internetdisconnected")

    context.route(AUTHORIZATION, swallow)
    return tried


def approve_into(silence: list[Request], shopper: Shopper) -> None:
    """Approve, and see that the page would like to tell."""
    with shopper.page.expect_event(
        "requestfailed", lambda tried: tried.url.endswith("/klarna/authorization/")
    ):
        shopper.pays(ONE, decision="Approve")
    shopper.sees("Placing your order …")
    assert json.loads(silence[0].post_data or "").keys() == {"attempt", "authorization_token"}


def data_of_authorize(page: Page) -> list[dict[str, Any]]:
    """Collect what Klarna's script is told in the click."""
    told: list[dict[str, Any]] = []

    def hear(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/kp/lib/v1/session"):
            told.append(json.loads(request.post_data or "")["data"])

    page.on("request", hear)
    return told


def went_wrong(troubles: Troubles, *kinds: str) -> None:
    """Nothing else than this went wrong, and all of this did."""
    assert {trouble.partition(" http")[0] for trouble in troubles} == set(kinds)
    troubles.clear()


def test_address_is_the_same_at_the_click_and_in_the_order_to_the_letter(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger
) -> None:
    told = data_of_authorize(at_checkout.page)
    with at_checkout.stays():
        at_checkout.types_address(**ALICE)
        at_checkout.sees_widget(ONE)
    assert klarna.order_amounts == [29800]
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    (order,) = klarna.orders
    (data,) = told
    assert data == {name: {**ALICE, "country": "SE"} for name in ("billing_address", "shipping_address")}
    assert {name: order["body"][name] for name in data} == data
    assert ALICE.items() <= ledger.newest.items()


def test_address_typed_over_is_that_of_the_order(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    at_checkout.types_address(**ALICE)
    at_checkout.sees_widget(ONE)
    at_checkout.pays(ONE, decision="Close")
    at_checkout.types_address(postal_code="41 301", city="Göteborg")
    at_checkout.sees_widget(ONE)
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    (order,) = klarna.orders
    assert order["body"]["billing_address"]["postal_code"] == "41 301"


def test_ordered_cart_is_done_with_and_the_next_one_is_another_purchase(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger
) -> None:
    at_checkout.pays(ONE, decision="Approve")
    first = at_checkout.ends_at_the_thank_you_page(ONE)
    at_checkout.page.goto("/checkout/")
    assert at_checkout.ends_at_the_thank_you_page(ONE) == first
    at_checkout.page.go_back()
    assert at_checkout.ends_at_the_thank_you_page(ONE) == first
    at_checkout.goes_to_the_checkout_with(MUG)
    at_checkout.sees_widget(ONE)
    at_checkout.pays(ONE, decision="Approve")
    assert at_checkout.ends_at_the_thank_you_page(ONE) != first
    assert len(klarna.orders) == 2
    assert ledger.newest["klarna_order_id"] == klarna.orders[1]["order_id"]


def test_closed_browser_has_bought_through_klarna_s_callback(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger, silence: list[Request], troubles: Troubles
) -> None:
    approve_into(silence, at_checkout)
    at_checkout.page.context.close()
    went_wrong(troubles, OFFLINE)
    order = ledger.wait_for(number=ledger.reserved)
    klarna.wait_for_callback("authorization", "delivered")
    assert order["klarna_order_id"] == klarna.orders[0]["order_id"]


def test_lost_callbacks_are_not_missed(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    klarna.lose_callbacks()
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    klarna.wait_for_callback("authorization", "dropped")
    assert len(klarna.orders) == 1


def test_page_loaded_anew_after_the_approval_goes_on_by_itself(
    at_checkout: Shopper, klarna: RemoteSandbox, silence: list[Request], troubles: Troubles
) -> None:
    approve_into(silence, at_checkout)
    went_wrong(troubles, OFFLINE)
    klarna.wait_for_callback("authorization", "delivered")
    at_checkout.page.context.unroute(AUTHORIZATION)
    at_checkout.page.reload()
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1


def test_network_that_comes_back_is_waited_for(
    at_checkout: Shopper, klarna: RemoteSandbox, silence: list[Request], troubles: Troubles
) -> None:
    klarna.lose_callbacks()
    with at_checkout.stays():
        approve_into(silence, at_checkout)
        at_checkout.page.wait_for_timeout(4000)
    assert len(silence) >= 3
    assert len({request.post_data for request in silence}) == 1
    at_checkout.page.context.unroute(AUTHORIZATION)
    at_checkout.ends_at_the_thank_you_page(ONE)
    went_wrong(troubles, OFFLINE)
    assert len(klarna.orders) == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "after"}])
def test_answer_that_does_not_come_is_asked_for_again(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger, fault: dict[str, Any]
) -> None:
    before = ledger.count
    klarna.fail(operation="create_order", **fault)
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1
    assert ledger.count == before + 1


def test_page_repeats_itself_as_long_as_klarna_is_away(
    at_checkout: Shopper, klarna: RemoteSandbox, troubles: Troubles
) -> None:
    klarna.fail(operation="create_order", status=503, count=1000)
    with at_checkout.page.expect_response(AUTHORIZATION) as answer, at_checkout.stays():
        at_checkout.pays(ONE, decision="Approve")
    assert answer.value.status == 503
    at_checkout.sees("Placing your order …")
    klarna.heal()
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1
    went_wrong(troubles, "503: POST")


def test_declined_shopper_is_told_and_has_bought_nothing(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    with at_checkout.hears("klarna:hidden") as hidden:
        at_checkout.pays(ONE, decision="Decline")
    assert hidden["code"] == "declined"
    at_checkout.sees("Klarna cannot be offered for this purchase.")
    at_checkout.cannot_see_klarna()
    assert klarna.orders == []


def test_decline_outlives_a_look_at_another_way_to_pay(at_checkout: Shopper) -> None:
    with at_checkout.hears("klarna:hidden"):
        at_checkout.pays(ONE, decision="Decline")
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.chooses("Pay on invoice later (demo)")
    with at_checkout.hears("klarna:hidden") as hidden:
        at_checkout.chooses("Klarna")
    assert hidden["code"] == "declined"
    at_checkout.cannot_see_klarna()
    at_checkout.takes_one_more(MUG)
    at_checkout.sees_widget(TWO)


def test_order_that_klarna_rejects_is_none(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger, troubles: Troubles
) -> None:
    before = ledger.count
    with at_checkout.hears("klarna:hidden") as hidden:
        at_checkout.pays(ONE, decision="Reject")
    assert hidden["code"] == "declined"
    at_checkout.sees("Klarna cannot be offered for this purchase.")
    at_checkout.cannot_see_klarna()
    assert ledger.count == before
    went_wrong(troubles, "409: POST")


def test_closed_window_can_be_opened_again(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    at_checkout.pays(ONE, decision="Close")
    at_checkout.sees_widget(ONE)
    assert klarna.orders == []
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)


@pytest.mark.parametrize(
    ("decision", "status", "text"),
    [("ACCEPTED", "paid", "Thank you"), ("REJECTED", "rejected", "Nothing will be sent")],
)
def test_klarna_may_take_its_time_to_decide(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger, decision: str, status: str, text: str
) -> None:
    with at_checkout.hears("klarna:placed") as placed:
        at_checkout.pays(ONE, decision="Pending")
    assert placed["state"] == "pending"
    number = at_checkout.ends_at_the_thank_you_page(ONE)
    at_checkout.sees("Klarna is still checking this purchase.")
    ledger.wait_for(number=number, status="pending")
    klarna.decide(decision)
    ledger.wait_for(number=number, status=status)
    klarna.wait_for_callback("notification", "delivered")
    at_checkout.page.reload()
    at_checkout.sees(text)


@pytest.mark.parametrize("path", ["/cart/", "/checkout/"])
def test_what_was_approved_before_the_cart_changed_is_given_back(
    at_checkout: Shopper, klarna: RemoteSandbox, troubles: Troubles, path: str
) -> None:
    at_checkout.presses_the_button(ONE)
    other = at_checkout.in_another_tab(path)
    other.takes_one_more(MUG)
    other.sees_new_total(TWO)
    with at_checkout.hears("klarna:error") as error:
        at_checkout.lets_klarna("Approve")
    assert error["code"] == "cart_changed"
    at_checkout.sees("Your cart changed while you were paying, so nothing was bought.")
    at_checkout.sees_widget(TWO)
    assert klarna.orders == []
    assert len(klarna.calls("cancel_authorization")) == 1
    went_wrong(troubles, "409: POST")
    at_checkout.pays(TWO, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(TWO)
    assert [order["body"]["order_amount"] for order in klarna.orders] == [54700]


def test_cart_that_changes_before_the_attempt_is_fixed_is_looked_at_again(
    shopper: Shopper, klarna: RemoteSandbox, context: BrowserContext, troubles: Troubles
) -> None:
    def change_first(route: Route) -> None:
        other = shopper.in_another_tab("/cart/")
        other.takes_one_more(MUG)
        other.sees_new_total(TWO)
        other.page.close()
        route.continue_()

    context.route("**/klarna/attempt/", change_first, times=1)
    shopper.goes_to_the_checkout_with(MUG)
    shopper.sees_widget(TWO)
    went_wrong(troubles, "409: POST")
    shopper.pays(TWO, decision="Approve")
    shopper.ends_at_the_thank_you_page(TWO)


def test_other_way_to_pay_gives_back_what_klarna_has_reserved(
    at_checkout: Shopper, klarna: RemoteSandbox, silence: list[Request], troubles: Troubles
) -> None:
    klarna.lose_callbacks()
    approve_into(silence, at_checkout)
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.chooses("Pay on invoice later (demo)")
    went_wrong(troubles, OFFLINE)
    at_checkout.sees("Klarna keeps nothing reserved for you.")
    at_checkout.cannot_see_klarna()
    assert len(klarna.calls("cancel_authorization")) == 1
    at_checkout.page.context.unroute(AUTHORIZATION)
    at_checkout.chooses("Klarna")
    at_checkout.sees_widget(ONE)
    assert klarna.orders == []
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1


@pytest.mark.parametrize("callbacks", ["delivered", "dropped"])
def test_approval_that_comes_after_another_way_was_chosen_is_given_back(
    at_checkout: Shopper, klarna: RemoteSandbox, callbacks: str
) -> None:
    if callbacks == "dropped":
        klarna.lose_callbacks()
    at_checkout.presses_the_button(ONE)
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.page.evaluate("document.dispatchEvent(new CustomEvent('klarna:cancel'))")
    with at_checkout.hears("klarna:authorized"), at_checkout.hears("klarna:cancelled"):
        at_checkout.lets_klarna("Approve")
    klarna.wait_for_callback("authorization", callbacks)
    assert len(klarna.calls("cancel_authorization")) == 1
    assert klarna.orders == []


def test_giving_back_is_repeated_until_it_is_heard(
    at_checkout: Shopper, klarna: RemoteSandbox, context: BrowserContext, troubles: Troubles
) -> None:
    klarna.lose_callbacks()
    context.route(AUTHORIZATION, lambda route: route.abort("internetdisconnected"), times=3)
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.sees("Placing your order …")
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.chooses("Pay on invoice later (demo)")
    assert len(klarna.calls("cancel_authorization")) == 1
    assert klarna.orders == []
    went_wrong(troubles, OFFLINE, "net::ERR_INTERNET_DISCONNECTED: DELETE")


def test_klarna_chosen_again_waits_until_all_is_given_back(
    at_checkout: Shopper, klarna: RemoteSandbox, context: BrowserContext, troubles: Troubles
) -> None:
    klarna.lose_callbacks()
    context.route(AUTHORIZATION, lambda route: route.abort("internetdisconnected"), times=3)
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.sees("Placing your order …")
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.chooses("Pay on invoice later (demo)")
        at_checkout.chooses("Klarna")
    at_checkout.sees_widget(ONE)
    assert len(klarna.calls("cancel_authorization")) == 1
    went_wrong(troubles, OFFLINE, "net::ERR_INTERNET_DISCONNECTED: DELETE")
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1


def test_other_way_chosen_while_the_order_is_placed_comes_too_late(
    at_checkout: Shopper, klarna: RemoteSandbox, troubles: Troubles
) -> None:
    klarna.fail(operation="create_order", delay=3)
    at_checkout.pays(ONE, decision="Approve")
    at_checkout.sees("Placing your order …")
    at_checkout.chooses("Pay on invoice later (demo)")
    at_checkout.ends_at_the_thank_you_page(ONE)
    assert len(klarna.orders) == 1
    assert klarna.calls("cancel_authorization") == []
    troubles.clear()


def test_ways_to_pay_may_be_tried_in_any_order(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    with at_checkout.hears("klarna:cancelled"):
        at_checkout.chooses("Pay on invoice later (demo)")
    at_checkout.cannot_see_klarna()
    at_checkout.takes_one_more(MUG)
    at_checkout.sees_new_total(TWO)
    at_checkout.chooses("Klarna")
    at_checkout.sees_widget(TWO)
    assert klarna.calls("cancel_authorization") == []


def test_shop_that_cannot_make_its_order_makes_it_later(
    at_checkout: Shopper, klarna: RemoteSandbox, ledger: Ledger, troubles: Troubles
) -> None:
    with ledger.closed():
        at_checkout.pays(ONE, decision="Approve")
        at_checkout.sees("is not written down yet")
        # Paid is paid: the checkout leads back.
        at_checkout.page.goto("/checkout/")
        at_checkout.sees("is not written down yet")
    assert at_checkout.ends_at_the_thank_you_page(ONE) == ledger.newest["number"]
    assert ledger.newest["klarna_order_id"] == klarna.orders[0]["order_id"]
    assert len(klarna.orders) == 1
    went_wrong(troubles, "409: POST")


def test_page_that_goes_on_by_itself_may_stay(at_checkout: Shopper, klarna: RemoteSandbox) -> None:
    klarna.fail(operation="create_order", delay=2)
    stay = "addEventListener('klarna:placed', (event) => event.preventDefault())"
    at_checkout.page.evaluate(stay)
    with at_checkout.stays():
        with at_checkout.hears("klarna:placed"):
            at_checkout.pays(ONE, decision="Approve")
            # What was due meanwhile has lost its point.
            at_checkout.page.evaluate("document.dispatchEvent(new CustomEvent('klarna:cart-changed'))")
        at_checkout.sees("Your order is placed.")
        at_checkout.page.wait_for_load_state("networkidle")
        at_checkout.sees("Your order is placed.")
    at_checkout.cannot_pay()

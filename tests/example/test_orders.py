"""What the shop makes of a purchase, over sockets: its order, the page of it, and what staff see."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.example.conftest import Demo, Shopper, first

ALICE: dict[str, Any] = {
    "given_name": "Alice",
    "family_name": "Test",
    "street_address": "Södra Blasieholmshamnen 2",
    "postal_code": "111 48",
    "city": "Stockholm",
    "email": "alice@example.com",
}
NUMBER = r"data-order-number>([^<]+)<"
TOTAL = r"data-order-total>([^<]+)<"


def type_address(shopper: Shopper, **fields: Any) -> str:
    return shopper.submit("/checkout/delivery/", "/checkout/", **fields).text


def order_body(shopper: Shopper) -> dict[str, object]:
    (call,) = [call for call in shopper.calls() if call["operation"] == "create_order"]
    return dict(call["body"])


def test_order_has_all_that_was_in_the_cart(shopper: Shopper) -> None:
    shopper.add("mug")
    shopper.add("house-roast")
    shopper.change("/cart/", quantity=2)
    page = shopper.buy()
    assert re.findall(r"<span>(\d) \S ([^<]+)</span>", page) == [
        ("2", "Stoneware mug Mossa"),
        ("1", "House roast, 500\N{NO-BREAK SPACE}g"),
    ]
    assert first(TOTAL, page).replace("\N{NO-BREAK SPACE}", " ") == "637,50 kr"
    assert order_body(shopper)["order_amount"] == 63750
    assert order_body(shopper)["merchant_reference1"] == first(NUMBER, page)


def test_ordered_cart_is_nobody_s_any_more(shopper: Shopper) -> None:
    shopper.add("mug")
    line = first(r'action="(/cart/lines/\d+/)"', shopper.get("/cart/").text)
    number = first(NUMBER, shopper.buy())
    assert "nothing in it yet" in shopper.get("/cart/").text
    assert shopper.submit(line, "/", quantity=9).status_code == 404
    assert first(NUMBER, shopper.get("/checkout/").text) == number
    shopper.add("candle")
    assert first(NUMBER, shopper.buy()) != number


def test_page_that_still_shows_an_ordered_cart_cannot_pay_it_again(shopper: Shopper, demo: Demo) -> None:
    shopper.add("mug")
    told = shopper.authorize()
    first_answer = shopper.tell("authorization", **told)
    assert shopper.tell("authorization", **told).json() == first_answer.json()
    with closing(sqlite3.connect(demo.database, timeout=20)) as database, database:
        database.execute("UPDATE shop_product SET price = price + 1 WHERE slug = 'mug'")
    assert shopper.tell("session").json()["reasons"][0]["rule"] == "session_completed"
    assert [call["operation"] for call in shopper.calls()].count("create_credit_session") == 1
    with closing(sqlite3.connect(demo.database, timeout=20)) as database, database:
        database.execute("UPDATE shop_product SET price = price - 1 WHERE slug = 'mug'")


def test_address_reaches_klarna_and_the_order_as_it_was_typed(shopper: Shopper) -> None:
    shopper.add("mug")
    assert 'value="111 48"' in type_address(shopper, **ALICE)
    shopper.buy()
    assert order_body(shopper)["shipping_address"] == {**ALICE, "country": "SE"}


def test_part_of_an_address_is_sent_as_such(shopper: Shopper) -> None:
    shopper.add("mug")
    type_address(shopper, postal_code="111 48")
    shopper.buy()
    assert order_body(shopper)["billing_address"] == {"postal_code": "111 48", "country": "SE"}


def test_purchase_needs_no_address(shopper: Shopper) -> None:
    shopper.add("mug")
    shopper.buy()
    assert "billing_address" not in order_body(shopper)


@pytest.mark.parametrize(
    ("field", "text"), [("email", "alice"), ("postal_code", "11148 Stockholm"), ("city", "x" * 100)]
)
def test_nonsense_in_the_address_is_told_and_not_kept(shopper: Shopper, field: str, text: str) -> None:
    shopper.add("mug")
    assert "errorlist" in type_address(shopper, **{**ALICE, field: text})
    assert "Blasieholmshamnen" not in shopper.get("/checkout/").text


def test_address_is_nobody_s_without_a_cart(shopper: Shopper) -> None:
    assert shopper.submit("/checkout/delivery/", "/", **ALICE).status_code == 404


def test_page_of_an_order_is_found_with_its_link_alone(shopper: Shopper, demo: Demo) -> None:
    shopper.add("mug")
    type_address(shopper, **ALICE)
    shopper.buy()
    link = shopper.get("/checkout/").url.removeprefix(shopper.shop)
    number = first(r"/thanks/([^:]+):", link)
    stranger = Shopper(demo)
    with stranger.http:
        page = stranger.get(link).text
        assert first(NUMBER, page) == number
        assert "Alice" not in page
        for guess in (f"/thanks/{number}/", link.replace(number, "FIKA-1"), "/thanks/"):
            assert stranger.get(guess).status_code == 404


def test_page_waits_politely_for_an_order_that_is_not_there_yet(shopper: Shopper) -> None:
    shopper.add("mug")
    shopper.ask_for_session()
    link = shopper.calls()[-1]["body"]["merchant_urls"]["confirmation"]
    waits = []
    for _look in range(9):
        page = shopper.http.get(link).text
        wait, url = re.findall(r'http-equiv="refresh" content="(\d+); url=([^"]+)"', page)[0]
        waits.append(int(wait))
        link = link.partition("?")[0] + url
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    for nonsense in ("-1", "1e9", "", "9" * 5000):
        assert shopper.http.get(link.partition("?")[0], params={"looks": nonsense}).status_code == 200


def test_staff_see_orders_and_change_none(shopper: Shopper) -> None:
    shopper.add("tray")
    type_address(shopper, **ALICE)
    number = first(NUMBER, shopper.buy("pending"))
    shopper.submit("/admin/login/", "/admin/login/", username="staff", password="staff-demo", next="/admin/")
    listed = shopper.get(f"/admin/shop/order/?q={number}&status__exact=pending").text
    assert number in listed
    assert "478,50" in listed
    page = shopper.get(first(r'href="(/admin/shop/order/\d+/change/[^"]*)"', listed)).text
    assert "Birch tray" in page
    assert "111 48" in page
    assert 'name="_save"' not in page
    assert shopper.get("/admin/shop/order/add/").status_code == 403

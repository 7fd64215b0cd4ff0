"""A walk through the running example: shop, sandbox and database, over sockets."""

import re
from decimal import Decimal

import pytest

from example_project.shop.prices import kronor
from tests.example.conftest import Demo, Shopper, first

JSON = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("amount", "text"), [("89.9", "89,90 kr"), ("1249.5", "1 249,50 kr"), ("0", "0,00 kr")]
)
def test_amounts_are_written_the_swedish_way(amount: str, text: str) -> None:
    assert kronor(Decimal(amount)).replace("\N{NO-BREAK SPACE}", " ") == text


def test_catalogue_has_eight_products_with_pictures(shopper: Shopper) -> None:
    pictures = re.findall(r'<img src="(/static/shop/products/[^"]+)"', shopper.get("/").text)
    assert len(set(pictures)) == 8
    assert {shopper.get(picture).status_code for picture in pictures} == {200}


def test_checkout_of_an_empty_cart_leads_to_the_cart(shopper: Shopper) -> None:
    answer = shopper.get("/checkout/")
    assert answer.url.endswith("/cart/")
    assert "nothing in it yet" in answer.text


def test_two_page_views_of_one_cart_make_one_session_at_klarna(shopper: Shopper) -> None:
    shopper.add("mug")
    first, second = shopper.ask_for_session(), shopper.ask_for_session()
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["order_amount"] == 24900 + 4900
    assert [call["operation"] for call in shopper.calls()] == ["create_credit_session"]
    assert first.json()["client_token"] not in shopper.get("/checkout/").text


def test_klarna_sees_every_line_with_its_rate_and_working_links(shopper: Shopper) -> None:
    shopper.add("mug")
    shopper.add("house-roast")
    shopper.ask_for_session()
    body = shopper.calls()[-1]["body"]
    assert (body["purchase_country"], body["purchase_currency"], body["locale"]) == ("SE", "SEK", "sv-SE")
    lines = {line["name"].partition(" ")[0]: line for line in body["order_lines"]}
    assert {name: line["tax_rate"] for name, line in lines.items()} == {
        "Stoneware": 2500,
        "House": 1200,
        "PostNord": 2500,
    }
    for name in ("Stoneware", "House"):
        assert shopper.http.get(lines[name]["image_url"]).headers["Content-Type"] == "image/svg+xml"
        assert shopper.http.get(lines[name]["product_url"]).status_code == 200
    assert shopper.http.get(body["merchant_urls"]["confirmation"]).status_code == 200


def test_delivery_is_free_from_500_kronor(shopper: Shopper) -> None:
    shopper.add("kettle")
    assert shopper.ask_for_session().json()["order_amount"] == 64900
    assert {line["type"] for line in shopper.calls()[-1]["body"]["order_lines"]} == {"physical"}


def test_change_in_the_checkout_answers_the_new_texts_and_reaches_klarna(shopper: Shopper) -> None:
    shopper.add("candle")
    shopper.ask_for_session()
    texts = shopper.change("/checkout/", headers=JSON, quantity=1, step=1).json()
    assert texts["count"] == 2
    assert texts["total"].replace("\N{NO-BREAK SPACE}", " ") == "228,80 kr"
    assert [line["quantity"] for line in texts["lines"].values()] == [2]
    assert shopper.get("/cart.json").json() == texts
    update = next(call for call in shopper.calls() if call["operation"] == "update_credit_session")
    assert update["body"]["order_amount"] == 22880
    assert shopper.ask_for_session().json()["order_amount"] == 22880


def test_forms_work_without_scripts(shopper: Shopper) -> None:
    shopper.add("mug")
    answer = shopper.change("/cart/", quantity=2, step=1)
    assert answer.url.endswith("/cart/")
    assert 'name="quantity" value="3"' in answer.text
    answer = shopper.change("/checkout/", quantity=3, step=-1)
    assert answer.url.endswith("/checkout/")
    assert 'name="quantity" value="2"' in answer.text
    assert "nothing in it yet" in shopper.change("/cart/", quantity=2, remove="on").text


@pytest.mark.parametrize("quantity", ["-1", "100", "1.5", "many", ""])
def test_nonsense_as_quantity_changes_nothing(shopper: Shopper, quantity: str) -> None:
    shopper.add("mug")
    assert 'name="quantity" value="1"' in shopper.change("/cart/", quantity=quantity).text


def test_emptied_cart_cannot_be_paid(shopper: Shopper) -> None:
    shopper.add("mug")
    assert shopper.ask_for_session().status_code == 200
    shopper.change("/cart/", quantity=0)
    answer = shopper.ask_for_session()
    assert answer.status_code == 409
    assert answer.json()["code"] == "cart_not_payable"
    assert answer.json()["reasons"]


def test_line_of_somebody_else_s_cart_is_out_of_reach(shopper: Shopper, demo: Demo) -> None:
    shopper.add("mug")
    action = first(r'action="(/cart/lines/\d+/)"', shopper.get("/cart/").text)
    stranger = type(shopper)(demo)
    with stranger.http:
        assert stranger.submit(action, "/", quantity=9).status_code == 404
        stranger.add("candle")
        assert stranger.submit(action, "/", quantity=9).status_code == 404
    assert 'name="quantity" value="1"' in shopper.get("/cart/").text


def test_changes_are_refused_without_a_csrf_token(shopper: Shopper) -> None:
    assert shopper.http.post(f"{shopper.shop}/cart/add/1/").status_code == 403


def test_staff_see_carts_products_and_sessions(shopper: Shopper) -> None:
    shopper.add("tray")
    shopper.ask_for_session()
    login = shopper.submit(
        "/admin/login/", "/admin/login/", username="staff", password="staff-demo", next="/admin/"
    )
    assert "Log out" in login.text
    assert "478,50" in shopper.get("/admin/shop/cart/").text
    assert "Birch tray" in shopper.get("/admin/shop/product/?q=tray").text
    assert shopper.get("/admin/django_klarna/klarnasession/").status_code == 200

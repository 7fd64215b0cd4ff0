"""Staff see what came of purchases, and help on what has got stuck: when they may, and never by looking."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from django_klarna import services
from django_klarna.models import (
    Attempt,
    Flag,
    KlarnaAuthorization,
    KlarnaOrder,
    KlarnaSession,
    OrderState,
    State,
)
from django_klarna.sandbox import Sandbox
from tests.conftest import MakeCart
from tests.services.purchases import Adapter, authorize, session_of, time_passes
from tests.shop.models import Cart, CartLine, Order

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = "/admin/django_klarna/klarnaorder/"
AUTHORIZATIONS = "/admin/django_klarna/klarnaauthorization/"
SESSIONS = "/admin/django_klarna/klarnasession/"
PERMISSIONS = {
    (ORDERS, "complete"): "complete_klarnaorder",
    (ORDERS, "complete-despite-changes"): "complete_klarnaorder",
    (ORDERS, "order-id"): "complete_klarnaorder",
    (ORDERS, "settle"): "settle_klarnaorder",
    (AUTHORIZATIONS, "go-on"): "place_klarnaorder",
    (AUTHORIZATIONS, "give-back"): "cancel_klarnaauthorization",
}
VIEW = {ORDERS: "view_klarnaorder", AUTHORIZATIONS: "view_klarnaauthorization"}
EVIL = "<script>alert(1)</script>"
MakeUser = Callable[..., Client]


@pytest.fixture
def adapter(settings: Settings) -> Iterator[type[Adapter]]:
    settings.KLARNA_CART_ADAPTER = "tests.services.purchases.Adapter"
    yield Adapter
    Adapter.failures = 0


@pytest.fixture
def staff() -> MakeUser:
    """A browser of somebody with just these permissions."""

    def make(*codenames: str, **options: Any) -> Client:
        user, _ = get_user_model().objects.get_or_create(username="bob", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client(**options)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def waiting(klarna: Sandbox, cart: Cart) -> KlarnaAuthorization:
    """A token of which nothing has come."""
    return authorize(klarna, cart)


@pytest.fixture
def order(waiting: KlarnaAuthorization) -> KlarnaOrder:
    """An order that the shop has recorded."""
    services.place_order(waiting.pk)
    return KlarnaOrder.objects.get()


@pytest.fixture
def failed(waiting: KlarnaAuthorization, adapter: type[Adapter]) -> KlarnaOrder:
    """An order that the shop could not record."""
    Adapter.failures = 1
    services.place_order(waiting.pk)
    return KlarnaOrder.objects.get()


@pytest.fixture
def changed(failed: KlarnaOrder) -> KlarnaOrder:
    """An order whose cart is not what was paid for."""
    CartLine.objects.update(quantity=3)
    services.complete_order(failed.pk)
    failed.refresh_from_db()
    assert failed.flag == Flag.CART_CHANGED
    return failed


@pytest.fixture
def nameless(klarna: Sandbox, waiting: KlarnaAuthorization) -> KlarnaOrder:
    """An order of which the id is not known."""
    klarna.replayed_order = "consumed"
    klarna.fail_next("create_order", drop="after")
    services.place_order(waiting.pk)
    order = KlarnaOrder.objects.get()
    assert order.flag == Flag.ORDER_ID_UNKNOWN
    return order


def detail(row: Any) -> str:
    return f"/admin/django_klarna/{row._meta.model_name}/{row.pk}/change/"


def chosen(*rows: Any) -> dict[str, Any]:
    return {"_selected_action": [row.pk for row in rows]}


def confirm(client: Client, page: str, action: str, *rows: Any, **entered: Any) -> list[tuple[str, str]]:
    """Confirm, and give level and text of what is said."""
    answer = client.post(f"{page}{action}/", {**chosen(*rows), **entered}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    return [(message.level_tag, message.message) for message in answer.context["messages"]]


def pages(client: Client, *rows: Any) -> list[str]:
    """All that staff can look at of these rows."""
    lists = [client.get(page).text for page in (ORDERS, AUTHORIZATIONS, SESSIONS)]
    histories = [client.get(detail(row).replace("/change/", "/history/")).text for row in rows]
    return [*lists, *histories, *(client.get(detail(row)).text for row in rows)]


def test_the_lists_show_what_was_bought(admin_client: Client, order: KlarnaOrder, klarna: Sandbox) -> None:
    before = len(klarna.calls)
    orders, authorizations = admin_client.get(ORDERS).text, admin_client.get(AUTHORIZATIONS).text

    assert order.order_id
    assert order.order_id in orders
    assert "248.00\u00a0SEK" in orders
    assert '<span class="klarna-badge klarna-good">recorded in the shop</span>' in orders
    assert '<span class="klarna-badge klarna-good">accepted</span>' in orders
    assert order.key in authorizations
    assert '<span class="klarna-badge klarna-good">ordered</span>' in authorizations
    for page in (orders, authorizations):
        assert f'<a href="{detail(order.session)}">{order.session.key}</a>' in page
    assert len(klarna.calls) == before


def test_the_page_of_a_session_leads_to_what_came_of_it(
    admin_client: Client, order: KlarnaOrder, waiting: KlarnaAuthorization
) -> None:
    page = admin_client.get(detail(order.session)).text

    assert f'<a href="{detail(order)}">{order.order_id}</a>' in page
    assert f'<a href="{detail(waiting)}">{waiting.key}</a>' in page
    assert "the shopper&#x27;s browser" in page
    assert '<td class="number">248.00\u00a0SEK</td>' in page


def test_a_session_without_a_purchase_says_so(admin_client: Client, klarna: Sandbox, cart: Cart) -> None:
    page = admin_client.get(detail(services.ensure_session(cart=cart))).text

    assert "No order was placed." in page
    assert "The shopper has not tried to pay yet." in page


def test_what_belongs_to_a_session_is_for_who_may_see_it(
    staff: MakeUser, order: KlarnaOrder, waiting: KlarnaAuthorization
) -> None:
    for permission, row in (("view_klarnaorder", order), ("view_klarnaauthorization", waiting)):
        assert detail(row) not in staff("view_klarnasession").get(detail(order.session)).text
        assert detail(row) in staff("view_klarnasession", permission).get(detail(order.session)).text


def test_no_secret_is_anywhere(
    admin_client: Client,
    waiting: KlarnaAuthorization,
    make_cart: MakeCart,
    klarna: Sandbox,
    adapter: type[Adapter],
) -> None:
    """Neither of a token that waits, nor of an order that the shop has yet to make."""
    Adapter.failures = 1
    other = authorize(klarna, make_cart())
    KlarnaAuthorization.objects.update(
        data='{"given_name": "Åsa-Ester"}', body='{"email": "asa@shop.example"}', digest="d" * 64
    )
    placed = KlarnaOrder.objects.create(
        session=other.session,
        key=other.key,
        order_amount=1,
        purchase_currency="SEK",
        customer_token="customer-secret",
        redirect_url="https://pay.klarna.com/secret",
        confirmation_url="https://shop.example/thanks/?sig=secret",
    )
    before = KlarnaAuthorization.objects.get(pk=waiting.pk)
    assert before.token
    assert before.token_hash

    confirm(admin_client, AUTHORIZATIONS, "give-back", other)
    shown = [
        *pages(admin_client, waiting, other, placed, placed.session, waiting.session),
        admin_client.post(AUTHORIZATIONS, {"action": "go-on", **chosen(waiting)}).text,
    ]

    for secret in (
        before.token,
        before.token_hash,
        "Åsa-Ester",
        "asa@shop.example",
        "d" * 64,
        "customer-secret",
        "pay.klarna.com",
        "sig=secret",
    ):
        assert [page for page in shown if secret in page] == []


def test_secrets_are_not_even_read(admin_client: Client, order: KlarnaOrder) -> None:
    authorization = KlarnaAuthorization.objects.get()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        pages(admin_client, order, authorization)

    ours = [query["sql"] for query in queries if "django_klarna_klarna" in query["sql"]]
    for column in (
        "token",
        "token_hash",
        "data",
        "body",
        "customer_token",
        "redirect_url",
        "confirmation_url",
    ):
        assert [sql for sql in ours if re.search(rf"[\"`]{column}[\"`]", sql)] == []


def test_what_others_wrote_is_not_html(admin_client: Client, order: KlarnaOrder) -> None:
    KlarnaOrder.objects.update(
        fraud_status=EVIL, merchant_reference1=EVIL, payment_method=EVIL, error_code=EVIL, order_id=EVIL
    )
    KlarnaAuthorization.objects.update(reason=EVIL, candidate_order_id=EVIL)

    for page in pages(admin_client, order, KlarnaAuthorization.objects.get(), order.session):
        assert EVIL not in page
    assert EVIL not in admin_client.post(ORDERS, {"action": "settle", **chosen(order)}).text


@pytest.mark.parametrize("page", [ORDERS, AUTHORIZATIONS])
def test_nothing_can_be_edited(
    admin_client: Client, order: KlarnaOrder, waiting: KlarnaAuthorization, page: str
) -> None:
    row = order if page == ORDERS else waiting

    assert admin_client.get(f"{page}add/").status_code == 403
    assert admin_client.post(detail(row), {"state": "placed"}).status_code == 403
    assert admin_client.post(f"{page}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert 'value="delete_selected"' not in admin_client.get(page).text


@pytest.mark.parametrize("page", [ORDERS, AUTHORIZATIONS])
def test_only_staff_with_the_permission_may_look(
    staff: MakeUser, order: KlarnaOrder, waiting: KlarnaAuthorization, page: str
) -> None:
    row = order if page == ORDERS else waiting
    for address in (page, detail(row)):
        assert staff("view_klarnasession").get(address).status_code == 403
        assert staff(VIEW[page]).get(address).status_code == 200


@pytest.mark.parametrize("page", [ORDERS, AUTHORIZATIONS])
def test_a_list_costs_the_same_for_any_number_of_rows(
    admin_client: Client, order: KlarnaOrder, make_cart: MakeCart, klarna: Sandbox, page: str
) -> None:
    with CaptureQueriesContext(connection) as one:
        admin_client.get(page)
    for _number in range(3):
        services.place_order(authorize(klarna, make_cart()).pk)

    with CaptureQueriesContext(connection) as four:
        admin_client.get(page)

    assert len(four) == len(one) <= 6


@pytest.mark.parametrize(
    "known",
    ["key", "order_id", "merchant_reference1", "candidate_order_id", "session_key", "session_id", "cart"],
)
def test_search_finds_an_order_by_the_whole_id(
    admin_client: Client, order: KlarnaOrder, klarna: Sandbox, make_cart: MakeCart, known: str
) -> None:
    services.place_order(authorize(klarna, make_cart()).pk)
    KlarnaOrder.objects.filter(pk=order.pk).update(merchant_reference1="No. 7", candidate_order_id="perhaps")
    order.refresh_from_db()
    terms = {
        "session_key": order.session.key,
        "session_id": order.session.session_id,
        "cart": order.session.cart_id,
    }

    page = admin_client.get(ORDERS, {"q": terms.get(known) or getattr(order, known)}).text

    assert re.findall(r'<a href="[^"]*klarnaorder/(\d+)/change', page) == [str(order.pk)]


@pytest.mark.parametrize("known", ["key", "session_key", "session_id", "cart"])
def test_search_finds_an_authorization_by_the_whole_id(
    admin_client: Client, waiting: KlarnaAuthorization, klarna: Sandbox, make_cart: MakeCart, known: str
) -> None:
    authorize(klarna, make_cart())
    session = waiting.session
    terms = {
        "key": waiting.key,
        "session_key": session.key,
        "session_id": session.session_id,
        "cart": session.cart_id,
    }

    page = admin_client.get(AUTHORIZATIONS, {"q": str(terms[known])}).text

    assert re.findall(r"klarnaauthorization/(\d+)/change", page) == [str(waiting.pk)]


@pytest.mark.parametrize("page", [ORDERS, AUTHORIZATIONS])
def test_a_search_for_nothing_sensible_finds_nothing(
    admin_client: Client, order: KlarnaOrder, page: str
) -> None:
    assert order.session.key not in admin_client.get(page, {"q": "no such thing"}).text


def test_a_search_uses_indexes(admin_client: Client, order: KlarnaOrder) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the plan of a small table is no table scan on SQLite only")
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(ORDERS, {"q": "No. 7"})
    (found,) = [
        query["sql"]
        for query in queries
        if "candidate_order_id" in query["sql"] and "COUNT" not in query["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {found}")
        plan = "\n".join(str(row[3]) for row in cursor.fetchall())

    assert "MULTI-INDEX OR" in plan
    assert "SCAN django_klarna_klarnaorder" not in plan


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        ({"state__exact": "flagged"}, {"state": "flagged"}),
        ({"flag__exact": "cart_changed"}, {"flag": "cart_changed"}),
        ({"fraud_status": "PENDING"}, {"fraud_status": "PENDING"}),
    ],
)
def test_the_filters_of_orders(
    admin_client: Client, order: KlarnaOrder, choice: dict[str, str], values: dict[str, str]
) -> None:
    assert str(order.order_id) not in admin_client.get(ORDERS, choice).text
    KlarnaOrder.objects.update(**values)
    assert str(order.order_id) in admin_client.get(ORDERS, choice).text


def test_what_to_do_is_said(admin_client: Client, changed: KlarnaOrder) -> None:
    assert "Compare it with the cart" in admin_client.get(detail(changed)).text
    KlarnaOrder.objects.update(flag=Flag.ORDER_ID_UNKNOWN)
    assert "merchant reference 2" in admin_client.get(detail(changed)).text
    KlarnaOrder.objects.update(flag=Flag.CART_DELETED)
    assert "without the cart" in admin_client.get(detail(changed)).text
    KlarnaOrder.objects.update(state=OrderState.PLACED, flag="", error_code="RuntimeError")
    assert "the log has the error" in admin_client.get(detail(changed)).text
    KlarnaOrder.objects.update(state=OrderState.RECORDED)
    assert "the log has the error" not in admin_client.get(detail(changed)).text


@pytest.mark.parametrize(("page", "action"), PERMISSIONS)
def test_choosing_only_asks(
    admin_client: Client, failed: KlarnaOrder, klarna: Sandbox, page: str, action: str
) -> None:
    row = failed if page == ORDERS else KlarnaAuthorization.objects.get()
    before = len(klarna.calls)

    asked = admin_client.post(page, {"action": action, **chosen(row)}).text

    assert f'action="{page}{action}/"' in asked
    assert f'name="_selected_action" value="{row.pk}"' in asked
    assert "248.00\u00a0SEK" in asked
    failed.refresh_from_db()
    assert (failed.state, Order.objects.count(), len(klarna.calls)) == (OrderState.PLACED, 0, before)


@pytest.mark.parametrize(("page", "action"), PERMISSIONS)
def test_a_get_does_nothing(admin_client: Client, page: str, action: str) -> None:
    assert admin_client.get(f"{page}{action}/?_selected_action=1").status_code == 405


@pytest.mark.parametrize(("page", "action"), PERMISSIONS)
def test_each_needs_its_own_permission(staff: MakeUser, failed: KlarnaOrder, page: str, action: str) -> None:
    row = failed if page == ORDERS else KlarnaAuthorization.objects.get()
    mine = PERMISSIONS[page, action]
    others = set(PERMISSIONS.values()) - {mine}

    client = staff(VIEW[page], *others)
    assert f'<option value="{action}">' not in client.get(page).text
    assert client.post(f"{page}{action}/", chosen(row)).status_code == 403

    client = staff(VIEW[page], mine)
    assert f'<option value="{action}">' in client.get(page).text
    assert client.post(page, {"action": action, **chosen(row)}).status_code == 200
    assert client.post(f"{page}{action}/", chosen(row)).status_code in {200, 302}

    assert staff(mine).post(f"{page}{action}/", chosen(row)).status_code == 403


def test_another_site_cannot_confirm(staff: MakeUser, failed: KlarnaOrder) -> None:
    client = staff(VIEW[ORDERS], "complete_klarnaorder", enforce_csrf_checks=True)

    assert client.post(f"{ORDERS}complete/", chosen(failed)).status_code == 403
    assert not Order.objects.exists()


def test_a_window_to_choose_from_offers_no_action(admin_client: Client, order: KlarnaOrder) -> None:
    assert "<option" not in admin_client.get(ORDERS, {"_popup": "1"}).text


def test_the_shop_makes_its_order_again(admin_client: Client, failed: KlarnaOrder) -> None:
    assert failed.error_code == "RuntimeError"

    said = confirm(admin_client, ORDERS, "complete", failed)

    assert said == [("success", f"The shop has made 1 order. {failed.key}: recorded in the shop")]
    assert Order.objects.count() == 1
    entry = LogEntry.objects.get()
    assert str(entry) == f"Changed “{failed.order_id}” — Let the shop make its order again"


def test_a_shop_that_fails_again_is_told(admin_client: Client, failed: KlarnaOrder) -> None:
    Adapter.failures = 1

    said = confirm(admin_client, ORDERS, "complete", failed)

    reason = f"{failed.key}: placed at Klarna (RuntimeError)"
    assert said == [("warning", f"The shop has not made 1 order. {reason}")]
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["complete", "complete-despite-changes", "settle"])
def test_an_order_that_the_shop_has_is_left_alone(
    admin_client: Client, order: KlarnaOrder, action: str
) -> None:
    assert [level for level, _text in confirm(admin_client, ORDERS, action, order)] == ["warning"]
    assert Order.objects.count() == 1


def test_a_changed_cart_is_sold_only_when_a_person_says_so(
    admin_client: Client, changed: KlarnaOrder
) -> None:
    ((level, text),) = confirm(admin_client, ORDERS, "complete", changed)
    assert (level, Order.objects.count()) == ("warning", 0)
    assert "needs a person (the cart is not what was paid for)" in text

    ((level, _text),) = confirm(admin_client, ORDERS, "complete-despite-changes", changed)

    changed.refresh_from_db()
    assert (level, changed.state, changed.flag) == ("success", OrderState.RECORDED, "")
    assert Order.objects.count() == 1
    assert not KlarnaSession.objects.filter(live=True).exists()


def test_a_shop_that_cannot_even_sell_what_has_changed(admin_client: Client, changed: KlarnaOrder) -> None:
    """It is looked at again, and asked about again."""
    Adapter.failures = 1

    ((level, _text),) = confirm(admin_client, ORDERS, "complete-despite-changes", changed)
    time_passes(minutes=1)
    services.reconcile()

    changed.refresh_from_db()
    assert (level, changed.state, changed.flag) == ("warning", OrderState.FLAGGED, Flag.CART_CHANGED)


class Dying(Adapter):
    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        raise KeyboardInterrupt


def test_a_worker_that_dies_leaves_it_to_be_looked_at(changed: KlarnaOrder, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = f"{__name__}.Dying"
    with pytest.raises(KeyboardInterrupt):
        services.record_despite_changes(changed.pk)
    changed.refresh_from_db()
    assert (changed.state, changed.flag) == (OrderState.PLACED, "")
    time_passes(minutes=1)

    services.reconcile()

    changed.refresh_from_db()
    assert (changed.state, changed.flag) == (OrderState.FLAGGED, Flag.CART_CHANGED)


@pytest.mark.parametrize("flag", [Flag.ORDER_ID_UNKNOWN, Flag.CART_DELETED, ""])
def test_only_a_changed_cart_is_sold_despite_its_changes(
    admin_client: Client, changed: KlarnaOrder, flag: str
) -> None:
    KlarnaOrder.objects.update(flag=flag)

    assert [each[0] for each in confirm(admin_client, ORDERS, "complete-despite-changes", changed)] == [
        "warning"
    ]
    changed.refresh_from_db()
    assert (changed.state, changed.flag) == (OrderState.FLAGGED, flag)


def test_a_person_has_dealt_with_it(
    admin_client: Client, changed: KlarnaOrder, cart: Cart, klarna: Sandbox
) -> None:
    said = confirm(admin_client, ORDERS, "settle", changed)

    assert said == [("success", f"1 order is settled. {changed.key}: settled by a person")]
    changed.refresh_from_db()
    assert (changed.state, changed.flag, changed.retry_at) == (
        OrderState.SETTLED,
        Flag.CART_CHANGED,
        None,
    )
    assert not Order.objects.exists()
    assert services.ensure_session(cart=cart).state == State.OPEN
    time_passes(days=1)
    assert not services.reconcile()
    assert confirm(admin_client, ORDERS, "complete-despite-changes", changed)[0][0] == "warning"


def test_the_id_that_staff_have_found_is_checked_at_once(
    admin_client: Client, nameless: KlarnaOrder, klarna: Sandbox
) -> None:
    (order_id,) = klarna.orders

    said = confirm(admin_client, ORDERS, "order-id", nameless, order_id=f" {order_id} ")

    assert said == [("success", f"The id is that of the order. {nameless.key}: recorded in the shop")]
    nameless.refresh_from_db()
    assert (nameless.order_id, nameless.state) == (order_id, OrderState.RECORDED)
    assert Order.objects.count() == 1


def test_an_id_of_another_order_is_not_believed(
    admin_client: Client, nameless: KlarnaOrder, klarna: Sandbox
) -> None:
    other = "5b1f9c1e-0000-4000-8000-000000000000"

    ((level, text),) = confirm(admin_client, ORDERS, "order-id", nameless, order_id=other)

    assert level == "warning"
    assert "not the one that Klarna has under this id." in text
    nameless.refresh_from_db()
    assert (nameless.order_id, nameless.candidate_order_id) == (None, other)
    (right,) = klarna.orders
    assert confirm(admin_client, ORDERS, "order-id", nameless, order_id=right)[0][0] == "success"


def test_an_id_is_kept_while_klarna_is_away(
    admin_client: Client, nameless: KlarnaOrder, klarna: Sandbox
) -> None:
    (order_id,) = klarna.orders
    klarna.fail_next("get_order", status=500)

    ((level, text),) = confirm(admin_client, ORDERS, "order-id", nameless, order_id=order_id)
    assert (level, "500" in text) == ("error", True)
    time_passes(minutes=1)
    services.reconcile()

    nameless.refresh_from_db()
    assert nameless.state == OrderState.RECORDED


@pytest.mark.parametrize("entered", ["", "no id at all", "a/b", EVIL, "x" * 256])
def test_what_is_no_id_is_asked_for_again(
    admin_client: Client, nameless: KlarnaOrder, klarna: Sandbox, entered: str
) -> None:
    before = len(klarna.calls)

    answer = admin_client.post(f"{ORDERS}order-id/", {**chosen(nameless), "order_id": entered})

    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.text
    assert f'name="_selected_action" value="{nameless.pk}"' in answer.text
    assert EVIL not in answer.text
    assert len(klarna.calls) == before


def test_an_order_that_has_its_id_keeps_it(admin_client: Client, order: KlarnaOrder, klarna: Sandbox) -> None:
    before = len(klarna.calls)

    said = confirm(admin_client, ORDERS, "order-id", order, order_id="5b1f9c1e")

    assert [level for level, _text in said] == ["warning"]
    order.refresh_from_db()
    assert (order.candidate_order_id, order.tries, len(klarna.calls)) == ("", 0, before)


def test_one_id_is_for_one_order(
    admin_client: Client, order: KlarnaOrder, klarna: Sandbox, make_cart: MakeCart
) -> None:
    services.place_order(authorize(klarna, make_cart()).pk)
    answer = admin_client.post(ORDERS, {"action": "order-id", **chosen(*KlarnaOrder.objects.all())})

    assert answer["Location"] == ORDERS
    messages = [message.message for message in admin_client.get(ORDERS).context["messages"]]
    assert messages == ["Nothing was done: choose at most 1."]


def test_an_authorization_is_gone_on_with(
    admin_client: Client, waiting: KlarnaAuthorization, klarna: Sandbox
) -> None:
    said = confirm(admin_client, AUTHORIZATIONS, "go-on", waiting)

    assert said == [("success", f"1 authorization is settled. {waiting.key}: ordered")]
    assert len(klarna.orders) == Order.objects.count() == 1
    assert confirm(admin_client, AUTHORIZATIONS, "go-on", waiting)[0][0] == "warning"


def test_what_the_shopper_has_not_authorized_is_not_ordered(
    admin_client: Client, waiting: KlarnaAuthorization, klarna: Sandbox
) -> None:
    CartLine.objects.update(quantity=3)

    said = confirm(admin_client, AUTHORIZATIONS, "go-on", waiting)

    assert said == [("success", f"1 authorization is settled. {waiting.key}: cancelled (cart_changed)")]
    assert not klarna.orders


def test_an_authorization_is_given_back(
    admin_client: Client, waiting: KlarnaAuthorization, klarna: Sandbox, cart: Cart
) -> None:
    said = confirm(admin_client, AUTHORIZATIONS, "give-back", waiting)

    assert said == [("success", f"1 authorization is given back. {waiting.key}: cancelled (cancelled)")]
    assert [one.state for one in klarna.authorizations.values()] == ["cancelled"]
    assert session_of(cart).state == State.OPEN
    assert confirm(admin_client, AUTHORIZATIONS, "give-back", waiting)[0][0] == "warning"


def test_what_is_being_ordered_is_not_given_back(
    admin_client: Client, waiting: KlarnaAuthorization, klarna: Sandbox, settings: Settings
) -> None:
    settings.KLARNA_ORDER_TIMEOUT = 1
    klarna.fail_next("create_order", drop="after", count=100)
    ((level, text),) = confirm(admin_client, AUTHORIZATIONS, "go-on", waiting)
    assert (level, text) == ("error", f"1 failed. {waiting.key}: Klarna did not answer in time")

    ((level, text),) = confirm(admin_client, AUTHORIZATIONS, "give-back", waiting)

    assert (level, "being ordered" in text) == ("warning", True)
    assert [one.state for one in klarna.authorizations.values()] == ["consumed"]
    klarna.clear_faults()
    assert confirm(admin_client, AUTHORIZATIONS, "go-on", waiting)[0][0] == "success"


def test_a_try_without_a_token_is_left_alone(admin_client: Client, klarna: Sandbox, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    prepared = services.prepare_attempt(cart=cart)
    assert prepared

    for action in ("go-on", "give-back"):
        assert confirm(admin_client, AUTHORIZATIONS, action, prepared)[0][0] == "warning"
    prepared.refresh_from_db()
    assert prepared.state == Attempt.PREPARED


def test_a_project_with_atomic_requests(
    admin_client: Client,
    changed: KlarnaOrder,
    klarna: Sandbox,
    make_cart: MakeCart,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = authorize(klarna, make_cart()), authorize(klarna, make_cart())
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    for page, action, row in (
        (AUTHORIZATIONS, "go-on", first),
        (AUTHORIZATIONS, "give-back", second),
        (ORDERS, "complete-despite-changes", changed),
    ):
        assert admin_client.post(page, {"action": action, **chosen(row)}).status_code == 200
        assert [level for level, _text in confirm(admin_client, page, action, row)] == ["success"]

"""Staff have carts sent to Klarna and sessions read: when they may, when they mean it, and never by looking."""

import re
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from pytest_django import Settings

from django_klarna import services
from django_klarna.admin import runs
from django_klarna.api import SessionCreate
from django_klarna.models import KlarnaSession, State
from django_klarna.sandbox import Sandbox
from tests.conftest import MakeCart
from tests.sandboxes import Operations, at_klarna
from tests.services.threads import in_thread
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/django_klarna/klarnasession/"
ACTIONS = ("sync", "refresh")
MakeUser = Callable[..., Client]


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    return services.ensure_session(cart=cart)


@pytest.fixture
def staff() -> MakeUser:
    """A browser of somebody with just these permissions."""

    def make(*codenames: str, **options: Any) -> Client:
        user = get_user_model().objects.create_user("bob", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client(**options)
        client.force_login(user)
        return client

    return make


def choose(client: Client, action: str, *sessions: KlarnaSession, query: str = "", **data: Any) -> Any:
    chosen = [session.pk for session in sessions]
    return client.post(f"{LIST}{query}", {"action": action, "_selected_action": chosen, **data})


def confirm(client: Client, action: str, *sessions: KlarnaSession) -> list[tuple[str, str]]:
    """Confirm, and give level and text of what is said."""
    chosen = [session.pk for session in sessions]
    page = client.post(f"{LIST}{action}/", {"_selected_action": chosen}, follow=True)
    assert page.redirect_chain == [(LIST, 302)]
    return [(message.level_tag, message.message) for message in page.context["messages"]]


@pytest.mark.parametrize("action", ACTIONS)
def test_choosing_only_asks(
    admin_client: Client, session: KlarnaSession, operations: Operations, cart: Cart, action: str
) -> None:
    cart.lines.update(quantity=2)

    page = choose(admin_client, action, session)

    assert session.key in page.text
    assert f'action="{LIST}{action}/"' in page.text
    assert f'name="_selected_action" value="{session.pk}"' in page.text
    assert session.client_token not in page.text
    assert operations() == ["create"]


def test_a_confirmed_cart_is_sent(
    admin_client: Client, session: KlarnaSession, klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    cart.lines.update(quantity=2)

    assert confirm(admin_client, "sync", session) == [("success", "1 session is equal to its cart now.")]

    assert operations() == ["create", "update"]
    assert at_klarna(klarna, session).content["order_lines"][0]["quantity"] == 2


def test_a_confirmed_session_is_read(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart, operations: Operations
) -> None:
    other = services.ensure_session(cart=make_cart())

    said = confirm(admin_client, "refresh", session, other)

    assert said == [("success", "2 sessions were read from Klarna.")]
    assert operations() == ["create", "create", "read", "read"]


def test_the_form_that_is_shown_does_it(
    admin_client: Client, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    cart.lines.update(quantity=2)
    page = choose(admin_client, "sync", session, query="?in_use=yes").text
    (address,) = re.findall(r'<form method="post" action="(\S+sync\S+)"', page)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page))

    answer = admin_client.post(address, fields)

    assert answer["Location"] == f"{LIST}?in_use=yes"
    assert f'<a href="{LIST}?in_use=yes" class="button cancel-link">' in page
    assert operations() == ["create", "update"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_get_calls_nobody(
    admin_client: Client, session: KlarnaSession, operations: Operations, action: str
) -> None:
    address = f"{LIST}{action}/?_selected_action={session.pk}"

    assert admin_client.get(address).status_code == 405
    assert operations() == ["create"]


@pytest.mark.parametrize(("action", "other"), [("sync", "refresh"), ("refresh", "sync")])
def test_each_needs_its_own_permission(
    staff: MakeUser, session: KlarnaSession, operations: Operations, action: str, other: str
) -> None:
    client = staff("view_klarnasession", f"{other}_klarnasession")

    assert f'<option value="{action}">' not in client.get(LIST).text
    assert f'<option value="{other}">' in client.get(LIST).text
    assert choose(client, action, session).status_code == 302
    assert client.post(f"{LIST}{action}/", {"_selected_action": session.pk}).status_code == 403
    assert operations() == ["create"]


@pytest.mark.parametrize("action", ACTIONS)
def test_the_permission_is_enough_for_who_may_look(
    staff: MakeUser, session: KlarnaSession, action: str
) -> None:
    client = staff("view_klarnasession", f"{action}_klarnasession")

    assert choose(client, action, session).status_code == 200
    assert [level for level, _text in confirm(client, action, session)] == ["success"]


def test_who_may_not_look_may_not_repair(staff: MakeUser, session: KlarnaSession) -> None:
    client = staff("sync_klarnasession")

    assert client.post(f"{LIST}sync/", {"_selected_action": session.pk}).status_code == 403


def test_strangers_are_sent_to_the_login(client: Client, session: KlarnaSession) -> None:
    answer = client.post(f"{LIST}sync/", {"_selected_action": session.pk})

    assert answer["Location"].startswith("/admin/login/")


def test_another_site_cannot_confirm(staff: MakeUser, session: KlarnaSession, operations: Operations) -> None:
    client = staff("view_klarnasession", "sync_klarnasession", enforce_csrf_checks=True)

    assert client.post(f"{LIST}sync/", {"_selected_action": session.pk}).status_code == 403


@pytest.mark.parametrize("action", ACTIONS)
def test_a_project_with_atomic_requests(
    admin_client: Client,
    session: KlarnaSession,
    cart: Cart,
    operations: Operations,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    cart.lines.update(quantity=2)

    assert choose(admin_client, action, session).status_code == 200
    assert [level for level, _text in confirm(admin_client, action, session)] == ["success"]

    assert operations() == ["create", "update" if action == "sync" else "read"]


def test_each_failure_has_its_reason(
    admin_client: Client, session: KlarnaSession, klarna: Sandbox, make_cart: MakeCart
) -> None:
    refused, unreachable, unpayable = (services.ensure_session(cart=make_cart()) for _number in range(3))
    for row in (session, refused, unreachable):
        assert row.cart
        row.cart.lines.update(quantity=2)
    assert unpayable.cart
    unpayable.cart.lines.all().delete()
    klarna.fail_next("update_credit_session", drop="before")
    klarna.fail_next("update_credit_session", status=400, error_code="BAD_VALUE")

    said = confirm(admin_client, "sync", session, refused, unreachable, unpayable)

    assert said[0] == ("success", "1 session is equal to its cart now.")
    level, text = said[1]
    assert (level, text.partition(" ")[0]) == ("error", "3")
    # The newest come first.
    assert re.search(rf"{unpayable.key}: .*order_lines", text)
    assert re.search(rf"{unreachable.key}: .*the request may have reached Klarna", text)
    assert re.search(rf"{refused.key}: 400 BAD_VALUE \(correlation id \S+\)", text)


class BrokenAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> SessionCreate:
        raise LookupError("Ada Lovelace")


def test_an_error_of_the_shop_s_is_in_the_log_and_not_on_the_page(
    admin_client: Client, session: KlarnaSession, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.test_repairs.BrokenAdapter"

    said = confirm(admin_client, "sync", session)

    assert said == [("error", f"1 failed. {session.key}: LookupError, see the log")]
    assert "build_session" in caplog.text


def test_no_secret_is_in_a_reason(
    admin_client: Client, session: KlarnaSession, klarna: Sandbox, cart: Cart
) -> None:
    klarna.fail_next("update_credit_session", status=401)
    cart.lines.update(quantity=2)

    ((level, text),) = confirm(admin_client, "sync", session)

    assert (level, "401" in text) == ("error", True)
    said = text.replace(session.key, "")  # in which there may be anything
    for secret in ("secret-of-k1", "K1", session.client_token, "127.0.0.1"):
        assert secret not in said


def test_an_echo_is_no_reason(admin_client: Client, session: KlarnaSession, klarna: Sandbox) -> None:
    klarna.fail_next("read_credit_session", status=400, error_code="Ada Lovelace")

    ((_level, text),) = confirm(admin_client, "refresh", session)

    assert "400 KlarnaBadRequestError (" in text


def test_what_is_out_of_use_or_worked_on_is_left_alone(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart, operations: Operations
) -> None:
    worked_on = services.ensure_session(cart=make_cart())
    services.close_session(session.pk)
    KlarnaSession.objects.filter(pk=worked_on.pk).acquire(uuid.uuid4(), 60)

    for action in ACTIONS:
        assert confirm(admin_client, action, session, worked_on) == [
            ("warning", "2 sessions were left alone: they are not open, or being worked on.")
        ]
    assert operations() == ["create", "create"]


def test_a_session_that_is_not_open_is_not_read(
    admin_client: Client, session: KlarnaSession, operations: Operations
) -> None:
    KlarnaSession.objects.update(state=State.FAILED)

    assert [level for level, _text in confirm(admin_client, "refresh", session)] == ["warning"]
    assert operations() == ["create"]


@pytest.fixture
def many(make_cart: MakeCart, klarna: Sandbox) -> list[KlarnaSession]:
    cart = make_cart()
    return KlarnaSession.objects.bulk_create(
        KlarnaSession(cart=cart, account="default", order_amount=1) for _number in range(runs.MOST + 1)
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_a_run_has_a_limit(
    admin_client: Client, many: list[KlarnaSession], operations: Operations, action: str
) -> None:
    refusal = [("warning", f"Nothing was done: choose at most {runs.MOST}.")]

    for data in ({}, {"select_across": "1"}):
        answer = choose(admin_client, action, *many, **data)
        assert answer["Location"] == LIST
        page = admin_client.get(LIST)
        assert [(message.level_tag, message.message) for message in page.context["messages"]] == refusal
    assert confirm(admin_client, action, *many) == refusal
    assert choose(admin_client, action, *many[1:]).status_code == 200


def test_a_run_ends_when_klarna_is_slow(
    admin_client: Client,
    session: KlarnaSession,
    operations: Operations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "LONGEST_RUN", 0)

    assert confirm(admin_client, "refresh", session) == [
        ("warning", "Klarna is slow: 1 was not tried. Choose it again.")
    ]
    assert operations() == ["create"]


def test_nonsense_is_no_session(admin_client: Client, session: KlarnaSession, operations: Operations) -> None:
    nonsense = ["x", "", "-1", "9" * 30, str(session.pk + 1000)]
    answer = admin_client.post(f"{LIST}refresh/", {"_selected_action": nonsense})

    assert answer.status_code == 302
    assert operations() == ["create"]


def test_a_double_click_does_no_harm(
    staff: MakeUser, session: KlarnaSession, cart: Cart, klarna: Sandbox, operations: Operations
) -> None:
    client = staff("view_klarnasession", "sync_klarnasession")
    klarna.fail_next("update_credit_session", delay=0.3)
    cart.lines.update(quantity=2)

    def click() -> None:
        browser = Client()
        browser.cookies.update(client.cookies)
        browser.post(f"{LIST}sync/", {"_selected_action": session.pk})

    clicks = [threading.Thread(target=in_thread(click)) for _number in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    assert operations() == ["create", "update"]
    session.refresh_from_db()
    assert (session.in_doubt, session.lease_owner) == (False, None)


def test_the_history_says_who_did_it(
    staff: MakeUser, session: KlarnaSession, klarna: Sandbox, make_cart: MakeCart
) -> None:
    other = services.ensure_session(cart=make_cart())
    klarna.fail_next("read_credit_session", status=500)
    client = staff("view_klarnasession", "refresh_klarnasession")

    confirm(client, "refresh", session, other)

    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_id) == ("bob", str(session.pk))
    assert str(entry) == f"Changed “{session.key}” — Read from Klarna"

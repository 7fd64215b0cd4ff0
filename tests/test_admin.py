"""What staff see; and that looking costs nothing at Klarna."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from django_klarna import services
from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.conftest import MakeCart
from tests.sandboxes import Operations
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/django_klarna/klarnasession/"


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    return services.ensure_session(cart=cart)


def detail(session: KlarnaSession) -> str:
    return reverse("admin:django_klarna_klarnasession_change", args=[session.pk])


def test_the_list_shows_money_and_state(
    admin_client: Client, session: KlarnaSession, operations: Operations
) -> None:
    page = admin_client.get(LIST).text

    assert "248.00\u00a0SEK" in page
    assert session.key in page
    assert "klarna-good" in page
    assert operations() == ["create"]


def test_stale_and_doubtful_sessions_stand_out(admin_client: Client, session: KlarnaSession) -> None:
    KlarnaSession.objects.update(revision=5, in_doubt=True)

    for page in (admin_client.get(LIST).text, admin_client.get(detail(session)).text):
        assert '<span class="klarna-badge klarna-waiting">stale</span>' in page
        assert '<span class="klarna-badge klarna-bad">in doubt</span>' in page


def test_the_detail_shows_the_lines_as_a_table(
    admin_client: Client, session: KlarnaSession, operations: Operations
) -> None:
    page = admin_client.get(detail(session)).text

    assert "<td>Product 0</td>" in page
    assert '<td class="number">199.00\u00a0SEK</td>' in page
    assert '<td class="number">25\u00a0%</td>' in page
    assert session.session_id
    assert session.session_id in page
    assert operations() == ["create"]


def test_no_token_and_no_url_of_ours_is_shown(admin_client: Client, session: KlarnaSession) -> None:
    for page in (admin_client.get(LIST).text, admin_client.get(detail(session)).text):
        assert session.client_token not in page
        assert "shop.example" not in page


def test_nothing_can_be_edited(admin_client: Client, session: KlarnaSession) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(detail(session), {"state": "open"}).status_code == 403
    assert admin_client.post(f"{LIST}{session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert 'type="submit"' not in admin_client.get(detail(session)).text.partition("klarnasession_form")[2]


def test_only_staff_with_the_permission_may_look(client: Client, session: KlarnaSession) -> None:
    user = get_user_model().objects.create_user("bob", is_staff=True)
    client.force_login(user)
    assert client.get(detail(session)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_klarnasession"))
    assert client.get(detail(session)).status_code == 200


@pytest.mark.parametrize("field", ["key", "session_id", "cart_id"])
def test_search_finds_by_the_whole_id(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart, field: str
) -> None:
    other = services.ensure_session(cart=make_cart())

    page = admin_client.get(LIST, {"q": getattr(session, field)}).text

    assert session.key in page
    assert other.key not in page


def test_a_search_for_nothing_sensible_finds_nothing(admin_client: Client, session: KlarnaSession) -> None:
    assert session.key not in admin_client.get(LIST, {"q": "no such thing"}).text


def test_the_filter_for_what_is_in_use(admin_client: Client, session: KlarnaSession, cart: Cart) -> None:
    KlarnaSession.objects.update(in_doubt=True)
    successor = services.ensure_session(cart=cart)

    used = admin_client.get(LIST, {"in_use": "yes"}).text
    gone = admin_client.get(LIST, {"in_use": "no"}).text

    assert (successor.key in used, session.key in used) == (True, False)
    assert (successor.key in gone, session.key in gone) == (False, True)
    assert "not in use" in gone


@pytest.mark.parametrize(
    ("choice", "changes"), [("stale", {"revision": 5}), ("in_doubt", {"in_doubt": True})]
)
def test_the_filter_for_what_needs_attention(
    admin_client: Client, session: KlarnaSession, choice: str, changes: dict[str, Any]
) -> None:
    assert session.key not in admin_client.get(LIST, {"attention": choice}).text
    KlarnaSession.objects.update(**changes)
    assert session.key in admin_client.get(LIST, {"attention": choice}).text


def test_what_went_wrong_is_told(
    admin_client: Client, session: KlarnaSession, klarna: Sandbox, cart: Cart
) -> None:
    klarna.fail_next("update_credit_session", status=400, error_code="BAD_VALUE")
    line = cart.lines.get()
    line.quantity = 2
    line.save()

    page = admin_client.get(detail(session)).text

    assert "BAD_VALUE" in page
    assert session.key in admin_client.get(LIST, {"attention": "error"}).text


def test_the_list_costs_the_same_for_any_number_of_rows(
    admin_client: Client,
    session: KlarnaSession,
    make_cart: MakeCart,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _number in range(5):
        services.ensure_session(cart=make_cart())

    with django_assert_max_num_queries(6):
        admin_client.get(LIST)

"""Staff find a call by what they know of it, and looking costs the same however many there are."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries, Settings

from django_klarna import services
from django_klarna.admin import browsing, calls
from django_klarna.exceptions import KlarnaError
from django_klarna.models import KlarnaApiCall, KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.conftest import MakeCart
from tests.contract import OPERATIONS, ORDER_MANAGEMENT
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/django_klarna/klarnaapicall/"
SESSIONS = "/admin/django_klarna/klarnasession/"


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    """A session with a call that went well and one that did not."""
    session = services.ensure_session(cart=cart)
    klarna.fail_next("update_credit_session", status=400, error_code="BAD_VALUE")
    cart.lines.update(quantity=2)
    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)
    return session


def shown(page: str) -> list[str]:
    """The operations in the list, newest first, in one word each."""
    return re.findall(r'<td class="field-operation">([a-z]+)_credit_session<', page)


def test_the_list_tells_how_calls_ended(admin_client: Client, session: KlarnaSession) -> None:
    page = admin_client.get(LIST).text

    assert shown(page) == ["update", "create"]
    assert '<span class="klarna-badge klarna-bad">400</span>' in page
    assert '<span class="klarna-badge klarna-good">200</span>' in page
    assert f'<a href="{SESSIONS}{session.pk}/change/">{session.key}</a>' in page


def test_the_time_is_that_of_the_project_to_the_second(
    admin_client: Client, session: KlarnaSession, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Stockholm"
    KlarnaApiCall.objects.update(created_at=datetime(2026, 11, 22, 23, 4, 5, tzinfo=UTC))

    for address in (LIST, f"{SESSIONS}{session.pk}/change/"):
        assert admin_client.get(address).text.count("2026-11-23 00:04:05") == 2


@pytest.mark.parametrize(("sent", "word"), [(True, "no answer"), (False, "not sent")])
def test_a_call_without_an_answer(admin_client: Client, klarna: Sandbox, sent: bool, word: str) -> None:
    KlarnaApiCall.objects.create(sent=sent, error_code="KlarnaTimeoutError", duration=7, attempts=1)

    page = admin_client.get(LIST).text

    assert f'<span class="klarna-badge klarna-bad">{word}</span>' in page
    assert "7\u00a0ms" in page


@pytest.mark.parametrize("known", ["correlation_id", "error_code"])
def test_search_finds_a_call(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart, known: str
) -> None:
    services.ensure_session(cart=make_cart())
    failed = KlarnaApiCall.objects.get(error_code="BAD_VALUE")

    assert shown(admin_client.get(LIST, {"q": getattr(failed, known)}).text) == ["update"]


@pytest.mark.parametrize("known", ["key", "session_id"])
def test_search_finds_the_calls_of_a_session(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart, known: str
) -> None:
    services.ensure_session(cart=make_cart())

    assert shown(admin_client.get(LIST, {"q": getattr(session, known)}).text) == ["update", "create"]


def test_a_search_for_nothing_sensible_finds_nothing(admin_client: Client, session: KlarnaSession) -> None:
    assert shown(admin_client.get(LIST, {"q": "no such thing"}).text) == []


@pytest.mark.parametrize(
    ("choice", "found"), [("done", ["create"]), ("failed", ["update"]), ("no_answer", []), ("x", None)]
)
def test_the_filter_for_the_outcome(
    admin_client: Client, session: KlarnaSession, choice: str, found: list[str] | None
) -> None:
    page = admin_client.get(LIST, {"outcome": choice}).text

    assert shown(page) == (["update", "create"] if found is None else found)


def test_the_filter_for_the_operation(admin_client: Client, session: KlarnaSession) -> None:
    page = admin_client.get(LIST, {"operation": "create_credit_session"}).text

    assert shown(page) == ["create"]


def test_the_filter_knows_all_operations() -> None:
    assert set(calls.OPERATIONS) == {*OPERATIONS, *ORDER_MANAGEMENT}


def test_a_session_shows_its_last_calls_and_leads_to_all(
    admin_client: Client, session: KlarnaSession, make_cart: MakeCart
) -> None:
    other = services.ensure_session(cart=make_cart())
    page = admin_client.get(f"{SESSIONS}{session.pk}/change/").text
    last = KlarnaApiCall.objects.filter(session=session).latest("pk")

    assert last.correlation_id in page
    assert f'<a href="{LIST}?session={session.pk}">' in page
    assert shown(admin_client.get(LIST, {"session": session.pk}).text) == ["update", "create"]
    assert shown(admin_client.get(LIST, {"session": other.pk}).text) == ["create"]


def test_no_more_than_the_last_ones(admin_client: Client, session: KlarnaSession) -> None:
    KlarnaApiCall.objects.bulk_create(
        KlarnaApiCall(session=session, operation=f"number-{number}-", sent=True, duration=1, attempts=1)
        for number in range(calls.LAST)
    )

    page = admin_client.get(f"{SESSIONS}{session.pk}/change/").text

    assert [f"number-{number}-" in page for number in range(calls.LAST)] == [True] * calls.LAST
    assert "create_credit_session" not in page


def test_a_session_without_calls_says_so(admin_client: Client, session: KlarnaSession) -> None:
    KlarnaApiCall.objects.all().delete()

    assert "No call was noted down." in admin_client.get(f"{SESSIONS}{session.pk}/change/").text


def test_who_may_not_see_calls_does_not(client: Client, session: KlarnaSession) -> None:
    user = get_user_model().objects.create_user("bob", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_klarnasession"))
    client.force_login(user)
    page = client.get(f"{SESSIONS}{session.pk}/change/")

    assert page.status_code == 200
    assert KlarnaApiCall.objects.latest("pk").operation not in page.text
    assert client.get(LIST).status_code == 403


def test_nothing_can_be_edited(admin_client: Client, session: KlarnaSession) -> None:
    pk = KlarnaApiCall.objects.latest("pk").pk

    assert admin_client.get(f"{LIST}{pk}/change/").status_code == 200
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{pk}/change/", {"operation": "x"}).status_code == 403
    assert admin_client.post(f"{LIST}{pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_call_whose_session_is_gone(admin_client: Client, session: KlarnaSession) -> None:
    pk = session.pk
    KlarnaApiCall.objects.create(sent=True, duration=1, attempts=1)
    session.delete()

    page = admin_client.get(LIST).text

    assert page.count(f'<td class="field-session_link">{pk}</td>') == 2
    assert page.count('<td class="field-session_link">-</td>') == 1


def test_the_list_costs_the_same_for_any_number_of_rows(
    admin_client: Client,
    session: KlarnaSession,
    make_cart: MakeCart,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST)
    for _number in range(5):
        services.ensure_session(cart=make_cart())

    with django_assert_num_queries(len(queries)):
        admin_client.get(LIST)


@pytest.mark.parametrize("address", [LIST, SESSIONS])
def test_no_table_is_counted_to_its_end(
    admin_client: Client, session: KlarnaSession, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "MOST_ROWS", 1)
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(address)

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 1)" in counts[0]
    assert "ORDER BY" not in counts[0]
    assert page.context["cl"].result_count == 1


def test_a_search_uses_no_join(admin_client: Client, session: KlarnaSession) -> None:
    """Over two tables at once no database uses its indexes for an OR."""
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST, {"q": session.key})

    (count,) = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert "JOIN" not in count


def test_the_list_reads_no_payload_and_no_token(admin_client: Client, session: KlarnaSession) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(LIST)

    assert [
        query["sql"] for query in queries if "payload" in query["sql"] or "client_token" in query["sql"]
    ] == []

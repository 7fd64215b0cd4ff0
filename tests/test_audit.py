"""One row for each call of Klarna, whatever came of it; and a call that does not care what comes of its row."""

import logging
import random
import threading
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.signals import pre_save
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from django_klarna import audit, services
from django_klarna.api import Call, CustomerTokenCreationRequest, KlarnaClient, SessionCreate
from django_klarna.clients import client_for
from django_klarna.exceptions import KlarnaError
from django_klarna.models import KlarnaApiCall, KlarnaSession, calls
from django_klarna.sandbox import Sandbox, SandboxServer
from tests.conftest import MakeCart
from tests.services.threads import in_thread
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)

CREATE, READ, UPDATE = "create_credit_session", "read_credit_session", "update_credit_session"


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    """A session; how it came to be is forgotten."""
    session = services.ensure_session(cart=cart)
    KlarnaApiCall.objects.all().delete()
    return session


def change(cart: Cart) -> None:
    """Change the content so that no signal tells of it."""
    cart.lines.update(quantity=7)


def told() -> list[tuple[str, int | None, str, bool]]:
    calls = KlarnaApiCall.objects.order_by("pk")
    return [(call.operation, call.status_code, call.error_code, call.sent) for call in calls]


def test_a_success(klarna: Sandbox, cart: Cart) -> None:
    before = timezone.now()

    session = services.ensure_session(cart=cart)

    call = KlarnaApiCall.objects.get()
    assert told() == [(CREATE, 200, "", True)]
    assert (call.session_id, call.account, call.attempts) == (session.pk, "default", 1)
    assert len(call.correlation_id) == 36
    assert before <= call.created_at <= timezone.now()
    assert 0 <= call.duration < 60_000


def test_each_call_of_a_service(session: KlarnaSession, cart: Cart) -> None:
    change(cart)

    services.ensure_session(cart=cart)

    assert told() == [(UPDATE, 204, "", True), (READ, 200, "", True)]
    assert {call.session_id for call in KlarnaApiCall.objects.all()} == {session.pk}


def test_no_call_no_row(session: KlarnaSession, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    services.sync_session(session.pk)

    assert told() == []


@pytest.mark.parametrize(
    ("fault", "status", "error_code"),
    [
        ({"status": 400, "error_code": "BAD_VALUE"}, 400, "BAD_VALUE"),
        ({"status": 401}, 401, "KlarnaAuthenticationError"),
        ({"status": 503}, 503, "TEMPORARILY_UNAVAILABLE"),
        ({"drop": "after"}, None, "KlarnaConnectionError"),
        ({"delay": 30}, None, "KlarnaTimeoutError"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_failure(
    klarna: Sandbox,
    session: KlarnaSession,
    cart: Cart,
    settings: Settings,
    fault: dict[str, Any],
    status: int | None,
    error_code: str,
) -> None:
    settings.KLARNA_SYNC_TIMEOUT = 1 if "delay" in fault else 3
    klarna.fail_next(UPDATE, **fault)
    change(cart)

    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)

    (call,) = KlarnaApiCall.objects.all()
    assert told() == [(UPDATE, status, error_code, True)]
    assert call.session_id == session.pk


def test_what_was_never_sent_was_tried_more_than_once(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, sandbox_server: SandboxServer
) -> None:
    sandbox_server.stop()
    change(cart)

    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)

    assert told() == [(UPDATE, None, "KlarnaConnectionError", False)]
    assert KlarnaApiCall.objects.get().attempts > 1


def test_the_call_that_makes_a_successor_is_with_the_one_before(session: KlarnaSession, cart: Cart) -> None:
    KlarnaSession.objects.update(in_doubt=True)

    successor = services.ensure_session(cart=cart)

    assert successor.pk != session.pk
    assert KlarnaApiCall.objects.get(operation=CREATE).session_id == session.pk


def test_threads_do_not_mix_up_their_sessions(klarna: Sandbox, make_cart: MakeCart) -> None:
    carts = [make_cart(), make_cart()]
    together = threading.Barrier(2)
    klarna.fail_next(CREATE, delay=0.2, count=2)

    def ensure(cart: Cart) -> None:
        together.wait(timeout=10)
        services.ensure_session(cart=cart)

    threads = [threading.Thread(target=in_thread(partial(ensure, cart))) for cart in carts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sessions = set(KlarnaSession.objects.values_list("pk", flat=True))
    assert len(sessions) == 2
    assert {call.session_id for call in KlarnaApiCall.objects.all()} == sessions


def content() -> SessionCreate:
    line = {"name": "Pen", "quantity": 1, "unit_price": 100, "total_amount": 100}
    market = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE"}
    return SessionCreate.from_dict({**market, "order_amount": 100, "order_lines": [line]})


def create_by_hand() -> None:
    client_for("default").sessions.create_credit_session(content())


def test_a_call_without_a_session(klarna: Sandbox) -> None:
    create_by_hand()

    assert told() == [(CREATE, 200, "", True)]
    assert KlarnaApiCall.objects.get().session_id is None


TOKEN = "b4bd3423-24e3-4a2c-9c5c-0c2a1f1b2d3e"
OF_AUTHORIZATIONS: dict[str, Callable[[KlarnaClient], object]] = {
    "create_order": lambda client: client.orders.create_order(TOKEN, content().to_order()),
    "cancel_authorization": lambda client: client.orders.cancel_authorization(TOKEN),
    "purchase_token": lambda client: client.orders.purchase_token(
        TOKEN,
        CustomerTokenCreationRequest(
            description="Pens, each month",
            intended_use="SUBSCRIPTION",
            locale="sv-SE",
            purchase_country="SE",
            purchase_currency="SEK",
        ),
    ),
    "get_order": lambda client: client.order_management.get_order("3eaeb557-5e30-47f8-b840-b8d987f5945d"),
}


@pytest.mark.parametrize("operation", OF_AUTHORIZATIONS)
def test_a_call_for_what_klarna_does_not_know(klarna: Sandbox, operation: str) -> None:
    with pytest.raises(KlarnaError):
        OF_AUTHORIZATIONS[operation](client_for("default"))

    (row,) = KlarnaApiCall.objects.values()
    assert (row["operation"], row["status_code"], row["sent"]) == (operation, 404, True)
    assert TOKEN not in str(row)


def test_work_ends_with_its_lease(session: KlarnaSession, cart: Cart) -> None:
    change(cart)
    services.sync_session(session.pk)

    create_by_hand()

    assert KlarnaApiCall.objects.latest("pk").session_id is None


# What a row may say


def secrets_of(session: KlarnaSession) -> list[str]:
    return ["secret-of-k1", session.client_token, str(session.session_id), "Ada Lovelace", "shop.example"]


def test_nothing_that_was_said_is_kept(
    klarna: Sandbox,
    session: KlarnaSession,
    cart: Cart,
    admin_client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="django_klarna")
    product = cart.lines.get().product
    product.name = "Ada Lovelace"
    product.save()
    services.ensure_session(cart=cart)
    klarna.fail_next(UPDATE, status=400, error_code="BAD_VALUE")
    change(cart)
    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)

    rows = [str(row) for row in KlarnaApiCall.objects.values()]
    assert len(rows) == 3
    pages = [
        admin_client.get(f"/admin/django_klarna/klarnaapicall/{address}").text
        for address in ("", f"{KlarnaApiCall.objects.latest('pk').pk}/change/")
    ]
    session.refresh_from_db()
    for secret in secrets_of(session):
        assert secret
        assert [text for text in (*rows, *pages, caplog.text) if secret in text] == []


@pytest.mark.parametrize("echo", ["secret-of-k1", "eyJhbGciOiJSUzI1NiJ9.eyJ9.x", "Ada Lovelace", "A" * 65])
def test_an_echo_is_no_error_code(klarna: Sandbox, session: KlarnaSession, cart: Cart, echo: str) -> None:
    klarna.fail_next(UPDATE, status=400, error_code=echo)
    change(cart)

    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)

    assert told() == [(UPDATE, 400, "KlarnaBadRequestError", True)]


@pytest.mark.parametrize("echo", ["Ada Lovelace", "eyJhbGciOiJSUzI1NiJ9.eyJ9.x", "A" * 65])
def test_an_echo_is_no_correlation_id(echo: str) -> None:
    call = Call(
        operation=READ,
        method="GET",
        status_code=200,
        error_code=None,
        correlation_id=echo,
        failure=None,
        duration=0.1,
        attempts=1,
        sent=True,
    )

    audit.note("default", call)

    assert KlarnaApiCall.objects.get().correlation_id == ""


# Which rows are kept


def test_errors_are_always_kept(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, settings: Settings
) -> None:
    settings.KLARNA_AUDIT_SAMPLE_RATE = 0
    klarna.fail_next(UPDATE, status=400)
    change(cart)

    with pytest.raises(KlarnaError):
        services.sync_session(session.pk)
    services.sync_session(session.pk)

    assert [status for _operation, status, _code, _sent in told()] == [400]


def test_a_sample_has_all_calls_of_a_session_or_none(
    klarna: Sandbox, make_cart: MakeCart, settings: Settings
) -> None:
    settings.KLARNA_AUDIT_SAMPLE_RATE = 0.5
    for _number in range(12):
        cart = make_cart()
        services.ensure_session(cart=cart)
        change(cart)
        services.ensure_session(cart=cart)

    noted = [session.api_calls.count() for session in KlarnaSession.objects.all()]
    assert set(noted) == {0, 3}


def test_a_sample_of_calls_without_a_session(klarna: Sandbox, settings: Settings) -> None:
    settings.KLARNA_AUDIT_SAMPLE_RATE = 0.5
    random.seed(7)
    expected = [random.random() < 0.5 for _number in range(20)]
    random.seed(7)

    for _number in expected:
        create_by_hand()

    assert len(told()) == sum(expected)


def test_expired_are_those_that_are_too_old(session: KlarnaSession, cart: Cart, settings: Settings) -> None:
    settings.KLARNA_AUDIT_RETENTION = 3600
    change(cart)
    services.ensure_session(cart=cart)
    old, _new = KlarnaApiCall.objects.order_by("pk")
    KlarnaApiCall.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=1, seconds=1))

    assert list(KlarnaApiCall.objects.expired()) == [old]


def test_the_daily_job_deletes_what_is_expired_in_batches(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.KLARNA_AUDIT_RETENTION = 3600
    monkeypatch.setattr(calls, "BATCH", 2)
    for _number in range(8):
        KlarnaApiCall.objects.create(sent=True, duration=1, attempts=1)
    old = KlarnaApiCall.objects.values_list("pk", flat=True)[:5]
    KlarnaApiCall.objects.filter(pk__in=list(old)).update(created_at=timezone.now() - timedelta(hours=2))
    out = StringIO()

    with CaptureQueriesContext(connection) as queries:
        call_command("klarna_prune", stdout=out)

    assert out.getvalue() == "Deleted 5 notes of calls of Klarna.\n"
    assert KlarnaApiCall.objects.count() == 3
    assert len([query for query in queries if query["sql"].startswith("DELETE")]) == 3


# What a row costs, and what happens when it cannot be written


def test_a_row_is_one_insert_in_no_transaction_of_ours(session: KlarnaSession, cart: Cart) -> None:
    change(cart)
    depths: list[int] = []

    def look(**kwargs: object) -> None:
        depths.append(len(connection.atomic_blocks))

    with (
        listening(look),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        services.sync_session(session.pk)

    statements = [query["sql"] for query in queries if KlarnaApiCall._meta.db_table in query["sql"]]
    assert [statement.partition(" ")[0] for statement in statements] == ["INSERT"]
    assert depths == [1]


@contextmanager
def listening(receiver: Callable[..., None]) -> Iterator[None]:
    pre_save.connect(receiver, sender=KlarnaApiCall)
    try:
        yield
    finally:
        pre_save.disconnect(receiver, sender=KlarnaApiCall)


@contextmanager
def without_table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.delete_model(KlarnaApiCall)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(KlarnaApiCall)


def test_a_row_that_cannot_be_written_fails_nothing(
    session: KlarnaSession, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    change(cart)

    with without_table():
        ensured = services.ensure_session(cart=cart)

    assert (ensured.pk, ensured.in_doubt) == (session.pk, False)
    warnings = [(record.levelname, record.getMessage(), record.exc_info) for record in caplog.records]
    text = "A call of Klarna was not noted down: "
    assert [(level, message.startswith(text), info) for level, message, info in warnings] == [
        ("WARNING", True, None)
    ] * 2
    assert "INSERT" not in caplog.text


def break_the_transaction(**kwargs: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM secret_of_k1")


def test_the_transaction_of_a_test_goes_on(
    klarna: Sandbox, cart: Cart, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL refuses everything after an error in a transaction that is not in a savepoint."""

    class Shop(TestCase):
        databases = "__all__"

        def test_page(self) -> None:
            with listening(break_the_transaction):
                services.ensure_session(cart=cart)
            assert KlarnaSession.objects.get(cart=cart).live

    result = unittest.TestResult()
    unittest.TestSuite([Shop("test_page")]).run(result)

    assert (result.testsRun, result.errors, result.failures) == (1, [], [])
    assert "not noted down" in caplog.text
    assert "secret_of_k1" not in caplog.text


@pytest.mark.skipif(
    not connection.features.has_select_for_update,
    reason="needs row locks: DATABASE_URL=postgres://… or mysql://… (CONTRIBUTING.md)",
)
def test_a_row_waits_for_no_lock_of_its_session(session: KlarnaSession) -> None:
    noted: list[int] = []

    def note() -> None:
        row = KlarnaApiCall.objects.create(session_id=session.pk, sent=True, duration=1, attempts=1)
        noted.append(row.pk)

    thread = threading.Thread(target=in_thread(note))
    with transaction.atomic():
        KlarnaSession.objects.select_for_update().get(pk=session.pk)
        thread.start()
        thread.join(timeout=10)
        assert noted
    thread.join()


def test_a_row_outlives_its_session(session: KlarnaSession, cart: Cart, admin_client: Client) -> None:
    change(cart)
    services.sync_session(session.pk)
    pk = session.pk
    with CaptureQueriesContext(connection) as queries:
        session.delete()

    assert [query["sql"] for query in queries if KlarnaApiCall._meta.db_table in query["sql"]] == []
    call = KlarnaApiCall.objects.select_related("session").get()
    assert (call.session_id, call.session) == (pk, None)

"""A token is handed out for what the cart holds now, or not at all."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from django_klarna import services
from django_klarna.api import SessionCreate
from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaAuthenticationError,
    KlarnaBadRequestError,
    KlarnaBusyError,
    KlarnaConfigurationError,
)
from django_klarna.models import KlarnaSession, State
from django_klarna.sandbox import Sandbox, SandboxServer
from django_klarna.signals import session_closed, session_created
from tests.conftest import MakeCart
from tests.sandboxes import Operations, at_klarna
from tests.services.threads import in_thread
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_session_is_one_create(klarna: Sandbox, cart: Cart, operations: Operations) -> None:
    session = services.ensure_session(cart=cart)

    assert operations() == ["create"]
    known = at_klarna(klarna, session)
    assert known.content["order_amount"] == 19900 + 4900 == session.order_amount
    assert session.state == State.OPEN
    assert session.live
    assert session.client_token
    assert session.payment_method_categories[0]["identifier"] == "klarna"
    assert session.expires_at
    assert timedelta(hours=47) < session.expires_at - timezone.now() < timedelta(hours=49)


def test_an_unchanged_cart_costs_no_call_and_no_write(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    first = services.ensure_session(cart=cart)

    with CaptureQueriesContext(connection) as queries:
        second = services.ensure_session(cart=cart)

    assert operations() == ["create"]
    assert first.pk == second.pk
    asked = [query["sql"] for query in queries]
    assert len([sql for sql in asked if "klarnasession" in sql]) == 1
    assert not [sql for sql in asked if sql.startswith(("UPDATE", "INSERT", "DELETE"))]


def test_the_row_is_read_after_the_cart(
    klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings
) -> None:
    """While we read the cart another worker sends another content: the row as it was before would look good."""
    session = services.ensure_session(cart=cart)
    settings.KLARNA_CART_ADAPTER = "tests.services.test_ensure.OvertakenAdapter"

    services.ensure_session(cart=cart)

    assert operations() == ["create", "update"]
    assert at_klarna(klarna, session).content["order_amount"] == 19900 + 4900


def test_cart_and_lines_are_read_in_one_transaction(klarna: Sandbox, cart: Cart, settings: Settings) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_ensure.WatchfulAdapter"

    services.ensure_session(cart=cart)

    assert set(WatchfulAdapter.seen) == {True}


def test_a_change_without_a_signal_is_sent_and_read_back(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    services.ensure_session(cart=cart)
    CartLine.objects.update(quantity=3)

    session = services.ensure_session(cart=cart)

    assert operations() == ["create", "update", "read"]
    assert at_klarna(klarna, session).content["order_amount"] == 3 * 19900 + 4900
    assert session.order_amount == 3 * 19900 + 4900
    assert services.ensure_session(cart=cart).pk == session.pk
    assert operations() == ["create", "update", "read"]


def test_a_change_and_its_undo_are_no_call(klarna: Sandbox, cart: Cart, operations: Operations) -> None:
    services.ensure_session(cart=cart)
    CartLine.objects.update(quantity=3)
    CartLine.objects.update(quantity=1)

    services.ensure_session(cart=cart)

    assert operations() == ["create"]


def test_an_empty_cart_never_reaches_klarna(klarna: Sandbox, cart: Cart, operations: Operations) -> None:
    cart.lines.all().delete()
    cart.shipping = 0
    cart.save()

    with pytest.raises(CartNotPayable) as refused:
        services.ensure_session(cart=cart)

    assert [violation.rule for violation in refused.value.violations] == ["empty"]
    assert operations() == []
    assert not KlarnaSession.objects.exists()


def test_a_deleted_cart_is_not_payable(klarna: Sandbox, cart: Cart) -> None:
    stale, cart.pk = cart, cart.pk
    type(cart).objects.filter(pk=cart.pk).delete()

    with pytest.raises(CartNotPayable, match="cart"):
        services.ensure_session(cart=stale)


def test_a_session_about_to_expire_is_replaced(klarna: Sandbox, cart: Cart, operations: Operations) -> None:
    first = services.ensure_session(cart=cart)
    KlarnaSession.objects.update(expires_at=timezone.now() + timedelta(minutes=10))

    second = services.ensure_session(cart=cart)

    assert operations() == ["create", "create"]
    first.refresh_from_db()
    assert (first.state, first.live) == (State.EXPIRED, None)
    assert second.pk != first.pk


def test_a_session_that_klarna_has_forgotten_is_replaced_once(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    first = services.ensure_session(cart=cart)
    klarna.advance(49 * 3600)
    CartLine.objects.update(quantity=2)

    second = services.ensure_session(cart=cart)
    services.ensure_session(cart=cart)

    assert operations() == ["create", "update", "create"]
    assert second.session_id in klarna.sessions
    first.refresh_from_db()
    assert (first.state, first.live, first.in_doubt) == (State.EXPIRED, None, False)


@pytest.mark.parametrize(
    "change",
    [
        {"USERNAME": "K9"},
        {"REGION": "na"},
        {"USERNAME": None, "PASSWORD": None, "API_KEY": "klarna_test_api_9"},
    ],
)
def test_a_session_of_another_account_is_not_used(
    klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings, change: dict[str, str | None]
) -> None:
    """Going live under the same alias must not hand out a token of the playground."""
    first = services.ensure_session(cart=cart)
    settings.KLARNA = {"default": settings.KLARNA["default"] | change}

    second = services.ensure_session(cart=cart)

    assert second.pk != first.pk
    assert operations() == ["create", "create"]


def test_a_new_password_is_the_same_account(
    klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings
) -> None:
    services.ensure_session(cart=cart)
    settings.KLARNA = {"default": {**settings.KLARNA["default"], "PASSWORD": "another"}}

    services.ensure_session(cart=cart)

    assert operations() == ["create"]


@pytest.mark.parametrize("status", [404, 409])
def test_a_session_that_cannot_be_updated_is_replaced(
    klarna: Sandbox, cart: Cart, operations: Operations, status: int
) -> None:
    """A conflict that is kept would leave the shopper stuck."""
    first = services.ensure_session(cart=cart)
    CartLine.objects.update(quantity=2)
    klarna.fail_next("update_credit_session", status=status)

    assert services.ensure_session(cart=cart).pk != first.pk
    assert operations() == ["create", "update", "create"]


@pytest.mark.parametrize(("country", "currency"), [("FI", "EUR"), ("NO", "NOK")])
def test_another_country_is_another_session(
    klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings, country: str, currency: str
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.shop.klarna.NordicAdapter"
    first = services.ensure_session(cart=cart)
    type(cart).objects.update(country=country, currency=currency)

    second = services.ensure_session(cart=cart)
    services.ensure_session(cart=cart)

    assert operations() == ["create", "create"]
    assert second.pk != first.pk
    assert second.purchase_country == country
    assert second.account == ("norway" if country == "NO" else "default")


def test_a_session_that_has_its_order_is_never_created_anew(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    session = services.ensure_session(cart=cart)
    klarna.complete(at_klarna(klarna, session).session_id)
    CartLine.objects.update(quantity=2)

    for _attempt in range(2):
        with pytest.raises(CartNotPayable, match="session_completed"):
            services.ensure_session(cart=cart)

    session.refresh_from_db()
    assert (session.state, session.live) == (State.COMPLETED, True)
    assert operations() == ["create", "update"]


class TestFaults:
    def test_klarna_away(
        self, klarna: Sandbox, sandbox_server: SandboxServer, cart: Cart, settings: Settings
    ) -> None:
        settings.KLARNA_ENSURE_TIMEOUT = 1.0
        sandbox_server.stop()

        with pytest.raises(KlarnaBusyError) as busy:
            services.ensure_session(cart=cart)

        assert busy.value.retry_after >= 1
        row = KlarnaSession.objects.get()
        assert (row.state, row.error_code, row.lease_owner) == (State.CREATING, "KlarnaConnectionError", None)
        sandbox_server.start()
        settings.KLARNA_ENSURE_TIMEOUT = 30
        assert services.ensure_session(cart=cart).pk == row.pk

    def test_time_that_is_up_is_not_noted_over_what_used_it_up(
        self, klarna: Sandbox, sandbox_server: SandboxServer, cart: Cart, settings: Settings
    ) -> None:
        settings.KLARNA_ENSURE_TIMEOUT = SlowAdapter.pause = 1.0
        settings.KLARNA_CART_ADAPTER = "tests.services.test_ensure.SlowAdapter"
        sandbox_server.stop()

        with pytest.raises(KlarnaBusyError):
            services.ensure_session(cart=cart)

        assert KlarnaSession.objects.get().error_code == "KlarnaConnectionError"

    def test_an_unheard_create_is_made_again(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        klarna.fail_next("create_credit_session", drop="after")

        session = services.ensure_session(cart=cart)

        assert operations() == ["create", "create"]
        assert klarna.calls[-1].session_id == session.session_id
        assert KlarnaSession.objects.count() == 1

    @pytest.mark.parametrize(
        "fault", [{"drop": "after"}, {"drop": "before"}, {"status": 500}, {"status": 503}]
    )
    def test_an_unheard_update_is_replaced_and_never_updated(
        self, klarna: Sandbox, cart: Cart, operations: Operations, fault: dict[str, Any]
    ) -> None:
        first = services.ensure_session(cart=cart)
        CartLine.objects.update(quantity=2)
        klarna.fail_next("update_credit_session", **fault)

        second = services.ensure_session(cart=cart)

        assert operations() == ["create", "update", "create"]
        first.refresh_from_db()
        assert (first.state, first.live, first.in_doubt) == (State.REPLACED, None, True)
        assert at_klarna(klarna, second).content["order_amount"] == 2 * 19900 + 4900

    def test_a_lost_update_and_then_the_cart_as_it_was(
        self, klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings
    ) -> None:
        """The digest is that of the cart again, and Klarna has another content: only the doubt tells."""
        settings.KLARNA_SYNC_TIMEOUT = 1
        first = services.ensure_session(cart=cart)
        line = cart.lines.get()
        klarna.fail_next("update_credit_session", drop="after")
        line.quantity = 5
        line.save()
        assert at_klarna(klarna, first).content["order_amount"] == 5 * 19900 + 4900
        CartLine.objects.update(quantity=1)

        second = services.ensure_session(cart=cart)

        assert second.session_id != first.session_id
        assert at_klarna(klarna, second).content["order_amount"] == 19900 + 4900

    def test_a_refused_cart_is_not_tried_in_a_loop(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        klarna.fail_next("create_credit_session", status=400, error_code="BAD_VALUE")

        with pytest.raises(KlarnaBadRequestError):
            services.ensure_session(cart=cart)

        assert operations() == ["create"]
        row = KlarnaSession.objects.get()
        assert (row.state, row.error_status, row.error_code) == (State.FAILED, 400, "BAD_VALUE")
        assert row.error_correlation_id
        assert services.ensure_session(cart=cart).pk == row.pk
        assert KlarnaSession.objects.get().error_code == ""

    def test_a_refused_update_leaves_no_doubt(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        first = services.ensure_session(cart=cart)
        CartLine.objects.update(quantity=2)
        klarna.fail_next("update_credit_session", status=400, error_code="BAD_VALUE")

        with pytest.raises(KlarnaBadRequestError):
            services.ensure_session(cart=cart)

        first.refresh_from_db()
        assert not first.in_doubt
        assert services.ensure_session(cart=cart).pk == first.pk
        assert operations() == ["create", "update", "update", "read"]

    def test_wrong_credentials_are_not_tried_again(
        self, klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings
    ) -> None:
        settings.KLARNA = {"default": {**settings.KLARNA["default"], "PASSWORD": "wrong"}}

        with pytest.raises(KlarnaAuthenticationError):
            services.ensure_session(cart=cart)

        assert operations() == ["create"]

    def test_too_many_requests_are_waited_for(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        klarna.fail_next("create_credit_session", status=429)

        assert services.ensure_session(cart=cart).state == State.OPEN
        assert operations() == ["create", "create"]

    def test_a_longer_wait_than_the_deadline_is_not_begun(
        self, klarna: Sandbox, cart: Cart, settings: Settings
    ) -> None:
        settings.KLARNA_ENSURE_TIMEOUT = 0.3
        klarna.fail_next("create_credit_session", status=429, count=9)

        with pytest.raises(KlarnaBusyError):
            services.ensure_session(cart=cart)

        assert len(klarna.calls) <= 2

    def test_a_silent_klarna_does_not_hang_the_page(
        self, klarna: Sandbox, cart: Cart, settings: Settings
    ) -> None:
        settings.KLARNA_ENSURE_TIMEOUT = 0.5
        klarna.fail_next("create_credit_session", delay=5, count=9)
        start = timezone.now()

        with pytest.raises(KlarnaBusyError):
            services.ensure_session(cart=cart)

        assert timezone.now() - start < timedelta(seconds=1.5)

    def test_a_silent_klarna_does_not_hang_an_update(
        self, klarna: Sandbox, cart: Cart, settings: Settings
    ) -> None:
        services.ensure_session(cart=cart)
        settings.KLARNA_ENSURE_TIMEOUT = 0.5
        CartLine.objects.update(quantity=2)
        klarna.fail_next(delay=5, count=9)
        start = timezone.now()

        with pytest.raises(KlarnaBusyError):
            services.ensure_session(cart=cart)

        assert timezone.now() - start < timedelta(seconds=1.5)

    def test_a_read_that_shows_another_amount_is_doubted(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        first = services.ensure_session(cart=cart)
        KlarnaSession.objects.update(read_digest="")
        at_klarna(klarna, first).content["order_amount"] = 1

        second = services.ensure_session(cart=cart)

        assert operations() == ["create", "read", "create"]
        assert second.session_id != first.session_id

    def test_an_account_without_credentials_is_named(
        self, klarna: Sandbox, cart: Cart, settings: Settings
    ) -> None:
        settings.KLARNA = {"default": {"USERNAME": "K1"}}

        with pytest.raises(KlarnaConfigurationError, match=r"KLARNA\['default'\].*PASSWORD"):
            services.ensure_session(cart=cart)


class TestTransactions:
    def test_an_open_transaction_is_refused_before_any_call(
        self, klarna: Sandbox, cart: Cart, operations: Operations
    ) -> None:
        with transaction.atomic(), pytest.raises(TransactionManagementError, match="on_commit"):
            services.ensure_session(cart=cart)

        assert operations() == []

    def test_autocommit_off_is_refused(self, klarna: Sandbox, cart: Cart, operations: Operations) -> None:
        transaction.set_autocommit(False)
        try:
            with pytest.raises(TransactionManagementError, match="open transaction"):
                services.ensure_session(cart=cart)
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)

        assert operations() == []

    def test_no_transaction_is_open_while_klarna_is_asked(
        self, klarna: Sandbox, cart: Cart, sandbox_server: SandboxServer
    ) -> None:
        """Another connection can write while Klarna is slow: nothing of ours holds a lock."""
        klarna.fail_next("create_credit_session", delay=0.5)
        asked = threading.Thread(target=in_thread(lambda: services.ensure_session(cart=cart)))
        asked.start()
        while not klarna.calls:
            pass
        started = timezone.now()
        CartLine.objects.update(quantity=2)
        waited = timezone.now() - started
        asked.join()

        assert waited < timedelta(seconds=0.4)
        assert at_klarna(klarna, KlarnaSession.objects.get()).content["order_amount"] == 2 * 19900 + 4900


class TestInsideTestCase(TestCase):
    """The block that TestCase opens around a test does not count as an open transaction."""

    @pytest.fixture(autouse=True)
    def _klarna(self, klarna: Sandbox, make_cart: MakeCart) -> None:
        self.cart = make_cart()

    def test_ensure_works(self) -> None:
        assert services.ensure_session(cart=self.cart).state == State.OPEN


class SlowAdapter(ShopCartAdapter):
    """Takes all the time there is, once a call has failed."""

    pause: float

    def build_session(self, cart: Cart) -> SessionCreate:
        if KlarnaSession.objects.exclude(error_code="").exclude(lease_owner=None).exists():
            time.sleep(self.pause)
        return super().build_session(cart)


class RestlessAdapter(ShopCartAdapter):
    """Gives another answer each time: an unordered query, a time stamp."""

    def build_session(self, cart: Cart) -> SessionCreate:
        return super().build_session(cart).replace(merchant_data=str(time.time_ns()))


def test_an_adapter_that_never_says_the_same_does_not_storm_klarna(
    klarna: Sandbox, cart: Cart, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_ensure.RestlessAdapter"
    settings.KLARNA_ENSURE_TIMEOUT = 1.5

    with pytest.raises(KlarnaBusyError):
        services.ensure_session(cart=cart)

    assert len(klarna.calls) < 12
    assert "Does build_session() give the same answer each time?" in caplog.text


def test_projects_without_time_zones(
    klarna: Sandbox, cart: Cart, operations: Operations, settings: Settings
) -> None:
    settings.USE_TZ = False
    services.ensure_session(cart=cart)
    CartLine.objects.update(quantity=2)

    session = services.ensure_session(cart=cart)

    assert operations() == ["create", "update", "read"]
    assert session.expires_at
    assert timedelta(hours=47) < session.expires_at - timezone.now() < timedelta(hours=49)


class OvertakenAdapter(ShopCartAdapter):
    def account_for(self, cart: Cart) -> str:
        KlarnaSession.objects.filter(update_seq=0).update(digest="of another content")
        return "default"


class WatchfulAdapter(ShopCartAdapter):
    seen: list[bool] = []

    def account_for(self, cart: Cart) -> str:
        self.seen.append(connection.in_atomic_block)
        return "default"


def test_a_crashed_worker_holds_nobody_up_for_ever(klarna: Sandbox, cart: Cart) -> None:
    session = services.ensure_session(cart=cart)
    CartLine.objects.update(quantity=2)
    KlarnaSession.objects.update(
        lease_owner="00000000-0000-0000-0000-000000000001", lease_until=timezone.now()
    )

    assert services.ensure_session(cart=cart).pk == session.pk


def test_signals_tell_what_happened(klarna: Sandbox, cart: Cart) -> None:
    told: list[tuple[object, ...]] = []
    session_created.connect(created := lambda session, **_: told.append(("created", session.pk)))
    session_closed.connect(closed := lambda session, **_: told.append(("closed", session.pk, session.state)))
    first = services.ensure_session(cart=cart)
    KlarnaSession.objects.update(in_doubt=True)
    second = services.ensure_session(cart=cart)

    assert told == [("created", first.pk), ("closed", first.pk, "replaced"), ("created", second.pk)]
    del created, closed

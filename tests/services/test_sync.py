"""What a push does with a row, and what it leaves alone."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django import Settings

from django_klarna import services
from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaBadRequestError,
    KlarnaConfigurationError,
    KlarnaConnectionError,
    KlarnaServerError,
)
from django_klarna.models import KlarnaSession, State
from django_klarna.sandbox import Sandbox
from django_klarna.services.leases import LeaseLostError, acquire, sessions
from django_klarna.signals import session_sync_failed, session_updated
from tests.sandboxes import Operations, at_klarna
from tests.services.threads import in_thread
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine, Product

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    return services.ensure_session(cart=cart)


def test_a_push_is_one_call_and_never_reads(
    klarna: Sandbox, session: KlarnaSession, operations: Operations
) -> None:
    CartLine.objects.update(quantity=2)

    assert services.sync_session(session.pk) is True

    assert operations() == ["create", "update"]
    session.refresh_from_db()
    assert (session.in_doubt, session.lease_owner, session.update_seq) == (False, None, 1)
    assert session.digest != session.read_digest


def test_the_page_reads_once_after_a_push(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    CartLine.objects.update(quantity=2)
    services.sync_session(session.pk)

    services.ensure_session(cart=cart)
    services.ensure_session(cart=cart)

    assert operations() == ["create", "update", "read"]


def test_an_equal_cart_is_no_call_and_no_longer_stale(
    klarna: Sandbox, session: KlarnaSession, operations: Operations
) -> None:
    sessions().filter(pk=session.pk).raise_revision()

    services.sync_session(session.pk)

    session.refresh_from_db()
    assert operations() == ["create"]
    assert not session.is_stale


def test_a_leased_row_is_left_to_its_worker(
    klarna: Sandbox, session: KlarnaSession, operations: Operations
) -> None:
    CartLine.objects.update(quantity=2)
    acquire(session.pk, 60)

    assert services.sync_session(session.pk) is False
    assert operations() == ["create"]


def test_a_push_whose_row_goes_out_of_use_meanwhile_has_done_nothing(
    klarna: Sandbox, session: KlarnaSession
) -> None:
    CartLine.objects.update(quantity=2)
    klarna.fail_next("update_credit_session", delay=0.4)
    closing = threading.Thread(target=in_thread(lambda: close_later(session.pk)))
    closing.start()

    assert services.sync_session(session.pk) is False

    closing.join()
    session.refresh_from_db()
    assert (session.state, session.order_amount) == (State.ABANDONED, 19900 + 4900)


def close_later(pk: int) -> None:
    while not KlarnaSession.objects.get(pk=pk).in_doubt:
        time.sleep(0.01)
    services.close_session(pk)


def test_refresh_leaves_a_row_to_its_worker(
    klarna: Sandbox, session: KlarnaSession, operations: Operations
) -> None:
    acquire(session.pk, 60)

    services.refresh_session(session.pk)

    assert operations() == ["create"]


def test_refresh_reads_no_session_that_klarna_never_made(
    klarna: Sandbox, cart: Cart, operations: Operations
) -> None:
    klarna.fail_next("create_credit_session", status=400, error_code="BAD_VALUE")
    with pytest.raises(KlarnaBadRequestError):
        services.ensure_session(cart=cart)

    services.refresh_session(KlarnaSession.objects.get().pk)

    assert operations() == ["create"]
    assert KlarnaSession.objects.get().lease_owner is None


def test_a_lost_lease_reads_nothing(klarna: Sandbox, session: KlarnaSession) -> None:
    lease = acquire(session.pk, 60)
    assert lease
    services.close_session(session.pk)

    with pytest.raises(LeaseLostError):
        lease.row()


def test_a_lost_lease_drops_what_was_found_out(klarna: Sandbox, session: KlarnaSession) -> None:
    lease = acquire(session.pk, 60)
    assert lease
    row = lease.row()
    sessions().filter(pk=session.pk).update(lease_owner=uuid.uuid4())

    with pytest.raises(LeaseLostError):
        lease.write(row, digest="mine")

    session.refresh_from_db()
    assert session.digest != "mine"


def test_each_lease_has_an_owner_of_its_own(klarna: Sandbox, session: KlarnaSession) -> None:
    """A worker that comes back after its lease has ended does not write under that of another one."""
    late = acquire(session.pk, 60)
    assert late
    row = late.row()
    KlarnaSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert acquire(session.pk, 60)

    with pytest.raises(LeaseLostError):
        late.write(row, digest="late")


def test_a_change_while_a_session_is_replaced_is_not_lost(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    KlarnaSession.objects.update(in_doubt=True)
    klarna.fail_next("create_credit_session", delay=0.4)
    push = threading.Thread(target=in_thread(lambda: services.sync_session(session.pk)))
    push.start()
    while len(klarna.calls) < 2:
        time.sleep(0.01)
    line = cart.lines.get()
    line.quantity = 2
    line.save()
    push.join()

    assert operations() == ["create", "create", "update"]
    new = KlarnaSession.objects.get(live=True)
    assert at_klarna(klarna, new).content["order_amount"] == 2 * 19900 + 4900
    assert not new.is_stale


def test_a_lease_ends_by_the_clock_of_the_database(klarna: Sandbox, session: KlarnaSession) -> None:
    assert acquire(session.pk, 60)
    assert acquire(session.pk, 60) is None
    session.refresh_from_db()
    assert session.lease_until
    assert timedelta(seconds=60) < session.lease_until - timezone.now() < timedelta(seconds=70)
    KlarnaSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert acquire(session.pk, 60)


@pytest.mark.skipif(
    connection.vendor != "mysql", reason="needs MariaDB: DATABASE_URL=mysql://… (CONTRIBUTING.md)"
)
def test_a_lease_ends_in_utc_whatever_the_zone_of_the_server(klarna: Sandbox, session: KlarnaSession) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '-05:00'")
    try:
        acquire(session.pk, 60)
        session.refresh_from_db()
    finally:
        connection.close()

    assert session.lease_until
    assert session.lease_until > timezone.now()


def test_a_change_during_the_call_is_another_round(
    klarna: Sandbox, session: KlarnaSession, operations: Operations, settings: Settings
) -> None:
    """What came in while Klarna was answering is not lost: the release finds the revision raised."""
    settings.KLARNA_CART_ADAPTER = "tests.services.test_sync.ChangingAdapter"
    ChangingAdapter.changes = 1
    CartLine.objects.update(quantity=2)

    services.sync_session(session.pk)

    assert operations() == ["create", "update", "update"]
    assert at_klarna(klarna, session).content["order_amount"] == 3 * 19900 + 4900
    session.refresh_from_db()
    assert not session.is_stale


def test_a_cart_that_never_rests_ends_stale_after_three_rounds(
    klarna: Sandbox, session: KlarnaSession, operations: Operations, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_sync.ChangingAdapter"
    ChangingAdapter.changes = 9
    CartLine.objects.update(quantity=2)

    services.sync_session(session.pk)

    assert operations() == ["create", *["update"] * 3]
    session.refresh_from_db()
    assert session.is_stale
    assert session.lease_owner is None


def test_a_failed_push_is_noted_told_and_raised(klarna: Sandbox, session: KlarnaSession) -> None:
    told = []
    session_sync_failed.connect(
        receiver := lambda session, error, **_: told.append((session.pk, type(error)))
    )
    klarna.fail_next("update_credit_session", status=500)
    CartLine.objects.update(quantity=2)

    with pytest.raises(KlarnaServerError):
        services.sync_session(session.pk)

    session.refresh_from_db()
    assert told == [(session.pk, KlarnaServerError)]
    assert (session.in_doubt, session.error_status, session.lease_owner) == (True, 500, None)
    assert session.error_correlation_id
    del receiver


def test_an_unpayable_cart_stays_stale_and_tells_why(klarna: Sandbox, session: KlarnaSession) -> None:
    Cart.objects.update(shipping=0)
    CartLine.objects.all().delete()
    sessions().filter(pk=session.pk).raise_revision()

    with pytest.raises(CartNotPayable):
        services.sync_session(session.pk)

    session.refresh_from_db()
    assert session.error_code == "CartNotPayable"
    assert session.is_stale


def test_refresh_reads_once_and_a_vanished_session_is_replaced_next(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    klarna.advance(49 * 3600)

    services.refresh_session(session.pk)

    assert operations() == ["create", "read"]
    assert services.ensure_session(cart=cart).pk != session.pk


def test_refresh_finds_out_that_the_session_has_its_order(klarna: Sandbox, session: KlarnaSession) -> None:
    klarna.complete(at_klarna(klarna, session).session_id)

    with pytest.raises(CartNotPayable, match="session_completed"):
        services.refresh_session(session.pk)

    session.refresh_from_db()
    assert (session.state, session.live, session.lease_owner) == (State.COMPLETED, True, None)


def test_a_read_takes_no_doubt_away(klarna: Sandbox, session: KlarnaSession, cart: Cart) -> None:
    """The amounts are equal and the goods are not: only the doubt says so."""
    product = cart.lines.get().product
    other = Product.objects.create(name="Other", price=product.price)
    klarna.fail_next("update_credit_session", drop="after")
    CartLine.objects.update(product=other)
    with pytest.raises(KlarnaConnectionError):
        services.sync_session(session.pk)
    CartLine.objects.update(product=product)

    services.refresh_session(session.pk)

    new = services.ensure_session(cart=cart)
    assert at_klarna(klarna, new).content["order_lines"][0]["name"] == product.name


def test_a_session_that_is_closed_while_it_is_read(klarna: Sandbox, session: KlarnaSession) -> None:
    klarna.fail_next("read_credit_session", delay=0.3)
    reader = threading.Thread(target=in_thread(lambda: services.refresh_session(session.pk)))
    reader.start()
    while len(klarna.calls) < 2:
        time.sleep(0.01)
    services.close_session(session.pk)
    reader.join()

    session.refresh_from_db()
    assert (session.state, session.live) == (State.ABANDONED, None)


def test_what_is_healed_shows_no_error(klarna: Sandbox, session: KlarnaSession) -> None:
    klarna.fail_next("update_credit_session", status=400)
    CartLine.objects.update(quantity=2)
    with pytest.raises(KlarnaBadRequestError):
        services.sync_session(session.pk)
    CartLine.objects.update(quantity=1)

    services.sync_session(session.pk)

    session.refresh_from_db()
    assert (session.error_code, session.error_at) == ("", None)


def test_a_missing_password_makes_no_doubt(
    klarna: Sandbox, session: KlarnaSession, settings: Settings
) -> None:
    settings.KLARNA = {"default": {**settings.KLARNA["default"], "PASSWORD": ""}}
    CartLine.objects.update(quantity=2)

    with pytest.raises(KlarnaConfigurationError):
        services.sync_session(session.pk)

    session.refresh_from_db()
    assert not session.in_doubt
    assert (session.error_code, session.lease_owner) == ("KlarnaConfigurationError", None)


def test_the_text_of_a_strangers_error_is_not_kept(
    klarna: Sandbox, session: KlarnaSession, settings: Settings
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.services.test_sync.IndiscreetAdapter"

    with pytest.raises(KeyError):
        services.sync_session(session.pk)

    session.refresh_from_db()
    assert (session.error_code, session.error_message) == ("KeyError", "")


def test_a_receiver_may_ask_for_the_session(klarna: Sandbox, session: KlarnaSession, cart: Cart) -> None:
    """Signals are sent after the lease is released: nobody waits for himself."""
    asked = []
    session_updated.connect(receiver := lambda **_: asked.append(services.ensure_session(cart=cart).pk))
    CartLine.objects.update(quantity=2)

    services.sync_session(session.pk)

    assert asked == [session.pk]
    del receiver


@pytest.mark.parametrize("service", [services.close_session, services.refresh_session, services.sync_session])
def test_services_refuse_an_open_transaction(
    klarna: Sandbox, session: KlarnaSession, service: Callable[[int], object]
) -> None:
    with transaction.atomic(), pytest.raises(TransactionManagementError, match=service.__name__):
        service(session.pk)


def test_refresh_takes_the_expiry_from_klarna(klarna: Sandbox, session: KlarnaSession) -> None:
    KlarnaSession.objects.update(expires_at=timezone.now())

    services.refresh_session(session.pk)

    session.refresh_from_db()
    assert session.expires_at
    assert session.expires_at > timezone.now() + timedelta(hours=47)


def test_a_closed_session_is_out_of_use_and_its_worker_fenced_out(
    klarna: Sandbox, session: KlarnaSession, cart: Cart
) -> None:
    lease = acquire(session.pk, 60)
    assert lease
    row = lease.row()

    assert services.close_session(session.pk) is True
    assert services.close_session(session.pk) is False

    session.refresh_from_db()
    assert (session.state, session.live) == (State.ABANDONED, None)
    with pytest.raises(LeaseLostError):
        lease.write(row, digest="late")
    assert services.ensure_session(cart=cart).pk != session.pk


def test_an_update_is_announced(klarna: Sandbox, session: KlarnaSession) -> None:
    told = []
    session_updated.connect(receiver := lambda session, **_: told.append(session.order_amount))
    CartLine.objects.update(quantity=2)

    services.sync_session(session.pk)

    assert told == [2 * 19900 + 4900]
    del receiver


class IndiscreetAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> NoReturn:
        raise KeyError("alice@example.com")


class ChangingAdapter(ShopCartAdapter):
    """A shopper who changes the cart right after it was read, for the first ``changes`` times."""

    changes = 0

    def account_for(self, cart: Cart) -> str:
        cls = type(self)
        if cls.changes:
            cls.changes -= 1
            CartLine.objects.update(quantity=cart.lines.get().quantity + 1)
            KlarnaSession.objects.live_for(cart.pk).raise_revision()
        return "default"

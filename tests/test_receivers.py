"""From a change of a cart to what reaches Klarna after the commit."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar

import pytest
from django.core import serializers
from django.db import transaction
from django.test import TestCase
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from django_klarna import services
from django_klarna.exceptions import KlarnaBusyError
from django_klarna.models import KlarnaSession, State
from django_klarna.receivers import LOOK_BACK, CartHook, after_commit, on_change
from django_klarna.sandbox import Sandbox, SandboxServer
from django_klarna.signals import cart_changed
from tests.conftest import MakeCart
from tests.sandboxes import Operations, at_klarna
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart, CartLine, Engraving, GiftLine

pytestmark = pytest.mark.django_db(transaction=True)


class UndoError(Exception):
    pass


@pytest.fixture
def session(klarna: Sandbox, cart: Cart) -> KlarnaSession:
    return services.ensure_session(cart=cart)


def amount_at(klarna: Sandbox, session: KlarnaSession) -> object:
    return at_klarna(klarna, session).content["order_amount"]


def change(line: CartLine, quantity: int) -> None:
    line.quantity = quantity
    line.save()


def registered() -> list[object]:
    return [entry[1] for entry in transaction.get_connection().run_on_commit]


def undo(work: Callable[[], object]) -> None:
    with transaction.atomic():
        work()
        raise UndoError


def test_a_change_is_one_update(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    change(cart.lines.get(), 2)

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_three_changes_in_one_transaction_are_one_update_with_the_last_content(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    with transaction.atomic():
        change(line, 2)
        change(line, 3)
        cart.shipping = 0
        cart.save()
        assert registered() == [CartHook(cart.pk)]

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 3 * 19900


def test_a_change_and_its_undo_in_one_transaction_are_no_call(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    with transaction.atomic():
        change(line, 2)
        change(line, 1)

    assert operations() == ["create"]
    session.refresh_from_db()
    assert not session.is_stale


def test_a_rolled_back_change_is_no_call(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    with pytest.raises(UndoError):
        undo(lambda: change(cart.lines.get(), 2))

    assert operations() == ["create"]


def test_a_rolled_back_savepoint_followed_by_a_real_change_is_one_update(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    with transaction.atomic():
        with pytest.raises(UndoError):
            undo(lambda: change(line, 7))
        change(line, 2)

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_a_change_outside_survives_a_rolled_back_savepoint(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    with transaction.atomic():
        change(line, 2)
        with pytest.raises(UndoError):
            undo(lambda: change(line, 7))

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_a_kept_savepoint_and_a_change_around_it_are_one_update(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    with transaction.atomic():
        with transaction.atomic():
            change(line, 2)
        change(line, 3)

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 3 * 19900 + 4900


def test_a_cart_without_a_session_makes_no_call(klarna: Sandbox, cart: Cart, operations: Operations) -> None:
    change(cart.lines.get(), 2)

    assert operations() == []


def test_a_cart_whose_first_session_failed_makes_no_call(
    klarna: Sandbox, cart: Cart, operations: Operations, sandbox_server: SandboxServer, settings: Settings
) -> None:
    settings.KLARNA_ENSURE_TIMEOUT = 0.2
    sandbox_server.stop()
    with pytest.raises(KlarnaBusyError):
        services.ensure_session(cart=cart)
    sandbox_server.start()

    change(cart.lines.get(), 2)

    assert operations() == []
    assert KlarnaSession.objects.get().is_stale


def test_another_cart_is_left_alone(
    klarna: Sandbox, session: KlarnaSession, make_cart: MakeCart, operations: Operations
) -> None:
    other = make_cart()
    change(other.lines.get(), 2)

    assert operations() == ["create"]


def test_a_removed_line_is_sent(klarna: Sandbox, make_cart: MakeCart, operations: Operations) -> None:
    cart = make_cart("10.00", "20.00")
    session = services.ensure_session(cart=cart)

    cart.lines.earliest("pk").delete()

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 2000 + 4900


def test_lines_removed_in_one_transaction_are_one_update(
    klarna: Sandbox, make_cart: MakeCart, operations: Operations
) -> None:
    cart = make_cart("10.00", "20.00", "40.00", "80.00")
    session = services.ensure_session(cart=cart)
    first, second, third, _ = cart.lines.order_by("pk")

    with transaction.atomic():
        with pytest.raises(UndoError):
            undo(cart.lines.filter(pk=first.pk).delete)
        assert registered() == []
        second.delete()
        cart.lines.filter(pk__in=[first.pk, third.pk]).delete()
        assert registered() == [CartHook(cart.pk)]

    assert operations() == ["create", "update"]
    assert amount_at(klarna, session) == 8000 + 4900


def test_nothing_of_ours_is_touched_inside_the_shops_transaction(
    klarna: Sandbox, session: KlarnaSession, cart: Cart
) -> None:
    with transaction.atomic():
        change(cart.lines.get(), 2)
        assert KlarnaSession.objects.get().revision == session.revision


def test_lazy_only_raises_the_revision(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations, settings: Settings
) -> None:
    settings.KLARNA_SYNC = "lazy"
    change(cart.lines.get(), 2)

    assert operations() == ["create"]
    session.refresh_from_db()
    assert session.is_stale
    services.ensure_session(cart=cart)
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_klarna_away_breaks_no_cart(
    klarna: Sandbox,
    session: KlarnaSession,
    cart: Cart,
    sandbox_server: SandboxServer,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.KLARNA_SYNC_TIMEOUT = 0.5
    sandbox_server.stop()

    change(cart.lines.get(), 2)

    assert cart.lines.get().quantity == 2
    session.refresh_from_db()
    assert session.is_stale
    assert not session.in_doubt, "it was never sent"
    assert "not updated" in caplog.text
    sandbox_server.start()
    services.ensure_session(cart=cart)
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_a_broken_adapter_breaks_no_cart(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.test_receivers.BrokenAdapter"

    line = cart.lines.get()
    with transaction.atomic():
        change(line, 2)
    change(line, 3)

    assert cart.lines.get().quantity == 3
    assert caplog.text.count("ZeroDivisionError") == 2


def test_a_change_two_steps_away_is_noticed(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, settings: Settings
) -> None:
    settings.KLARNA_SYNC = "lazy"
    settings.KLARNA_CART_ADAPTER = "tests.test_receivers.EngravingAdapter"

    Engraving.objects.create(line=cart.lines.get(), text="To Ada")

    session.refresh_from_db()
    assert session.is_stale


def test_a_watched_name_that_is_no_model_stops_no_start(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, settings: Settings, operations: Operations
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.test_receivers.NamingAdapter"

    change(cart.lines.get(), 2)

    assert operations() == ["create", "update"]


def test_a_watched_model_without_a_way_to_its_cart_breaks_no_cart(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.test_receivers.LostAdapter"

    change(cart.lines.get(), 2)

    assert cart.lines.get().quantity == 2
    assert "The change of a cart was not noticed" in caplog.text
    services.ensure_session(cart=cart)
    assert amount_at(klarna, session) == 2 * 19900 + 4900


def test_the_session_of_a_deleted_cart_is_abandoned(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    cart.delete()

    session.refresh_from_db()
    assert (session.state, session.live, session.cart_id) == (State.ABANDONED, None, None)
    assert operations() == ["create"]


def test_the_session_of_a_paid_cart_keeps_its_state_when_the_cart_goes(
    klarna: Sandbox, session: KlarnaSession, cart: Cart
) -> None:
    KlarnaSession.objects.update(state=State.COMPLETED)

    cart.delete()

    session.refresh_from_db()
    assert (session.state, session.live) == (State.COMPLETED, None)


def test_a_change_through_a_proxy_is_noticed(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = GiftLine.objects.get()
    change(line, 2)

    assert operations() == ["create", "update"]


def test_hooks_of_one_cart_count_as_one() -> None:
    assert len({CartHook(1), CartHook(1), CartHook(2)}) == 2


def test_a_job_that_changes_many_carts_does_not_compare_them_all(klarna: Sandbox, cart: Cart) -> None:
    connection = transaction.get_connection()
    with transaction.atomic():
        for cart_id in (0, 0, *range(1, LOOK_BACK + 1), 0):
            after_commit(CartHook(cart_id))
        hooks = registered()
        connection.run_on_commit.clear()

    assert hooks.count(CartHook(0)) == 2
    assert len(hooks) == LOOK_BACK + 2


def test_a_row_without_a_cart_is_no_change_of_any(klarna: Sandbox, session: KlarnaSession) -> None:
    KlarnaSession.objects.update(cart=None)

    on_change(CartLine, instance=CartLine())

    session.refresh_from_db()
    assert not session.is_stale


def test_an_adapter_that_cannot_be_imported_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.KLARNA_CART_ADAPTER = "tests.nowhere.Adapter"

    assert "Changes of carts are not noticed" in caplog.text


class TestInsideTestCase(TestCase):
    """How a shop tests its own integration."""

    @pytest.fixture(autouse=True)
    def _klarna(self, klarna: Sandbox, operations: Operations, make_cart: MakeCart) -> None:
        self.cart = make_cart()
        self.operations = operations

    def test_what_the_set_up_left_behind_hides_no_change(self) -> None:
        services.ensure_session(cart=self.cart)
        with self.captureOnCommitCallbacks(execute=True) as callbacks, transaction.atomic():
            change(self.cart.lines.get(), 4)

        assert len(callbacks) == 1
        assert self.operations() == ["create", "update"]

    def test_hooks_can_be_captured(self) -> None:
        services.ensure_session(cart=self.cart)
        line = self.cart.lines.get()

        for quantity in (4, 5):
            with self.captureOnCommitCallbacks(execute=True) as callbacks:
                change(line, quantity)
            assert len(callbacks) == 1

        assert self.operations() == ["create", "update", "update"]

    def test_each_deleted_cart_ends_its_session(self) -> None:
        Cart.objects.create().delete()
        session = services.ensure_session(cart=self.cart)

        with self.captureOnCommitCallbacks(execute=True):
            self.cart.delete()

        session.refresh_from_db()
        assert session.state == State.ABANDONED


def save(cart: Cart) -> None:
    line = cart.lines.earliest("pk")
    change(line, line.quantity + 1)


def update_or_create(cart: Cart) -> None:
    quantity = cart.lines.earliest("pk").quantity
    CartLine.objects.update_or_create(pk=cart.lines.earliest("pk").pk, defaults={"quantity": quantity + 1})


def delete(cart: Cart) -> None:
    cart.lines.earliest("pk").delete()


def delete_queryset(cart: Cart) -> None:
    cart.lines.filter(pk=cart.lines.earliest("pk").pk).delete()


def bulk_create_and_tell(cart: Cart) -> None:
    CartLine.objects.bulk_create([CartLine(cart=cart, product=cart.lines.earliest("pk").product)])
    cart_changed.send(sender=Cart, cart=cart)


@pytest.mark.django_db  # in the block of a TestCase
@pytest.mark.parametrize("make", [save, update_or_create, delete, delete_queryset, bulk_create_and_tell])
@pytest.mark.parametrize(
    "block",
    [
        nullcontext,
        transaction.atomic,
        partial(transaction.atomic, savepoint=False),
        partial(transaction.atomic, durable=True),
    ],
    ids=["bare", "block", "block without savepoint", "durable block"],
)
def test_a_change_in_a_test_is_not_hidden_by_the_one_before(
    klarna: Sandbox,
    make_cart: MakeCart,
    operations: Operations,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    block: Callable[[], AbstractContextManager[object]],
    make: Callable[[Cart], None],
) -> None:
    cart = make_cart("10.00", "20.00", "40.00")
    services.ensure_session(cart=cart)
    with block():
        make(cart)

    with django_capture_on_commit_callbacks(execute=True) as callbacks, block():
        make(cart)

    assert callbacks == [CartHook(cart.pk)]
    assert operations() == ["create", "update"]


@pytest.mark.django_db  # in the block of a TestCase
@pytest.mark.parametrize("make", [save, delete, delete_queryset, bulk_create_and_tell])
def test_a_transaction_in_a_test_has_one_hook_as_in_production(
    klarna: Sandbox,
    make_cart: MakeCart,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    make: Callable[[Cart], None],
) -> None:
    cart = make_cart("10.00", "20.00", "40.00")

    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        make(cart)
        with pytest.raises(UndoError):
            undo(lambda: make(cart))
        make(cart)

    assert callbacks == [CartHook(cart.pk)]


def test_fixtures_are_not_changes(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    line = cart.lines.get()
    line.quantity = 9
    for loaded in serializers.deserialize("json", serializers.serialize("json", [line])):
        loaded.save()

    assert operations() == ["create"]


def test_a_shop_may_say_that_a_cart_changed(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    CartLine.objects.update(quantity=2)

    cart_changed.send(sender=Cart, cart=cart)

    assert operations() == ["create", "update"]


def test_manual_commits_break_nothing(
    klarna: Sandbox, session: KlarnaSession, cart: Cart, operations: Operations
) -> None:
    transaction.set_autocommit(False)
    try:
        change(cart.lines.get(), 2)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)

    assert operations() == ["create"]
    services.ensure_session(cart=cart)
    assert amount_at(klarna, session) == 2 * 19900 + 4900


class BrokenAdapter(ShopCartAdapter):
    def build_session(self, cart: Cart) -> Any:
        return 1 / 0


class LostAdapter(ShopCartAdapter):
    watches = {CartLine: "basket"}


class EngravingAdapter(ShopCartAdapter):
    watches = {Engraving: "line__cart"}


class NamingAdapter(ShopCartAdapter):
    """Names a model where one is wanted; the system checks say so."""

    watches: ClassVar[Any] = {"shop.Cart": None, CartLine: "cart"}

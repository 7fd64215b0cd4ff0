"""A process may be killed between any two statements: whoever comes next finishes what it began.

Each scenario is killed before and after one statement in so many; KILL_EVERY=1, as in `.ci/run kills`, is each of them.
Nothing runs after that, not even clean-up; then the lease ends, and `reconcile` comes by. The call of Klarna itself is
killed by the statement before or after it.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from django_klarna import services, signals
from django_klarna.exceptions import CartNotPayable, KlarnaError
from django_klarna.models import UNSETTLED, KlarnaAuthorization, KlarnaOrder, KlarnaSession, OrderState
from django_klarna.sandbox import Sandbox
from tests.conftest import MakeCart
from tests.services.purchases import approve, authorize, time_passes
from tests.shop.models import Cart, CartLine, Order, Product

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[], object]
ANNOUNCED = "announced"
EVERY = int(os.environ.get("KILL_EVERY", "7"))


def announce(sender: object, **kwargs: object) -> None:
    """Hear of an order, and write it down: what dies with its transaction was not heard."""
    Product.objects.create(name=ANNOUNCED, price=1)


class Killed(BaseException):
    """Nothing catches it."""


class Killer:
    """Lets a connection die before or after a statement."""

    def __init__(self, number: int, *, is_after: bool) -> None:
        self.number = number
        self.is_after = is_after
        self.statement = ""

    def __call__(self, execute: Callable[..., object], sql: str, *rest: Any) -> object:
        if self.number < 1:
            raise Killed
        self.number -= 1
        if self.number == 0 and not self.is_after:
            self.statement = sql
            raise Killed
        result = execute(sql, *rest)
        if self.number == 0:
            self.statement = sql
            raise Killed
        return result


def purchase(klarna: Sandbox, cart: Cart) -> Act:
    attempt, token = approve(klarna, cart)

    def act() -> None:
        received = services.receive_authorization(cart=cart, attempt=attempt, token=token)
        assert received
        services.place_order(received.pk)

    return act


def lost_answer(klarna: Sandbox, cart: Cart) -> Act:
    received = authorize(klarna, cart)
    klarna.fail_next("create_order", drop="after")
    return lambda: services.place_order(received.pk)


def refused(klarna: Sandbox, cart: Cart) -> Act:
    received = authorize(klarna, cart)
    klarna.fail_next("create_order", status=409, error_code="BAD_VALUE")
    return lambda: services.place_order(received.pk)


def changed_cart(klarna: Sandbox, cart: Cart) -> Act:
    authorize(klarna, cart)
    CartLine.objects.update(quantity=2)
    return lambda: services.ensure_session(cart=cart)


def cancelled(klarna: Sandbox, cart: Cart) -> Act:
    received = authorize(klarna, cart)
    return lambda: services.cancel_authorization(received.pk)


def two_tokens(klarna: Sandbox, cart: Cart) -> Act:
    attempt, older = approve(klarna, cart)
    _attempt, newer = approve(klarna, cart)
    received = [
        services.receive_authorization(cart=cart, attempt=attempt, token=token) for token in (older, newer)
    ]
    return lambda: [services.place_order(one.pk) for one in received if one]


SCENARIOS = (purchase, lost_answer, refused, changed_cart, cancelled, two_tokens)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_whoever_comes_next_finishes(
    klarna: Sandbox,
    make_cart: MakeCart,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    scenario: Callable[[Sandbox, Cart], Act],
    is_after: bool,
) -> None:
    caplog.set_level(logging.CRITICAL)
    settings.KLARNA_ORDER_TIMEOUT = settings.KLARNA_ENSURE_TIMEOUT = 2
    number, was_killed, problems = 3 if is_after else 0, True, {}
    monkeypatch.setattr(signals.order_placed, "receivers", [])
    signals.order_placed.connect(announce)
    while was_killed:
        number += EVERY
        klarna.reset()
        for model in (KlarnaOrder, KlarnaSession, Order, Product):
            model.objects.all().delete()
        cart = make_cart()
        killer = Killer(number, is_after=is_after)
        kill(scenario(klarna, cart), killer)
        recover(klarna)
        was_killed = bool(killer.statement)
        if found := faults(klarna, cart):
            problems[number, killer.statement[:100]] = found

    assert number > 10
    assert problems == {}


def kill(act: Act, killer: Killer) -> None:
    """Let the killer loose while something is done, and drop the connection as the system would."""
    with connection.execute_wrapper(killer), suppress(Killed, KlarnaError):
        act()
    connection.close()


def recover(klarna: Sandbox) -> None:
    klarna.clear_faults()
    KlarnaSession.objects.update(lease_until=timezone.now() - timedelta(hours=1))
    for _pass in range(4):
        time_passes(minutes=46)
        services.reconcile()


def faults(klarna: Sandbox, cart: Cart) -> list[str]:
    """Say what is lost, doubled or stuck."""
    recorded = KlarnaOrder.objects.filter(state=OrderState.RECORDED).count()
    refusals = [one for one in klarna.authorizations.values() if one.failure]
    wrong = {
        "reserved and forgotten": not refusals
        and any(one.state == "open" for one in klarna.authorizations.values()),
        "unsettled": KlarnaAuthorization.objects.filter(state__in=UNSETTLED).exists(),
        "secrets": KlarnaAuthorization.objects.exclude(token="").exists(),
        "more than one order": len(klarna.orders) > 1,
        "unknown order": KlarnaOrder.objects.count() != len(klarna.orders),
        "not recorded": recorded != len(klarna.orders),
        "not once in the shop": Order.objects.count() != recorded,
        "not announced once": Product.objects.filter(name=ANNOUNCED).count() != recorded,
        "stuck": state_of(cart) != ("ordered" if klarna.orders else "open"),
    }
    return [fault for fault, is_so in wrong.items() if is_so]


def state_of(cart: Cart) -> str:
    try:
        return services.ensure_session(cart=cart).state
    except CartNotPayable:
        return "ordered"

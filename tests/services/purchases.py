"""Shoppers who have authorized, for the tests of what comes after."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.dispatch import Signal

from django_klarna import services, signals
from django_klarna.models import KlarnaAuthorization, KlarnaOrder, KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.shop.klarna import ShopCartAdapter
from tests.shop.models import Cart

SIGNALS = ("session_authorized", "order_placed", "order_pending", "order_rejected")


def approve(klarna: Sandbox, cart: Cart, decision: str = "approve") -> tuple[str, str]:
    """Let the shopper click and Klarna decide; gives the attempt's id and the token, which nobody has told us yet."""
    session = services.ensure_session(cart=cart)
    attempt = services.prepare_attempt(cart=cart)
    assert attempt
    assert session.session_id
    answer = klarna.authorize(session.session_id, json.loads(attempt.data), decision=decision)
    return attempt.key, answer["authorization_token"]


def authorize(klarna: Sandbox, cart: Cart, decision: str = "approve") -> KlarnaAuthorization:
    """As `approve`, and let the browser tell us."""
    attempt, token = approve(klarna, cart, decision)
    received = services.receive_authorization(cart=cart, attempt=attempt, token=token)
    assert received
    return received


def call_back(klarna: Sandbox, client: Any, kind: str = "authorization") -> Any:
    """Let the last callback of this kind arrive."""
    callback = [one for one in klarna.callbacks if one.kind == kind][-1]
    url = callback.url.removeprefix("https://shop.example")
    return client.post(url, callback.body, content_type="application/json")


def time_passes(**how_much: float) -> None:
    """Make everything due earlier by so much."""
    span = timedelta(**how_much)
    for model in (KlarnaAuthorization, KlarnaOrder):
        model._default_manager.update(retry_at=F("retry_at") - span)


def session_of(cart: Cart) -> KlarnaSession:
    return KlarnaSession.objects.get(cart=cart, live=True)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect the names of the signals that are sent."""
    names: list[str] = []
    receivers = []
    for name in SIGNALS:

        def receive(sender: object, name: str = name, **kwargs: object) -> None:
            names.append(name)

        signal: Signal = getattr(signals, name)
        signal.connect(receive)
        receivers.append((signal, receive))
    try:
        yield names
    finally:
        for signal, receiver in receivers:
            signal.disconnect(receiver)


class Adapter(ShopCartAdapter):
    """Empties the cart with each purchase, and fails as often as `failures` says."""

    failures = 0

    def complete_purchase(self, cart: Cart, klarna_order: KlarnaOrder) -> None:
        super().complete_purchase(cart, klarna_order)
        cart.lines.all().delete()
        if Adapter.failures:
            Adapter.failures -= 1
            raise RuntimeError("the shop has lost its way")

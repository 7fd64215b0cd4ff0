"""Whether what a shopper does to a cart reaches Klarna."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.test import TestCase

from django_klarna.carts import get_adapter
from django_klarna.checks.watches import better_path, is_cart, path_to_cart
from django_klarna.receivers import SIGNALS, CartHook
from django_klarna.services.transactions import database
from django_klarna.testing.descriptions import describe, describe_payable, read_anew


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a shopper can do to a cart: what it is called, and the callable that does it.

    ``payable`` is False for a change after which there is nothing to pay, such as emptying the cart.
    """

    name: str
    make: Callable[[], object]
    payable: bool = True


MakeChanges = Callable[[Any], Iterable[Change]]
Look = Callable[[Model, Change], Iterable[str]]


def each_change(cart: Model, make_changes: MakeChanges, look: Look) -> Iterator[str]:
    """Give what ``look`` finds when it makes a change, for each change, of a cart that none of the others touched."""
    number = 0
    while (found := found_after(number, cart, make_changes, look)) is not None:
        yield from found
        number += 1
    if not number:
        raise AssertionError(f"make_changes() gives no change for {cart}: nothing would be tested.")


def found_after(number: int, cart: Model, make_changes: MakeChanges, look: Look) -> list[str] | None:
    """Give what ``look`` finds when it makes the change of this number, which is taken back; None if there is none."""
    with undone():
        change = next(islice(make_changes(read_anew(cart)), number, None), None)
        return None if change is None else list(look(cart, change))


def untold(cart: Model, change: Change) -> Iterator[str]:
    """Make a change, and tell if Klarna would be told the same as before, or nothing."""
    before = describe_payable(cart)
    change.make()
    after = describe(cart)
    if after.told == before.told:
        yield (
            f"after {change.name!r} Klarna is told the same as before. Is what changed in build_session(), "
            "and is nothing cached?"
        )
    elif change.payable and after.violations:
        yield f"after {change.name!r} it cannot be paid: {'; '.join(map(str, after.violations))}"
    elif not change.payable and not after.violations:
        yield f"after {change.name!r} it can still be paid, and the change says payable=False."


def unnoticed(cart: Model, change: Change) -> Iterator[str]:
    """Make a change, and tell if nothing would be sent to Klarna after the commit."""
    with announcements() as models, TestCase.captureOnCommitCallbacks(using=database()) as hooks:
        change.make()
    noticed = {str(hook.cart_id) for hook in hooks if isinstance(hook, CartHook)}
    if str(cart.pk) not in noticed:
        yield f"nobody notices {change.name!r}: {reason(models, type(cart))}"


@contextmanager
def undone() -> Iterator[None]:
    """Take back what is written inside, and the hooks; not a block, for a cart is read outside of any."""
    connection = transaction.get_connection(database())
    savepoint = connection.savepoint()
    if savepoint is None:
        raise TypeError("CartAdapterTests needs Django's TestCase, which takes back what a test has written.")
    connection.savepoint_ids.append(savepoint)
    try:
        yield
    finally:
        connection.savepoint_ids.pop()
        connection.savepoint_rollback(savepoint)


@contextmanager
def announcements() -> Iterator[list[type[Model]]]:
    """Give the list to which each model is added of which a row is saved or deleted."""
    models: list[type[Model]] = []

    def note(sender: type[Model], **kwargs: object) -> None:
        if sender not in models:
            models.append(sender)

    for signal in SIGNALS:
        signal.connect(note, weak=False)
    try:
        yield models
    finally:
        for signal in SIGNALS:
            signal.disconnect(note)


def reason(models: Iterable[type[Model]], cart: type[Model]) -> str:
    """Tell which of the saved ``models`` the adapter should watch."""
    named = [model for model in models if is_cart(model, cart) or path_to_cart(model, cart)]
    if not named:
        return "no row that leads to the cart was saved or deleted. Send django_klarna.signals.cart_changed."
    entries = " or ".join(better_path(model, model, cart) for model in named)
    return f"{type(get_adapter()).__name__} should have {entries}"

"""From a change of a cart to one sync after the commit.

Nothing of ours is touched inside the shop's transaction: a row lock there would deadlock shops.
"""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from itertools import takewhile
from typing import Any

from django.apps import apps
from django.core.signals import setting_changed
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.models.signals import ModelSignal, post_delete, post_save

from django_klarna import services
from django_klarna.carts import get_adapter
from django_klarna.conf import cart_model_label, get_settings
from django_klarna.exceptions import KlarnaConfigurationError, KlarnaError
from django_klarna.models import State
from django_klarna.services.leases import sessions
from django_klarna.services.transactions import database, is_of_test
from django_klarna.signals import cart_changed

logger = logging.getLogger("django_klarna")

DISPATCH_UID = "django_klarna.receivers"
#: How many of the registered hooks are looked at; a job that changes thousands of carts must not compare them all.
LOOK_BACK = 50
SIGNALS: tuple[ModelSignal, ...] = (post_save, post_delete)


class CartHook:
    """What runs after the commit of a change: hooks for the same cart are equal."""

    def __init__(self, cart_id: object) -> None:
        self.cart_id = cart_id
        # Django names a hook by this when it logs that one failed; without it the commit itself would fail.
        self.__qualname__ = type(self).__qualname__

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), self.cart_id))

    def __call__(self) -> None:
        """Note the change on the live session of the cart and send it, as KLARNA_SYNC says."""
        live = sessions().live_for(self.cart_id)
        # Asked twice: an UPDATE that waited for a row which is being replaced finds it gone, and its successor
        # only with a new look.
        if not (live.raise_revision() or live.raise_revision()):
            return
        if get_settings().sync == "lazy":
            live = live.filter(state=State.COMPLETED)  # no call: a changed cart is free for another purchase
        for pk in live.exclude(session_id=None).values_list("pk", flat=True):
            try:
                services.sync_session(pk)
            except KlarnaError:
                logger.debug("The next page sends the cart", extra={"klarna_session": pk})


def after_commit(hook: Callable[[], object]) -> None:
    """Run ``hook`` once after the commit, unless the change is rolled back before.

    The only memory of what is registered is Django's own list: a rolled-back savepoint takes its hooks out of it.
    One hook too many costs a query and no call.
    """
    connection = transaction.get_connection(database())
    if not connection.in_atomic_block and not connection.get_autocommit():
        return  # the shop commits by itself and nobody will tell us when: the next page heals it
    if not is_registered(connection, hook):
        transaction.on_commit(hook, using=connection.alias, robust=True)


def is_registered(connection: BaseDatabaseWrapper, hook: Callable[[], object]) -> bool:
    """Tell whether an equal hook was registered a moment ago, in this transaction and under the same savepoints."""
    if not can_tell_transactions(connection):
        return False
    savepoints = set(connection.savepoint_ids)
    return any(entry[1] == hook and entry[0] == savepoints for entry in connection.run_on_commit[-LOOK_BACK:])


def can_tell_transactions(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether a hook with the savepoints of now must be of the transaction of now.

    The block of Django's ``TestCase`` never commits: hooks of former transactions stay in it. Each transaction of the
    shop is a savepoint there, with a name of its own, unless it begins without one, as in ``delete()``.
    """
    blocks = connection.atomic_blocks
    of_shop = list(takewhile(lambda block: not is_of_test(block), reversed(blocks)))
    if len(of_shop) == len(blocks):
        return True
    return bool(of_shop) and connection.savepoint_ids[-len(of_shop)] is not None


def cart_id_of(instance: Model, path: str | None) -> object:
    """Follow ``path`` from a watched row to the id of its cart; the last step needs no query."""
    if path is None:
        return instance.pk
    *steps, last = path.split("__")
    for step in steps:
        instance = getattr(instance, step)
    return instance.serializable_value(last)


def never_failing(receiver: Callable[..., None]) -> Callable[..., None]:
    """Log what goes wrong in a receiver, so that carts always save."""

    @wraps(receiver)
    def safe(sender: object, **kwargs: Any) -> None:
        try:
            receiver(sender, **kwargs)
        except Exception:
            logger.exception("The change of a cart was not noticed; the next page sends it")

    return safe


@never_failing
def on_change(sender: type[Model], *, instance: Model, raw: bool = False, **kwargs: Any) -> None:
    """Register the hook for the cart of a saved or deleted row."""
    if not raw:
        cart_id = cart_id_of(instance, watched_path(sender))
        if cart_id is not None:
            after_commit(CartHook(cart_id))


def watched_path(sender: type[Model]) -> str | None:
    """Give the path to the cart for a watched model, or for a proxy or child of one."""
    watches = get_adapter().watches
    return next(watches[model] for model in sender.__mro__ if model in watches)


@never_failing
def on_cart_deleted(sender: type[Model], **kwargs: Any) -> None:
    """Register the end of the session of a deleted cart."""
    after_commit(services.close_abandoned_sessions)


@never_failing
def on_cart_changed(sender: object, *, cart: Model, **kwargs: Any) -> None:
    """Register the hook for a cart that the shop says has changed."""
    after_commit(CartHook(cart.pk))


def connect() -> None:
    """Listen to the models that the adapter watches; what is wrong with the settings, the system checks tell."""
    cart_changed.connect(on_cart_changed, dispatch_uid=DISPATCH_UID)
    try:
        cart_model = apps.get_model(cart_model_label())
        named: Iterable[object] = get_adapter().watches
    except (KlarnaConfigurationError, LookupError) as error:
        logger.error("Changes of carts are not noticed: %s", error)  # noqa: TRY400 - the message says it all
        return
    watched = tuple(model for model in named if isinstance(model, type))
    for model in apps.get_models():
        if issubclass(model, cart_model):
            post_delete.connect(on_cart_deleted, sender=model, dispatch_uid=f"{DISPATCH_UID}.deleted")
        if issubclass(model, watched):
            for signal in SIGNALS:
                signal.connect(on_change, sender=model, dispatch_uid=DISPATCH_UID)


def reconnect(*, setting: str, **kwargs: object) -> None:
    """Listen to other models after ``override_settings`` named another adapter."""
    if setting != "KLARNA_CART_ADAPTER":
        return
    for signal in SIGNALS:
        for model in apps.get_models():
            signal.disconnect(sender=model, dispatch_uid=DISPATCH_UID)
    connect()


setting_changed.connect(reconnect, dispatch_uid=DISPATCH_UID)

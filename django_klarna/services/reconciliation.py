"""Finish what crashed, lost its answer or was waited for in vain; everything here may run several times at once."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from django_klarna.api import ManagedOrder
from django_klarna.exceptions import (
    KlarnaBadRequestError,
    KlarnaBusyError,
    KlarnaError,
    KlarnaNotFoundError,
)
from django_klarna.models import (
    Attempt,
    FraudStatus,
    KlarnaAuthorization,
    KlarnaOrder,
    OrderState,
    Source,
    State,
)
from django_klarna.services.attempts import authorizations, keep_token
from django_klarna.services.calls import client, session_id
from django_klarna.services.columns import Token
from django_klarna.services.completion import (
    PENDING_LOOK,
    announce_authorization,
    announce_order,
    complete_order,
)
from django_klarna.services.orders import later, orders
from django_klarna.services.placing import place_order
from django_klarna.services.transactions import refuse_open_transaction

logger = logging.getLogger("django_klarna")

#: Rows of one kind that are read at once.
BATCH = 100
#: A token lives for an hour: it is looked for after a quarter of one, and once more.
SECOND_LOOK = timedelta(minutes=45)
LOOKS = 2
AFTER_FAILURE = timedelta(minutes=5)
#: How often an order that somebody named is looked for: Klarna may take a moment until it can be read.
CANDIDATE_LOOKS = 5
#: The time for one read, in seconds.
READ = 5.0


def reconcile() -> Counter[str]:
    """Do everything that is due, once; gives how often what was done.

    What fails is logged, counted as ``"failed"`` and due again later. Raises nothing of Klarna's.
    """
    refuse_open_transaction("reconcile")
    done: Counter[str] = Counter()
    for what, (rows, act) in JOBS.items():
        for pk in due(rows):
            done["failed" if not succeeds(what, act, pk) else what] += 1
    return done


def due(rows: Callable[[], "QuerySet[KlarnaAuthorization] | QuerySet[KlarnaOrder]"]) -> Iterator[int]:
    """Give the keys of what is due, each once, in batches."""
    seen: set[int] = set()
    while batch := [pk for pk in rows().values_list("pk", flat=True)[: BATCH + len(seen)] if pk not in seen]:
        seen.update(batch)
        yield from batch


def succeeds(what: str, act: Callable[[int], object], pk: int) -> bool:
    """Do one thing; one that fails must not keep us from the others."""
    try:
        act(pk)
    except KlarnaBusyError:
        logger.info("Klarna did not answer in time: %s %s", what, pk)
    except KlarnaError as error:
        logger.warning("Klarna could not be asked: %s %s: %s", what, pk, type(error).__name__)
    except Exception:
        logger.exception("Not done: %s %s", what, pk)
    else:
        return True
    return False


def settle(pk: int) -> None:
    """Go on with a token; whatever happens, it is due again only later."""
    attempt = authorizations().get(pk=pk)
    # Whoever comes second finds it postponed, and goes on to the next one.
    mine = authorizations().filter(pk=pk, retry_at=attempt.retry_at).unsettled()
    if mine.update(tries=attempt.tries + 1, retry_at=later(attempt.tries)):
        place_order(pk)


def look_for_token(pk: int) -> None:
    """Ask Klarna whether a try has come to a token of which neither browser nor callback told.

    Source:
    https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/authorization-callback
    """
    attempt = authorizations().select_related("session").get(pk=pk)
    session = attempt.session
    prepared = authorizations().filter(pk=pk, state=Attempt.PREPARED)
    is_over = session.state == State.COMPLETED or session.expires_before(timezone.now())
    if is_over or (attempt.tries >= LOOKS and not session.live):
        prepared.move(Attempt.DEAD, reason="expired")
    elif attempt.tries >= LOOKS:
        prepared.update(retry_at=session.expires_at)
    else:
        look(attempt)


def look(attempt: KlarnaAuthorization) -> None:
    """Read the session of a try once; a look that fails is none."""
    session = attempt.session
    prepared = authorizations().filter(pk=attempt.pk, state=Attempt.PREPARED)
    prepared.update(retry_at=timezone.now() + AFTER_FAILURE)
    try:
        answer = client(session.account).sessions.read_credit_session(session_id(session), timeout=READ)
    except KlarnaNotFoundError:
        prepared.move(Attempt.DEAD, reason="expired")
        return
    prepared.update(tries=attempt.tries + 1, retry_at=timezone.now() + SECOND_LOOK)
    if answer.authorization_token:
        keep_token(session, Token(answer.authorization_token), Source.READ, attempt)


def look_at_order(pk: int) -> None:
    """Read what Klarna thinks of an order now, and tell whoever waits for it."""
    announce_order(pk)
    order = orders().select_related("session").get(pk=pk)
    postponed = timezone.now() + timedelta(seconds=PENDING_LOOK)
    orders().filter(pk=pk).update(retry_at=postponed)
    status = managed(order, order.order_id or "").fraud_status or ""
    waits = status in {"", FraudStatus.PENDING}
    changed = orders().filter(pk=pk).exclude(fraud_status=status) if status else orders().none()
    # Of one that was not pending it has been told already that it was placed.
    news = NEWS.get(status, "") if order.is_pending or status == FraudStatus.REJECTED else ""
    changed.update(fraud_status=status[:32], outbox=news, updated_at=timezone.now())
    orders().filter(pk=pk).update(retry_at=postponed if waits else None)
    announce_order(pk)


#: What is told when Klarna has decided.
NEWS: dict[str, str] = {FraudStatus.ACCEPTED: "order_placed", FraudStatus.REJECTED: "order_rejected"}


def believe_candidate(pk: int) -> None:
    """Find out whether an order that somebody named is the one that we miss: by our reference, amount and currency."""
    order = orders().select_related("session").get(pk=pk)
    orders().filter(pk=pk).update(tries=order.tries + 1, retry_at=later(order.tries))
    try:
        found = managed(order, order.candidate_order_id)
    except (KlarnaNotFoundError, KlarnaBadRequestError, ValueError):
        found = None
    if found is not None and is_same(order, found):
        believe(order, found)
    elif found is not None or order.tries >= CANDIDATE_LOOKS:
        orders().filter(pk=pk).update(retry_at=None)


def believe(order: KlarnaOrder, found: ManagedOrder) -> None:
    """Note down the id of an order that we missed, and let the shop make its own."""
    values = {
        "order_id": order.candidate_order_id,
        "fraud_status": (found.fraud_status or "")[:32],
        "flag": "",
    }
    try:
        moved = orders().filter(pk=order.pk).move(OrderState.PLACED, **values, retry_at=timezone.now())
    except IntegrityError:
        moved = 0  # the id is that of another order of ours
    if moved:
        complete_order(order.pk)


def is_same(order: KlarnaOrder, found: ManagedOrder) -> bool:
    """Tell whether an order at Klarna is the one that we asked for."""
    asked = (order.key, order.order_amount, order.purchase_currency)
    return asked == (found.merchant_reference2, found.order_amount, found.purchase_currency)


def managed(order: KlarnaOrder, order_id: str) -> ManagedOrder:
    """Read an order at Klarna."""
    return client(order.session.account).order_management.get_order(order_id, timeout=READ)


JOBS: dict[
    str,
    tuple[
        Callable[[], "QuerySet[KlarnaAuthorization] | QuerySet[KlarnaOrder]"],
        Callable[[int], object],
    ],
] = {
    "tokens looked for": (
        lambda: authorizations().due().filter(state=Attempt.PREPARED),
        look_for_token,
    ),
    "authorizations": (lambda: authorizations().due().unsettled(), settle),
    "orders named": (
        lambda: orders().due().filter(state=OrderState.FLAGGED, order_id=None).exclude(candidate_order_id=""),
        believe_candidate,
    ),
    "orders recorded": (lambda: orders().due().filter(state=OrderState.PLACED), complete_order),
    "orders read": (lambda: orders().due().filter(state=OrderState.RECORDED), look_at_order),
    "signals of orders": (lambda: orders().filter(outbox__gt=""), announce_order),
    "signals of authorizations": (lambda: authorizations().filter(outbox__gt=""), announce_authorization),
}

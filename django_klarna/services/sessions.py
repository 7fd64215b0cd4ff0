"""The services around a payment session.

None of them may be called inside an open transaction; each raises ``TransactionManagementError`` before any call
when it is. All times are seconds.
"""

import logging
from contextlib import suppress

from django.db.models import Model

from django_klarna.conf import get_settings
from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaError,
)
from django_klarna.models import KlarnaSession, State
from django_klarna.services.calls import PASSING
from django_klarna.services.convergence import (
    converge,
    expires_soon,
    is_as_authorized,
    read_again,
    recorded,
)
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import Lease, LeaseLostError, acquire, begin, sessions
from django_klarna.services.payloads import Payload, build_payload
from django_klarna.services.transactions import refuse_open_transaction
from django_klarna.signals import session_closed, session_sync_failed

logger = logging.getLogger("django_klarna")


def ensure_session(*, cart: Model) -> KlarnaSession:
    """Give the session of ``cart`` with a token that is good for what the cart holds now.

    A session that is good already costs no call and no write. One that the shopper has authorized is given as it
    is, with the state ``"authorized"`` or ``"placing"``: `place_order` leads on. Raises `CartNotPayable` for a cart
    that Klarna would refuse, `KlarnaBusyError` when KLARNA_ENSURE_TIMEOUT seconds were not enough, and another
    `KlarnaError` for what trying again cannot mend.
    """
    refuse_open_transaction("ensure_session")
    deadline = Deadline(get_settings().ensure_timeout)
    was_sent = False
    while True:
        session, payload = current_session(cart.pk)
        if session is not None and can_be_shown(session, payload):
            return session
        if was_sent:
            logger.warning(
                "A cart changed while it was sent. Does build_session() give the same answer each time?"
            )
            deadline.slow_down()
        lease = lease_for(cart.pk, session, payload, deadline)
        if lease is None:
            deadline.poll()
        else:
            was_sent = make_warm(lease, deadline)


def make_warm(lease: Lease, deadline: Deadline) -> bool:
    """Make Klarna's copy equal to the cart and tell whether that went well; if not, wait before the next try."""
    try:
        with lease:
            converge(lease, deadline, read_back=True)
    except PASSING as error:
        deadline.back_off(error)
        return False
    return True


def peek_session(*, cart: Model) -> tuple[KlarnaSession | None, Payload]:
    """Give the session if it is good for what the cart holds now, else None; and the cart's content.

    Never calls Klarna and never writes. Raises `CartNotPayable`.
    """
    refuse_open_transaction("peek_session")
    session, payload = current_session(cart.pk)
    return (session if session is not None and can_be_shown(session, payload) else None), payload


def sync_session(pk: int) -> bool:
    """Send the cart of a live session to Klarna if Klarna has another content.

    Tells whether this worker did it; whoever finds another one at work has nothing to do. Takes at most
    KLARNA_SYNC_TIMEOUT seconds. A failure is raised as a `KlarnaError`, after the row has noted it and
    ``session_sync_failed`` was sent; the next page heals it.
    """
    refuse_open_transaction("sync_session")
    deadline = Deadline(get_settings().sync_timeout)
    lease = acquire(pk, deadline.left())
    if lease is None:
        return False
    try:
        with lease:
            converge(lease, deadline, read_back=False)
    except LeaseLostError:
        return False
    except KlarnaError as error:
        announce_failure(lease.pk, error)
        raise
    return True


def refresh_session(pk: int) -> bool:
    """Read a live session at Klarna once: token, categories, expiry, or that it is gone (then it will be replaced).

    Tells whether this worker read it; one that is not open, or that another worker has, is left alone.
    """
    refuse_open_transaction("refresh_session")
    deadline = Deadline(get_settings().sync_timeout)
    lease = acquire(pk, deadline.left())
    if lease is None:
        return False
    with suppress(LeaseLostError), lease:
        row = lease.row()
        if row.state == State.OPEN:
            with recorded(lease, row):
                read_again(lease, row, deadline)
        lease.release()
        return row.state == State.OPEN
    return False


def close_session(pk: int) -> bool:
    """Take a session out of use, as for a cart that was merged into another; Klarna has no close, it expires there.

    Tells whether it was in use. The work of another worker on it is dropped.
    """
    refuse_open_transaction("close_session")
    closed = sessions().filter(pk=pk, live=True).abandon()
    if closed:
        session_closed.send_robust(KlarnaSession, session=sessions().get(pk=pk))
    return bool(closed)


def close_abandoned_sessions() -> None:
    """Take the sessions of deleted carts out of use; one that has its order keeps its state."""
    orphans = sessions().filter(cart=None, live=True)
    orphans.filter(state=State.COMPLETED).update(live=None)
    for pk in orphans.values_list("pk", flat=True):
        close_session(pk)


def current_session(cart_id: object) -> tuple[KlarnaSession | None, Payload]:
    """Read the live session of a cart, and before it the cart.

    In this order a session that equals the payload equals the cart at this later moment, and not at an earlier one.
    """
    payload = build_payload(cart_id)
    return sessions().live_for(cart_id).first(), payload


def can_be_shown(session: KlarnaSession, payload: Payload) -> bool:
    """Tell whether the page has nothing to wait for: the token is good, or an order is under way."""
    return is_warm(session, payload) or is_ordering(session, payload)


def is_ordering(session: KlarnaSession, payload: Payload) -> bool:
    """Tell whether the shopper has authorized what the cart holds, or an order is being placed."""
    is_authorized = session.state == State.AUTHORIZED and is_as_authorized(session, payload)
    return is_authorized or session.state == State.PLACING


def is_warm(session: KlarnaSession, payload: Payload) -> bool:
    """Tell whether the token of ``session`` can be handed out for ``payload``."""
    return (
        session.state == State.OPEN
        and session.holds(account_identity=payload.account_identity, digest=payload.digest)
        and session.read_digest == payload.digest
        and not expires_soon(session)
    )


def lease_for(
    cart_id: object, session: KlarnaSession | None, payload: Payload, deadline: Deadline
) -> Lease | None:
    """Take the lease of the cart's session, or of a first row for it."""
    if session is None:
        return begin(cart_id, payload, deadline.left())
    return acquire(session.pk, deadline.left())


def announce_failure(pk: int, error: KlarnaError) -> None:
    """Log a push that failed, and tell whoever listens; a cart that is empty, say, is the shopper's business."""
    session = sessions().filter(pk=pk).first()
    is_usual = isinstance(error, CartNotPayable) and not error.is_mistake
    reason = error if isinstance(error, CartNotPayable) else type(error).__name__
    logger.log(
        logging.INFO if is_usual else logging.WARNING,
        "Klarna session not updated: %s",
        reason,
        extra={"klarna_session": pk},
    )
    session_sync_failed.send_robust(KlarnaSession, session=session, error=error)

"""Make Klarna's copy of a cart equal to the cart: the protocol, under a lease.

An older payload never overwrites a newer one, because the revision is read before the payload is built, and
because a row whose last call has an unknown outcome is replaced and never updated.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import NoReturn

from django.db import DatabaseError
from django.utils import timezone

from django_klarna.conf import get_settings
from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaAPIError,
    KlarnaAuthenticationError,
    KlarnaBusyError,
    KlarnaConflictError,
    KlarnaError,
    KlarnaNotFoundError,
    Violation,
)
from django_klarna.models import KlarnaSession, State, new_key
from django_klarna.services import columns
from django_klarna.services.calls import COMPLETED, changed_nothing, client, session_id
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import Lease, LeaseLostError
from django_klarna.services.orders import flag_unknown_order, set_free
from django_klarna.services.payloads import Payload, build_payload
from django_klarna.services.releasing import release
from django_klarna.services.succession import take_over
from django_klarna.signals import session_closed, session_created, session_updated

logger = logging.getLogger("django_klarna")

ROUNDS = 3
#: The cart is not Klarna's business now: what the shopper has authorized is on its way to become an order.
ORDERING = frozenset({State.AUTHORIZED, State.PLACING})


def converge(lease: Lease, deadline: Deadline, *, read_back: bool) -> None:
    """Make Klarna's copy equal to the cart, again if the cart changes meanwhile, and release the lease.

    ``read_back``: also read what an update may have changed for the page (token, categories, expiry).
    """
    for _round in range(ROUNDS):
        row = lease.row()
        revision = row.revision
        with recorded(lease, row):
            payload = payload_of(row, deadline)
            row = make_equal(lease, row, payload, deadline)
            if read_back and row.state == State.OPEN and row.read_digest != row.digest:
                read_again(lease, row, deadline)
        if lease.release_at(revision):
            return
    lease.release()


def payload_of(row: KlarnaSession, deadline: Deadline) -> Payload:
    """Build the payload of a session's cart; one that cannot be paid any more ends what was begun for it."""
    try:
        return build_payload(row.cart_id)
    except CartNotPayable:
        if row.state == State.AUTHORIZED:
            release(row, "cart_not_payable", deadline)
        if set_free(row.pk):
            raise LeaseLostError from None  # it was bought, and is empty now: nothing of this session's
        raise


def make_equal(lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline) -> KlarnaSession:
    """Send ``payload`` if Klarna does not have it; gives the row that holds it, which may be a new one."""
    if row.state in {State.CREATING, State.FAILED}:
        return create(lease, row, payload, deadline)
    row = released(lease, row, payload, deadline)
    if row.state in ORDERING:
        return row
    if row.state == State.COMPLETED:
        refuse_paid(row, payload)
    return make_open_equal(lease, row, payload, deadline)


def released(lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline) -> KlarnaSession:
    """Cancel what the shopper has authorized if the cart is no longer that; gives the row as it is then."""
    if row.state != State.AUTHORIZED or is_as_authorized(row, payload):
        return row
    release(row, "cart_changed", deadline)
    return lease.row()


def make_open_equal(lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline) -> KlarnaSession:
    """Send ``payload`` to an open session, or to another one that takes its place."""
    if end := end_of(row, payload):
        return replace(lease, row, payload, deadline, end)
    if row.holds(account_identity=payload.account_identity, digest=payload.digest):
        lease.write(row, synced_revision=row.revision, **columns.NO_ERROR)
        return row
    try:
        return update(lease, row, payload, deadline)
    except (KlarnaNotFoundError, KlarnaConflictError) as error:
        refuse_completed(row, error)
        return replace(lease, row, payload, deadline, State.EXPIRED)


def is_as_authorized(row: KlarnaSession, payload: Payload) -> bool:
    """Tell whether what the shopper has authorized is still what the cart holds."""
    return row.holds(account_identity=payload.account_identity, digest=payload.digest)


def refuse_paid(row: KlarnaSession, payload: Payload) -> NoReturn:
    """Refuse a cart that has its order; changed since the shop recorded it, it is a new purchase with a new row."""
    if payload.digest != row.digest and set_free(row.pk):
        raise LeaseLostError
    raise CartNotPayable((already_paid(),))


def end_of(row: KlarnaSession, payload: Payload) -> State | None:
    """Give the state in which ``row`` ends, if only another session can hold ``payload``."""
    if expires_soon(row):
        return State.EXPIRED
    changed = row.changes_identity(account_identity=payload.account_identity, payload=payload.stored)
    return State.REPLACED if row.in_doubt or changed else None


def expires_soon(row: KlarnaSession) -> bool:
    """Tell whether the session ends too soon for a shopper who gets its token now."""
    return row.expires_before(timezone.now() + timedelta(seconds=get_settings().expiry_margin))


def create(lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline) -> KlarnaSession:
    """Create the first session of a cart; refused for good, the row says so and stays for the next try."""
    try:
        answer = client(payload.account).sessions.create_credit_session(
            payload.addressed(row.key), timeout=deadline.left()
        )
    except KlarnaAPIError as error:
        if not error.retryable:
            lease.move(row, State.FAILED)
        raise
    lease.move(row, State.OPEN, **columns.accepted(row, payload), **columns.created(answer, payload))
    lease.announce(session_created, row)
    return row


def update(lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline) -> KlarnaSession:
    """Send the content; until Klarna's answer is definite, the row is in doubt."""
    operations, timeout = client(row.account).sessions, deadline.left()
    content = payload.addressed(row.key).to_session()
    lease.write_open(row, in_doubt=True, update_seq=row.update_seq + 1)
    try:
        operations.update_credit_session(session_id(row), content, timeout=timeout)
    except KlarnaError as error:
        if changed_nothing(error):
            lease.write(row, in_doubt=False)
        raise
    lease.write(row, in_doubt=False, **columns.accepted(row, payload))
    lease.announce(session_updated, row)
    return row


def replace(
    lease: Lease, row: KlarnaSession, payload: Payload, deadline: Deadline, end: State
) -> KlarnaSession:
    """Create another session and let it take the place of ``row``; the lease goes with it."""
    key = new_key()
    answer = client(payload.account).sessions.create_credit_session(
        payload.addressed(key), timeout=deadline.left()
    )
    values = {"key": key, **columns.accepted(row, payload), **columns.created(answer, payload)}
    new = take_over(lease, row, values, end)
    lease.announce(session_closed, row)
    lease.announce(session_created, new)
    return new


def read_again(lease: Lease, row: KlarnaSession, deadline: Deadline) -> None:
    """Read what the page needs after an update; a session that is not what we sent is in doubt."""
    try:
        answer = client(row.account).sessions.read_credit_session(session_id(row), timeout=deadline.left())
    except KlarnaNotFoundError as error:
        refuse_completed(row, error)
        lease.write(row, in_doubt=True)
        return
    if answer.status == "complete":
        complete(row)
    lease.write(row, **columns.read(row, answer))


def refuse_completed(row: KlarnaSession, error: KlarnaAPIError) -> None:
    """Never create a session anew that has its order: the cart has been paid."""
    if error.error_code == COMPLETED:
        complete(row)


def complete(row: KlarnaSession) -> NoReturn:
    """Note that Klarna has an order that we know nothing of; the cart is not payable before a person has looked."""
    flag_unknown_order(row, None)
    raise CartNotPayable((already_paid(),))


def already_paid() -> Violation:
    """Say that the purchase is done."""
    mend = "The session of this cart has its order; start a new cart."
    return Violation(
        path="", rule="session_completed", expected="an open session", actual="complete", mend=mend
    )


@contextmanager
def recorded(lease: Lease, row: KlarnaSession) -> Iterator[None]:
    """Keep the last error on the row, for staff; that time was up says less than what used it up."""
    try:
        yield
    except (KlarnaBusyError, LeaseLostError):
        raise
    except Exception as error:
        if isinstance(error, KlarnaAuthenticationError):
            name_account(row.account)
        with suppress(LeaseLostError, DatabaseError):
            lease.write(row, **columns.error(error))
        raise


def name_account(alias: str) -> None:
    """Tell staff which account to look at: refused credentials often belong to another region or environment."""
    account = get_settings().account(alias)
    logger.error(
        "Klarna refuses the credentials of KLARNA[%r] (region %r, environment %r)",
        alias,
        account.region,
        account.environment,
    )

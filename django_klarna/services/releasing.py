"""Give back what Klarna has reserved: the end of a token from which no order is to come."""

from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from django_klarna.exceptions import (
    KlarnaAPIError,
    KlarnaConfigurationError,
    KlarnaError,
    KlarnaNotFoundError,
)
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaSession, State
from django_klarna.services.attempts import authorizations
from django_klarna.services.calls import client, session_id
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import sessions
from django_klarna.services.orders import flag_unknown_order
from django_klarna.services.transactions import durable

#: How long Klarna keeps a token, and a little more.
#: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/step-3-create-an-order
LIFETIME = timedelta(minutes=65)
#: Klarna's word for a token with which nothing can be done any more.
INVALID_OPERATION = "INVALID_OPERATION"


def give_up(attempt: KlarnaAuthorization, reason: str) -> None:
    """Decide that no order is to come of a token; from here on it can only be cancelled."""
    authorizations().filter(pk=attempt.pk, state=Attempt.RECEIVED).move(Attempt.CANCELLING, reason=reason)


def release(row: KlarnaSession, reason: str, deadline: Deadline) -> None:
    """Cancel every token of a session but one that is being ordered; whatever fails is tried again later."""
    waiting = authorizations().filter(session=row)
    for attempt in waiting.filter(state=Attempt.RECEIVED):
        give_up(attempt, reason)
    for attempt in waiting.filter(state=Attempt.CANCELLING):
        with suppress(KlarnaError, KlarnaConfigurationError):
            cancel(row, attempt, deadline)
    with durable():
        lock(row.pk)
        reopen(row.pk)


def cancel(row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Tell Klarna that a token will not be used.

    Whether that succeeds or not, the cart can be paid again: the session is used on, or, with a token left, replaced.
    Of a dead token whose order was asked for, there may be one after all.
    Source: https://docs.klarna.com/klarna-payments/other-actions/cancel-an-authorization
    """
    try:
        end = outcome(row, attempt, deadline)
        may_be_ordered = end == Attempt.DEAD and attempt.asked and is_complete(row, deadline)
        if may_be_ordered and flag_unknown_order(row, attempt):
            return
    except (KlarnaError, KlarnaConfigurationError):
        settle(row, attempt, None)
        raise
    settle(row, attempt, end)


def outcome(row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> Attempt:
    """Cancel a token at Klarna and give its end; one older than Klarna keeps any has it whatever Klarna says."""
    try:
        client(row.account).orders.cancel_authorization(attempt.token, timeout=deadline.left())
    except KlarnaAPIError as error:
        if not (is_dead(error) or is_expired(attempt)):
            raise
    except (KlarnaError, KlarnaConfigurationError):
        if not is_expired(attempt):
            raise
    else:
        return Attempt.CANCELLED
    return Attempt.DEAD


def is_dead(error: KlarnaAPIError) -> bool:
    """Tell whether a token cannot be used any more: expired, superseded or used up."""
    return isinstance(error, KlarnaNotFoundError) or error.error_code == INVALID_OPERATION


def is_expired(attempt: KlarnaAuthorization) -> bool:
    """Tell whether Klarna has forgotten a token by now."""
    return attempt.received_at is not None and attempt.received_at < timezone.now() - LIFETIME


def is_complete(row: KlarnaSession, deadline: Deadline, *, if_gone: bool = False) -> bool:
    """Read whether Klarna has an order of a session; of one that is gone, ``if_gone`` says what is believed."""
    try:
        answer = client(row.account).sessions.read_credit_session(session_id(row), timeout=deadline.left())
    except KlarnaNotFoundError:
        return if_gone
    return answer.status == "complete"


def settle(row: KlarnaSession, attempt: KlarnaAuthorization, end: Attempt | None) -> None:
    """Note down the end of a token, if it has come to one, and let its session be used again."""
    with durable():
        lock(row.pk)
        if end is not None:
            authorizations().filter(pk=attempt.pk).move(end)
        reopen(row.pk)


def lock(pk: int) -> None:
    """Keep others off a session until the transaction ends, so that the last of two tokens that end sees the other."""
    sessions().filter(pk=pk).update(updated_at=timezone.now())


def reopen(pk: int) -> None:
    """Let a session be used again of which nothing can be ordered; inside a transaction that has locked it.

    What ``authorize()`` has told Klarna is not what we have sent: without a digest the next page sends it all anew.
    While a token is left at Klarna, though we shall not use it, the session is not updated but replaced.
    """
    states = set(authorizations().unsettled().filter(session=pk).values_list("state", flat=True))
    if states <= {Attempt.CANCELLING}:
        left = {"in_doubt": True} if states else {}
        authorized = sessions().filter(pk=pk, state=State.AUTHORIZED)
        authorized.update(state=State.OPEN, digest="", updated_at=timezone.now(), **left)

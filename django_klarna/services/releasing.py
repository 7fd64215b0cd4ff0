"""Give back what Klarna has reserved: the end of a token from which no order is to come."""

from django.utils import timezone

from django_klarna.exceptions import KlarnaAPIError, KlarnaAuthenticationError, KlarnaNotFoundError
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaSession, State
from django_klarna.services.attempts import authorizations
from django_klarna.services.calls import client
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import sessions
from django_klarna.services.transactions import durable

#: Klarna's word for a token with which nothing can be done any more.
INVALID_OPERATION = "INVALID_OPERATION"


def give_up(attempt: KlarnaAuthorization, reason: str) -> None:
    """Decide that no order is to come of a token; from here on it can only be cancelled."""
    authorizations().filter(pk=attempt.pk, state=Attempt.RECEIVED).move(Attempt.CANCELLING, reason=reason)


def release(row: KlarnaSession, reason: str, deadline: Deadline) -> None:
    """Cancel every token of a session but one that is being ordered."""
    waiting = authorizations().filter(session=row)
    for attempt in waiting.filter(state=Attempt.RECEIVED):
        give_up(attempt, reason)
    for attempt in waiting.filter(state=Attempt.CANCELLING):
        cancel(row, attempt, deadline)
    with durable():
        lock(row.pk)
        reopen(row.pk)


def cancel(row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Tell Klarna that a token will not be used; the session can be updated once none is left.

    Source: https://docs.klarna.com/klarna-payments/other-actions/cancel-an-authorization
    """
    end = Attempt.CANCELLED
    try:
        client(row.account).orders.cancel_authorization(attempt.token, timeout=deadline.left())
    except (KlarnaNotFoundError, KlarnaAuthenticationError) as error:
        if not is_dead(error):
            raise
        end = Attempt.DEAD
    with durable():
        lock(row.pk)
        authorizations().filter(pk=attempt.pk).move(end)
        reopen(row.pk)


def is_dead(error: KlarnaAPIError) -> bool:
    """Tell whether a token cannot be used any more: expired, superseded or used up."""
    return isinstance(error, KlarnaNotFoundError) or error.error_code == INVALID_OPERATION


def lock(pk: int) -> None:
    """Keep others off a session until the transaction ends, so that the last of two tokens that end sees the other."""
    sessions().filter(pk=pk).update(updated_at=timezone.now())


def reopen(pk: int) -> None:
    """Let a session be used again that has no token left; inside a transaction that has locked it.

    What ``authorize()`` has told Klarna is not what we have sent: without a digest the next page sends it all anew.
    """
    if not authorizations().unsettled().filter(session=pk).exists():
        authorized = sessions().filter(pk=pk, state=State.AUTHORIZED)
        authorized.update(state=State.OPEN, digest="", updated_at=timezone.now())

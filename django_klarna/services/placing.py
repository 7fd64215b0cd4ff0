"""From a token to exactly one order at Klarna, one step after another, each committed before the next.

``received -> placing -> placed``, or ``-> cancelling -> cancelled``. The move to ``placing`` is one transaction
that fences the session, the content and the token, and keeps the exact body. From then on that body is repeated
until Klarna's answer is definite, and nothing else is done with the token.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from django_klarna.api import CreateOrderRequest, Session
from django_klarna.carts import get_adapter
from django_klarna.conf import get_settings
from django_klarna.exceptions import CartNotPayable, KlarnaNotFoundError, KlarnaValidationError
from django_klarna.models import (
    UNSETTLED,
    Attempt,
    KlarnaAuthorization,
    KlarnaSession,
    OrderState,
    Source,
    State,
)
from django_klarna.services.asking import ask
from django_klarna.services.attempts import authorizations, authorize_data, described_token, keep_token
from django_klarna.services.calls import PASSING, client, session_id
from django_klarna.services.columns import Token
from django_klarna.services.completion import announce_authorization, announce_order, complete_order
from django_klarna.services.convergence import recorded
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import Lease, LeaseLostError, acquire_any, sessions
from django_klarna.services.orders import orders
from django_klarna.services.payloads import Payload, build_payload, read_cart
from django_klarna.services.releasing import cancel, give_up
from django_klarna.services.transactions import durable, refuse_open_transaction, snapshot

logger = logging.getLogger("django_klarna")

#: Until then a token that is being ordered is left to whoever began with it.
PATIENCE = timedelta(seconds=30)
#: Why a token was not used. Stored, and told to the page.
CART_CHANGED, DATA_CHANGED, CART_NOT_PAYABLE = "cart_changed", "data_changed", "cart_not_payable"
ORDER_INVALID = "order_invalid"
SESSION_REPLACED, ORDER_EXISTS, SUPERSEDED = "session_replaced", "order_exists", "superseded"

Step = Callable[[Lease, KlarnaSession, KlarnaAuthorization, Deadline], None]


def place_order(pk: int) -> KlarnaAuthorization:
    """Make an order of the authorization ``pk``, or cancel it, and let the shop make its own; gives what came of it.

    Whoever is called again goes on where the last one stopped. An order is placed only if the cart is at this
    moment what the shopper has authorized, of the session in use; otherwise what was reserved is given back, and
    ``reason`` says why. Takes at most KLARNA_ORDER_TIMEOUT seconds: `KlarnaBusyError` says that the outcome is
    still open; another `KlarnaError` that trying again mends nothing before somebody has acted.
    """
    refuse_open_transaction("place_order")
    deadline = Deadline(get_settings().order_timeout)
    announce_authorization(pk)
    authorization = authorizations().get(pk=pk)
    while authorization.state in UNSETTLED:
        step_on(authorization, STEPS, deadline)
        authorization = authorizations().get(pk=pk)
    for order in orders().filter(session=authorization.session_id):
        finish = complete_order if order.state == OrderState.PLACED else announce_order
        finish(order.pk)
    return authorization


def cancel_authorization(pk: int) -> KlarnaAuthorization:
    """Give back what is reserved by the authorization ``pk``; one that is being ordered is left alone.

    Raises as `place_order` does.
    """
    refuse_open_transaction("cancel_authorization")
    deadline = Deadline(get_settings().order_timeout)
    authorization = authorizations().get(pk=pk)
    give_up(authorization, "cancelled")
    while (authorization := authorizations().get(pk=pk)).state == Attempt.CANCELLING:
        step_on(authorization, {Attempt.CANCELLING: cancel_step}, deadline)
    return authorization


def step_on(authorization: KlarnaAuthorization, steps: Mapping[Attempt, Step], deadline: Deadline) -> None:
    """Do the next step under the lease of the session; wait if that cannot be now."""
    lease = acquire_any(authorization.session_id, deadline.left())
    if lease is None:
        deadline.poll()
        return
    try:
        with lease:
            row = lease.row()
            attempt = authorizations().get(pk=authorization.pk)
            with recorded(lease, row):
                if step := steps.get(Attempt(attempt.state)):
                    step(lease, row, attempt, deadline)
            lease.release()
    except PASSING as error:
        deadline.back_off(error)


def begin(lease: Lease, row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Commit to an order, or find a reason against it."""
    before = authorizations().filter(session=row, state=Attempt.PLACING).first()
    if before is not None:
        ask(row, before, deadline)
    elif attempt.source == Source.CALLBACK and not is_confirmed(row, attempt, deadline):
        give_up(attempt, SUPERSEDED)
    elif reason := commit_or_reason(lease, row, attempt):
        give_up(attempt, reason)


def commit_or_reason(lease: Lease, row: KlarnaSession, attempt: KlarnaAuthorization) -> str:
    """Build the payload, and after that commit to the order of it; gives "" or the reason against it."""
    try:
        payload = build_payload(row.cart_id)
        if payload.digest != attempt.digest:
            return obstacle(row)
        if authorize_data(row.cart_id, payload.session) != attempt.data:
            return DATA_CHANGED
        is_committed = commit(lease, row, attempt, payload)
    except CartNotPayable:
        return CART_NOT_PAYABLE
    except KlarnaValidationError as error:
        logger.error("An order breaks Klarna's contract: %s", error, extra={"klarna_session": row.pk})  # noqa: TRY400 - it says it all
        return ORDER_INVALID
    return "" if is_committed else obstacle(row)


def is_confirmed(row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> bool:
    """Read the session back, for Klarna's callbacks prove nothing: tells whether its token may be this one.

    A token that Klarna names instead is kept; one that it does not name, for its docs leave that open, is tried.
    """
    try:
        answer = client(row.account).sessions.read_credit_session(session_id(row), timeout=deadline.left())
    except KlarnaNotFoundError:
        return False
    named = Token(answer.authorization_token or attempt.token)
    if named != attempt.token:
        keep_token(row, named, Source.READ, attempt)
    return named == attempt.token


def commit(lease: Lease, row: KlarnaSession, attempt: KlarnaAuthorization, payload: Payload) -> bool:
    """Move session and token to ``placing`` and keep the body, if nothing has changed since the shopper's click."""
    values = {
        "body": Token(order_of(row, attempt, payload).canonical().decode()),
        "description": described_token(row.cart_id, payload.session),
        "retry_at": timezone.now() + PATIENCE,
    }
    as_authorized = {
        "live": True,
        "state": State.AUTHORIZED,
        "in_doubt": False,
        "account_identity": payload.account_identity,
        "digest": attempt.digest,
        "update_seq": attempt.update_seq,
    }
    with durable():
        fenced = lease.rows().filter(**as_authorized)
        moved = fenced.update(state=State.PLACING, synced_revision=row.revision, updated_at=timezone.now())
        if moved and not authorizations().filter(pk=attempt.pk).move(Attempt.PLACING, **values):
            raise LeaseLostError
    if not moved:
        lease.row()  # a lease that is lost says nothing about the cart
    return bool(moved)


def order_of(row: KlarnaSession, attempt: KlarnaAuthorization, payload: Payload) -> CreateOrderRequest:
    """Give the order: the cart as Klarna has it, and the shopper as ``authorize()`` told."""
    data = Session.from_dict(json.loads(attempt.data or "{}"))
    with snapshot():
        reference = get_adapter().merchant_reference(read_cart(row.cart_id))
    personal = {name: getattr(data, name) for name in ("billing_address", "shipping_address", "customer")}
    order = payload.addressed(row.key).to_order(
        **{name: value for name, value in personal.items() if value is not None},
        merchant_reference1=reference or payload.session.merchant_reference1,
        merchant_reference2=attempt.key,
    )
    order.check()
    return order


def obstacle(row: KlarnaSession) -> str:
    """Say why a session cannot have this order."""
    now = sessions().get(pk=row.pk)
    if now.state == State.COMPLETED:
        return ORDER_EXISTS
    return CART_CHANGED if now.live else SESSION_REPLACED


def cancel_step(lease: Lease, row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Cancel a token."""
    cancel(row, attempt, deadline)


def ask_step(lease: Lease, row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Ask for the order."""
    ask(row, attempt, deadline)


STEPS: Mapping[Attempt, Step] = {
    Attempt.RECEIVED: begin,
    Attempt.PLACING: ask_step,
    Attempt.CANCELLING: cancel_step,
}

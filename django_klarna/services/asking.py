"""Ask Klarna for what a token was given for, and find out what a refusal means."""

import json

from django.db.models import F
from django.utils import timezone

from django_klarna.api import CreateOrderRequest, CustomerTokenCreationRequest, Order
from django_klarna.audit import ERROR_CODE, matching
from django_klarna.exceptions import KlarnaAPIError, KlarnaConflictError
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaSession, State
from django_klarna.services.attempts import TOKENIZE, TOKENIZING, authorizations
from django_klarna.services.calls import COMPLETED, client, is_answer
from django_klarna.services.columns import Token
from django_klarna.services.deadlines import Deadline
from django_klarna.services.leases import sessions
from django_klarna.services.orders import flag_unknown_order, note_order
from django_klarna.services.releasing import is_complete, lock, reopen
from django_klarna.services.transactions import durable

#: Klarna's word for an authorization that it takes back when the order is placed.
REJECTED = "REJECTED"


def ask(row: KlarnaSession, attempt: KlarnaAuthorization, deadline: Deadline) -> None:
    """Ask Klarna for the order, with the one body that this token was committed to.

    Source:
    https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/step-3-create-an-order
    """
    order = CreateOrderRequest.from_dict(json.loads(attempt.body))
    was_asked = attempt.asked > 0
    authorizations().filter(pk=attempt.pk).update(asked=F("asked") + 1)
    try:
        create_customer_token(row, attempt, order, deadline)
        answer = create_order(row, attempt, order, deadline)
    except KlarnaAPIError as error:
        if not is_answer(error):
            raise
        settle(row, attempt, error, has_order(row, error, deadline, was_asked=was_asked))
    else:
        note_order(row, attempt, answer)


def create_order(
    row: KlarnaSession, attempt: KlarnaAuthorization, order: CreateOrderRequest, deadline: Deadline
) -> Order | None:
    """Ask for the order; of what was authorized for a customer token alone there is none."""
    if row.intent == TOKENIZE:
        return None
    return client(row.account).orders.create_order(attempt.token, order, timeout=deadline.left())


def create_customer_token(
    row: KlarnaSession, attempt: KlarnaAuthorization, order: CreateOrderRequest, deadline: Deadline
) -> None:
    """Ask, once, for the token with which the shopper may be charged again, where that is the intent.

    Source: https://docs.klarna.com/acquirer/klarna/web-payments/integrate-with-klarna-payments/tokenized-payments/customer-token/
    """
    if row.intent not in TOKENIZING or attempt.customer_token:
        return
    request = CustomerTokenCreationRequest(
        description=attempt.description,
        intended_use="SUBSCRIPTION",
        locale=row.locale,
        purchase_country=order.purchase_country,
        purchase_currency=order.purchase_currency,
        billing_address=order.billing_address,
        customer=order.customer,
    )
    answer = client(row.account).orders.purchase_token(attempt.token, request, timeout=deadline.left())
    attempt.customer_token = Token(answer.token_id)
    authorizations().filter(pk=attempt.pk, state=Attempt.PLACING).update(
        customer_token=attempt.customer_token
    )


def has_order(row: KlarnaSession, error: KlarnaAPIError, deadline: Deadline, *, was_asked: bool) -> bool:
    """Find out what a refusal means: Klarna's sentences decide nothing, the session does.

    A session that is gone has no order, unless it was asked for before: then nobody can know.
    """
    return error.error_code == COMPLETED or is_complete(row, deadline, if_gone=was_asked)


def settle(row: KlarnaSession, attempt: KlarnaAuthorization, error: KlarnaAPIError, ordered: bool) -> None:
    """Note down what came of a refusal: an order that we did not hear of, or none and a token to cancel."""
    if ordered and flag_unknown_order(row, attempt):
        return
    end = Attempt.REJECTED if error.error_code == REJECTED else Attempt.CANCELLING
    # Of a session whose content is not what we believed only a new one can be trusted.
    doubt = {"in_doubt": True} if isinstance(error, KlarnaConflictError) else {}
    with durable():
        lock(row.pk)
        reason = matching(ERROR_CODE, error.error_code).lower() or "refused"
        if authorizations().filter(pk=attempt.pk).move(end, reason=reason):
            placing = sessions().filter(pk=row.pk, state=State.PLACING)
            placing.update(state=State.AUTHORIZED, updated_at=timezone.now(), **doubt)
            reopen(row.pk)

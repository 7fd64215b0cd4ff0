"""Klarna's orders: each noted down once, with the end of its token and of its session in one transaction."""

import json
import logging
import re
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from django_klarna.api import AuthorizedPaymentMethod, Order
from django_klarna.conf import get_settings
from django_klarna.models import (
    DONE,
    Attempt,
    Flag,
    FraudStatus,
    KlarnaAuthorization,
    KlarnaOrder,
    KlarnaOrderQuerySet,
    KlarnaSession,
    OrderState,
    State,
)
from django_klarna.services.attempts import authorizations
from django_klarna.services.columns import Token
from django_klarna.services.leases import sessions
from django_klarna.services.transactions import database, durable

logger = logging.getLogger("django_klarna")

#: Strict, for browsers read more into an address than a parser does.
OF_KLARNA = re.compile(r"https://(?:[a-z0-9-]+\.)*klarna\.com(?::443)?(?:[/?#][!-~]*)?", re.IGNORECASE)
FIRST_RETRY = 5.0
LONGEST_RETRY = 600.0


def orders() -> KlarnaOrderQuerySet:
    """All rows, on the database they are written to."""
    return KlarnaOrder.objects.using(database())


def later(tries: int) -> Any:  # noqa: ANN401 - aware or not, as the project keeps times
    """Give when to try again after so many failures."""
    return timezone.now() + timedelta(seconds=min(FIRST_RETRY * 2 ** min(tries, 16), LONGEST_RETRY))


def described(row: KlarnaSession, attempt: KlarnaAuthorization) -> dict[str, Any]:
    """Say what an order is about, as it was asked for."""
    asked = json.loads(attempt.body or "{}")
    return {
        "session": row,
        "key": attempt.key,
        "order_amount": row.order_amount,
        "order_tax_amount": row.order_tax_amount,
        "purchase_currency": row.purchase_currency,
        "merchant_reference1": asked.get("merchant_reference1", ""),
        "confirmation_url": asked.get("merchant_urls", {}).get("confirmation", ""),
    }


def note_order(row: KlarnaSession, attempt: KlarnaAuthorization, answer: Order | None) -> None:
    """Note down what Klarna has made of a token, or find it noted down; None is a customer token without an order."""
    told = placed(row, answer) if answer else {"state": OrderState.PLACED}
    rejected = told["state"] == OrderState.REJECTED
    values = {
        **described(row, attempt),
        **told,
        "customer_token": "" if rejected else Token(attempt.customer_token),
        "retry_at": later(0),
        "outbox": "order_rejected" if rejected else "",
    }
    close(row, attempt, Attempt.REJECTED if rejected else Attempt.PLACED, values)


def placed(row: KlarnaSession, answer: Order) -> dict[str, Any]:
    """Say what Klarna says of an order."""
    return {
        "order_id": answer.order_id,
        "state": OrderState.REJECTED if answer.fraud_status == FraudStatus.REJECTED else OrderState.PLACED,
        "fraud_status": (answer.fraud_status or "")[:32],
        "payment_method": payment_method(answer),
        "redirect_url": Token(safe_redirect(row.account, answer.redirect_url)),
    }


def flag_unknown_order(row: KlarnaSession, attempt: KlarnaAuthorization | None) -> bool:
    """Note down that Klarna has an order of which nobody told us the id; False if it is one that we know."""
    if orders().filter(session=row).exists():
        return False
    known = attempt or KlarnaAuthorization(key=row.key)
    values = {
        **described(row, known),
        "state": OrderState.FLAGGED,
        "flag": Flag.ORDER_ID_UNKNOWN,
        "customer_token": Token(known.customer_token),
        "retry_at": later(0),
    }
    close(row, attempt, Attempt.PLACED, values)
    logger.error(
        "Klarna has an order of which the id is not known: see the Klarna orders in the admin",
        extra={"klarna_session": row.pk},
    )
    return True


def close(
    row: KlarnaSession, attempt: KlarnaAuthorization | None, end: Attempt, values: dict[str, Any]
) -> None:
    """Insert an order and end its token and session, in one transaction; fenced by their states, not by a lease.

    A rejected order leaves the cart free for another session.
    """
    rejected = values["state"] == OrderState.REJECTED
    left: dict[str, Any] = {"live": None} if rejected else {}
    try:
        with durable():
            sessions().filter(pk=row.pk).move(State.COMPLETED, **left)
            if attempt is not None:
                authorizations().filter(pk=attempt.pk).move(end)
                # A push may have come while we waited for Klarna.
                values["candidate_order_id"] = authorizations().get(pk=attempt.pk).candidate_order_id
            prepared = authorizations().filter(session=row, state=Attempt.PREPARED)
            prepared.move(Attempt.DEAD, reason="order_exists")
            orders().create(**values)
    except IntegrityError:
        logger.info("An order was noted down by another worker", extra={"klarna_session": row.pk})


def payment_method(answer: Order) -> str:
    """Give the type of the payment method, as Klarna calls it."""
    method = answer.authorized_payment_method
    return (method.type or "")[:64] if isinstance(method, AuthorizedPaymentMethod) else ""


def safe_redirect(account: str, url: str | None) -> str:
    """Give the page of Klarna's to which the shopper goes next, or "" if it is not Klarna's."""
    if not url:
        return ""
    if OF_KLARNA.fullmatch(url):
        return url
    sandbox = get_settings().account(account).base_url
    if sandbox and url.startswith(f"{sandbox.rstrip('/')}/"):
        return url
    logger.warning("A redirect URL is not Klarna's, and is not followed")
    return ""


def set_free(pk: int) -> bool:
    """Take a session out of use if the shop has recorded its order; tells whether that was done."""
    done = sessions().filter(pk=pk, live=True, state=State.COMPLETED, order__state__in=DONE)
    # In two steps: MariaDB updates no table that the condition joins.
    return done.exists() and bool(sessions().filter(pk=pk, live=True).update(live=None))

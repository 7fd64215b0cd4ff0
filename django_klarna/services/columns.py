"""What the columns of a row say after each kind of answer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from django_klarna.api import MerchantSession, PaymentMethodCategory, SessionRead
from django_klarna.exceptions import KlarnaAPIError, KlarnaConfigurationError, KlarnaError
from django_klarna.models import KlarnaSession
from django_klarna.services.payloads import Payload

#: How long a session lives; a read tells the truth.
#: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/step-1-initiate-a-payment
LIFETIME = timedelta(hours=48)
NO_ERROR = {
    "error_status": None,
    "error_code": "",
    "error_message": "",
    "error_correlation_id": "",
    "error_at": None,
}


class Token(str):
    """A token on its way into the database; a debug page shows the variables of Django's frames, and not this one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"


def described(payload: Payload) -> dict[str, Any]:
    """Say what a payload is about."""
    session = payload.session
    return {
        "account": payload.account,
        "account_identity": payload.account_identity,
        "intent": session.intent or "buy",
        "purchase_country": session.purchase_country,
        "purchase_currency": session.purchase_currency,
        "locale": session.locale or "",
        "order_amount": session.order_amount,
        "order_tax_amount": session.order_tax_amount or 0,
    }


def accepted(row: KlarnaSession, payload: Payload) -> dict[str, Any]:
    """Say what Klarna now has, as of the revision that ``row`` was read at."""
    return {
        **NO_ERROR,
        **described(payload),
        "payload": payload.stored,
        "digest": payload.digest,
        "synced_revision": row.revision,
    }


def created(answer: MerchantSession, payload: Payload) -> dict[str, Any]:
    """Say what a create answered; its token is for just this content."""
    return {
        "session_id": answer.session_id,
        "client_token": Token(answer.client_token),
        "payment_method_categories": plain(answer.payment_method_categories),
        "read_digest": payload.digest,
        "expires_at": timezone.now() + LIFETIME,
    }


def read(row: KlarnaSession, answer: SessionRead) -> dict[str, Any]:
    """Say what a read answered. Another amount than ours makes a doubt; nothing takes an old doubt away."""
    in_doubt = row.in_doubt or answer.order_amount not in {None, row.order_amount}
    return {
        **NO_ERROR,
        "client_token": Token(answer.client_token or row.client_token),
        "payment_method_categories": plain(answer.payment_method_categories) or row.payment_method_categories,
        "expires_at": stored(answer.expires_at_utc) or row.expires_at,
        "in_doubt": in_doubt,
        "read_digest": row.read_digest if in_doubt else row.digest,
    }


def error(failure: Exception) -> dict[str, Any]:
    """Say what went wrong, for staff. Our own errors carry no secrets; the text of a stranger's may."""
    api = failure if isinstance(failure, KlarnaAPIError) else None
    ours = isinstance(failure, KlarnaError | KlarnaConfigurationError)
    code = (api.error_code if api else "") or type(failure).__name__
    return {
        "error_status": api.status_code if api else None,
        "error_code": code[:64],
        "error_message": "; ".join(api.error_messages) if api else str(failure) if ours else "",
        "error_correlation_id": (api.correlation_id or "")[:64] if api else "",
        "error_at": timezone.now(),
    }


def plain(categories: Sequence[PaymentMethodCategory] | None) -> list[dict[str, Any]]:
    """Give payment method categories as JSON."""
    return [category.to_dict() for category in categories or ()]


def stored(moment: datetime | None) -> datetime | None:
    """Give an aware time as the project keeps times."""
    return moment if moment is None or settings.USE_TZ else timezone.make_naive(moment)

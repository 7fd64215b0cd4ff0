"""What every service needs around a call of Klarna: whose operations, and what an error proves."""

from typing import cast

from django_klarna.api import KlarnaClient
from django_klarna.clients import client_for
from django_klarna.exceptions import (
    KlarnaAPIError,
    KlarnaConnectionError,
    KlarnaError,
    KlarnaRateLimitError,
    KlarnaResponseError,
    KlarnaServerError,
    KlarnaValidationError,
)
from django_klarna.models import KlarnaSession
from django_klarna.services.leases import LeaseLostError

#: What another try may mend.
PASSING = (
    KlarnaConnectionError,
    KlarnaServerError,
    KlarnaRateLimitError,
    KlarnaResponseError,
    LeaseLostError,
)
COMPLETED = "SESSION_COMPLETED"
UNAUTHORIZED = 401


def client(account: str) -> KlarnaClient:
    """Give the client of an account."""
    return client_for(account)


def session_id(row: KlarnaSession) -> str:
    """Give Klarna's id of an open session; every open row has one."""
    return cast("str", row.session_id)


def changed_nothing(error: KlarnaError) -> bool:
    """Tell whether an error proves that Klarna's copy is as it was: refused, or never sent."""
    if isinstance(error, KlarnaConnectionError):
        return not error.sent
    refused = isinstance(error, KlarnaAPIError) and not isinstance(error, KlarnaServerError)
    return refused or isinstance(error, KlarnaValidationError)


def is_answer(error: KlarnaAPIError) -> bool:
    """Tell whether an error is Klarna's answer to what was asked: not to who asks, and not to how often."""
    is_about_us = error.status_code == UNAUTHORIZED
    return not is_about_us and not isinstance(error, KlarnaServerError | KlarnaRateLimitError)

"""One shape for every error: ``{"code", "detail"}``, plus ``reasons`` for a cart that cannot be paid.

The same on each version of DRF and whatever EXCEPTION_HANDLER the project has. Nothing that Klarna wrote is shown.
"""

import logging
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

from django_klarna.exceptions import (
    CartNotPayable,
    KlarnaBadRequestError,
    KlarnaBusyError,
    KlarnaConfigurationError,
    KlarnaError,
    Violation,
)

logger = logging.getLogger("django_klarna")

#: Seconds after which a page may ask again when only the shop's staff can mend what is wrong.
STAFF_RETRY_AFTER = 60


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception; None lets Django treat it as a fault of the shop's own code."""
    if isinstance(error, CartNotPayable):
        return not_payable_now(error)
    if isinstance(error, KlarnaBadRequestError):
        logger.error("Klarna refuses the content of a cart", extra={"correlation_id": error.correlation_id})
        return not_payable(
            (Violation(path="", rule="refused", expected="a cart that Klarna accepts", actual=None),)
        )
    if isinstance(error, KlarnaBusyError):
        return unavailable(error.retry_after)
    if isinstance(error, KlarnaError | KlarnaConfigurationError):
        logger.error("Klarna cannot be used: %s", error)
        return unavailable(STAFF_RETRY_AFTER)
    return of_framework(error)


def not_payable_now(error: CartNotPayable, *, redirect_url: str | None = None) -> Response:
    """Log what is wrong with a cart and answer 409; ``redirect_url`` is the page of the order that it has."""
    logger.log(level_of(error), "A cart cannot be paid with Klarna: %s", error)
    return not_payable(error.violations, redirect_url)


def level_of(error: CartNotPayable) -> int:
    """Give how loud to say it: an empty cart is the shopper's business, a wrong sum that of staff."""
    return logging.WARNING if error.is_mistake else logging.INFO


def not_payable(violations: tuple[Violation, ...], redirect_url: str | None = None) -> Response:
    """409: the cart as it is cannot be paid with Klarna."""
    reasons = [{"path": each.path, "rule": each.rule, "message": str(each)} for each in violations]
    body = {"code": "cart_not_payable", "detail": "This cart cannot be paid with Klarna.", "reasons": reasons}
    if redirect_url:
        body["redirect_url"] = redirect_url
    return Response(body, status=status.HTTP_409_CONFLICT)


def unavailable(retry_after: float) -> Response:
    """503: Klarna is away; ``retry_after`` in seconds."""
    body = {"code": "unavailable", "detail": "Klarna is not available now."}
    return Response(
        body, status=status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": str(ceil(retry_after))}
    )


def of_framework(error: Exception) -> Response | None:
    """Answer what DRF and Django raise: wrong method, throttled, forbidden, bad JSON."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    body = {"code": error.default_code, "detail": detail_of(error)}
    return Response(body, status=error.status_code, headers=headers_of(error))


def detail_of(error: exceptions.APIException) -> str:
    """Give one sentence; those of a serializer are named by their fields."""
    if isinstance(error.detail, dict):
        return "; ".join(
            f"{name}: {', '.join(map(str, messages))}" for name, messages in error.detail.items()
        )
    return ", ".join(map(str, error.detail)) if isinstance(error.detail, list) else str(error.detail)


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    """Give the headers that go with an error of DRF."""
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(ceil(wait))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    return headers

"""What may come of a purchase, as answers to the page: each says what to do next."""

from rest_framework import status
from rest_framework.response import Response

from django_klarna.conf import get_settings
from django_klarna.links import ORDER_ID
from django_klarna.models import KlarnaOrder, OrderState


def ordered(order: KlarnaOrder) -> Response:
    """200: there is an order, and here is the page on which the purchase goes on."""
    is_open = order.is_pending or order.state == OrderState.FLAGGED
    return Response({"state": "pending" if is_open else "placed", "redirect_url": next_page(order)})


def concluded(order: KlarnaOrder) -> Response:
    """Say what became of an order: there is one, or Klarna has rejected it at once."""
    return declined() if order.state == OrderState.REJECTED else ordered(order)


def next_page(order: KlarnaOrder) -> str:
    """Give Klarna's page, which leads to the shop's, or the shop's own."""
    own = order.confirmation_url.replace(ORDER_ID, order.order_id or "")
    return order.redirect_url or get_settings().absolute(own)


def conflict(code: str, detail: str, **more: str) -> Response:
    """409, in the shape of every error."""
    return Response({"code": code, "detail": detail, **more}, status=status.HTTP_409_CONFLICT)


def session_stale() -> Response:
    """Say that the session has to be ensured first."""
    return conflict(
        "session_stale", "The session does not equal the cart; POST session/ first.", next="session"
    )


def authorize_again(code: str, reason: str) -> Response:
    """Say that nothing was bought, and that the shopper has to be asked anew."""
    return conflict(code, "Nothing was ordered; authorize again.", reason=reason, next="authorize")


def declined() -> Response:
    """Say that Klarna does not give this shopper what was authorized."""
    return conflict("declined", "Klarna has rejected the purchase.", reason="rejected", next="hide")


def being_ordered() -> Response:
    """Say that it is too late to cancel, and too early to know more."""
    return conflict("placing", "An order is being placed.", reason="placing", next="retry")


def already_ordered(order: KlarnaOrder) -> Response:
    """Say that it is too late to cancel."""
    return conflict(
        "placed",
        "The order has been placed.",
        reason="placed",
        next="redirect",
        redirect_url=next_page(order),
    )

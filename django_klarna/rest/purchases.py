"""From the shopper's click to the order, for the page."""

from django.db.models import Model
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_klarna import services
from django_klarna.exceptions import KlarnaError
from django_klarna.models import Attempt, KlarnaAuthorization
from django_klarna.rest.base import CartView
from django_klarna.rest.outcomes import (
    already_ordered,
    authorize_again,
    being_ordered,
    concluded,
    declined,
    session_stale,
)
from django_klarna.rest.serializers import prepared, told_in
from django_klarna.rest.throttles import AttemptThrottle, AuthorizationThrottle
from django_klarna.services.columns import Token


class AttemptView(CartView):
    """``POST`` fixes what the shopper is about to authorize, before the click: ``authorize()`` cannot wait for it."""

    http_method_names = ("post",)
    throttle_classes = (AttemptThrottle,)

    def post(self, request: Request) -> Response:
        """Answer 200 with the attempt and the data for ``authorize()``; 409 when the session must be ensured first."""
        attempt = services.prepare_attempt(cart=self.get_cart(request))
        return Response(prepared(attempt)) if attempt else session_stale()


class AuthorizationView(CartView):
    """``POST`` makes an order of what the shopper has authorized; ``DELETE`` gives it back."""

    http_method_names = ("post", "delete")
    throttle_classes = (AuthorizationThrottle,)

    def post(self, request: Request) -> Response:
        """Answer 200 with the page to go to, 409 with what to do instead, or 503: ask the same again."""
        attempt, token = told_in(request.data)
        # The cart that it was made of may be closed by now, and the answer may have been lost.
        if attempt and (order := services.order_told(attempt=attempt, token=token)):
            return concluded(order)
        cart = self.get_cart(request)
        authorization = self.received(cart, attempt, token)
        if authorization is not None:
            authorization = self.placed(authorization)
        return self.outcome(cart, authorization)

    def delete(self, request: Request) -> Response:
        """Answer 204 when nothing is reserved any more, 409 when it is too late for that."""
        attempt, token = told_in(request.data)
        cart = self.get_cart(request)
        services.void_attempts(cart=cart)
        authorization = self.received(cart, attempt, token) or services.newest_unsettled(cart=cart)
        while authorization is not None:
            if not services.cancel_authorization(authorization.pk).is_settled:
                return being_ordered()
            authorization = services.newest_unsettled(cart=cart)
        order = services.finished_order(cart=cart)
        return already_ordered(order) if order else Response(status=status.HTTP_204_NO_CONTENT)

    def received(self, cart: Model, attempt: str, token: Token) -> KlarnaAuthorization | None:
        """Keep what the browser tells, and give what is to be gone on with."""
        if not attempt:
            return services.newest_unsettled(cart=cart)
        return services.receive_authorization(cart=cart, attempt=attempt, token=token)

    def placed(self, authorization: KlarnaAuthorization) -> KlarnaAuthorization:
        """Make an order of it; that what is given back cannot be given back yet is not the shopper's business."""
        try:
            return services.place_order(authorization.pk)
        except KlarnaError:
            authorization.refresh_from_db()
            if authorization.state != Attempt.CANCELLING:
                raise
            return authorization

    def outcome(self, cart: Model, authorization: KlarnaAuthorization | None) -> Response:
        """Say what came of it; of several tokens for a cart, one may have become the order."""
        order = services.order_of(authorization) if authorization else None
        if order := order or services.finished_order(cart=cart):
            return concluded(order)
        if authorization is None:
            services.reopen_session(cart=cart)
            return authorize_again("unknown_attempt", "unknown_attempt")
        if authorization.state == Attempt.REJECTED:
            return declined()
        return authorize_again("authorize_again", authorization.reason)

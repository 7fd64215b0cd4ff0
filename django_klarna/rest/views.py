"""The session of the shopper's cart, for the page."""

from contextlib import suppress

from django.db.models import Model
from rest_framework.request import Request
from rest_framework.response import Response

from django_klarna import services
from django_klarna.exceptions import CartNotPayable, KlarnaError
from django_klarna.rest.base import CartView
from django_klarna.rest.errors import not_payable_now
from django_klarna.rest.outcomes import next_page
from django_klarna.rest.serializers import EnsureSerializer, stale, warm
from django_klarna.rest.throttles import RecheckThrottle


class SessionView(CartView):
    """``GET`` tells whether the session equals the cart and never calls Klarna; ``POST`` sees to it that it does."""

    http_method_names = ("get", "post", "head")

    def get(self, request: Request) -> Response:
        """Answer 200 with the token, or with ``state: "stale"`` and none."""
        session, payload = services.peek_session(cart=self.get_cart(request))
        return Response(warm(session) if session else stale(payload))

    def post(self, request: Request) -> Response:
        """Answer 200 with a token for what the cart holds now; 409 if it cannot be paid, 503 if Klarna is away."""
        body = EnsureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        cart = self.get_cart(request)
        if body.validated_data["recheck"]:
            self.recheck(request, cart)
        try:
            return Response(warm(services.ensure_session(cart=cart)))
        except CartNotPayable as error:
            is_paid = any(violation.rule == "session_completed" for violation in error.violations)
            order = services.newest_order(cart=cart) if is_paid else None
            return not_payable_now(error, redirect_url=next_page(order) if order else None)

    def recheck(self, request: Request, cart: Model) -> None:
        """Read the session at Klarna, if this shopper has not asked for it too often."""
        throttle = RecheckThrottle()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait() or 0.0)
        session, _payload = services.peek_session(cart=cart)
        if session is not None:
            with suppress(KlarnaError):  # the row has noted it, and ensure_session() decides what it means
                services.refresh_session(session.pk)

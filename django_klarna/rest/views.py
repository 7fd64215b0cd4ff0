"""The session of the shopper's cart, for the page."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.cache import add_never_cache_headers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from django_klarna import services
from django_klarna.carts import get_adapter
from django_klarna.exceptions import CartNotPayable, KlarnaError
from django_klarna.rest.errors import handle_exception
from django_klarna.rest.parsers import SmallJSONParser
from django_klarna.rest.permissions import FromOwnPages
from django_klarna.rest.serializers import EnsureSerializer, stale, warm
from django_klarna.rest.throttles import RecheckThrottle, VisitorThrottle
from django_klarna.services.payloads import missing_cart


class SessionView(APIView):
    """``GET`` tells whether the session equals the cart and never calls Klarna; ``POST`` sees to it that it does.

    The cart is that of the request, never one that the client names. Every class of the framework that could come
    from the project's defaults is set here, but for the authenticators: who the shopper is, is the project's to say.
    """

    http_method_names = ("get", "post", "head")
    permission_classes = (FromOwnPages,)
    parser_classes = (SmallJSONParser,)
    renderer_classes = (JSONRenderer,)
    throttle_classes = (VisitorThrottle,)
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

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
        return Response(warm(services.ensure_session(cart=cart)))

    def recheck(self, request: Request, cart: Model) -> None:
        """Read the session at Klarna, if this shopper has not asked for it too often."""
        throttle = RecheckThrottle()
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait() or 0.0)
        session, _payload = services.peek_session(cart=cart)
        if session is not None:
            with suppress(KlarnaError):  # the row has noted it, and ensure_session() decides what it means
                services.refresh_session(session.pk)

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Remember who has logged in to the shop: the project's authenticators may know other ways only."""
        super().setup(request, *args, **kwargs)
        self.visitor = getattr(request, "user", None)

    def get_cart(self, request: Request) -> Model:
        """Find the cart of the shopper anew; `CartNotPayable` when there is none."""
        asked = request._request  # noqa: SLF001 - the adapter is promised an HttpRequest
        if self.visitor is not None and request.successful_authenticator is None:
            asked.user = self.visitor  # the framework has put its own nobody there
        cart: Model | None = get_adapter().cart_for(asked)
        if cart is None:
            raise CartNotPayable((missing_cart(),))
        return cart

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Use our own handler, whatever the project's."""
        return handle_exception

    def get_throttles(self) -> list[BaseThrottle]:
        """Count calls that may reach Klarna; a GET does not."""
        return super().get_throttles() if self.request.method == "POST" else []

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keep tokens out of every cache."""
        add_never_cache_headers(response)
        return super().finalize_response(request, response, *args, **kwargs)

"""What all endpoints have in common: whose cart, who may ask, how often, and what an error looks like."""

from collections.abc import Callable
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

from django_klarna.carts import get_adapter
from django_klarna.exceptions import CartNotPayable
from django_klarna.rest.errors import handle_exception
from django_klarna.rest.parsers import SmallJSONParser
from django_klarna.rest.permissions import FromOwnPages
from django_klarna.rest.throttles import VisitorThrottle
from django_klarna.services.payloads import missing_cart


class CartView(APIView):
    """A view of the shopper's cart.

    The cart is that of the request, never one that the client names. Every class of the framework that could come
    from the project's defaults is set here, but for the authenticators: who the shopper is, is the project's to say.
    """

    permission_classes = (FromOwnPages,)
    parser_classes = (SmallJSONParser,)
    renderer_classes = (JSONRenderer,)
    throttle_classes = (VisitorThrottle,)
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

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
        return super().get_throttles() if self.request.method in {"POST", "DELETE"} else []

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keep tokens out of every cache."""
        add_never_cache_headers(response)
        return super().finalize_response(request, response, *args, **kwargs)

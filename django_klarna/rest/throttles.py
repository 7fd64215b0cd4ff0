"""How often a shopper may ask; rates of our own, whatever the defaults of the project."""

import logging
from hashlib import sha256

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from django_klarna.conf import get_settings

logger = logging.getLogger("django_klarna")


class VisitorThrottle(SimpleRateThrottle):
    """Count the requests of one address; the rate comes from KLARNA_THROTTLE_RATES."""

    scope = "session"

    def get_rate(self) -> str:
        """Give the rate of the scope, such as ``"60/min"``."""
        return get_settings().throttle_rates[str(self.scope)]

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Give the key under which the visitor is counted."""
        address = sha256(self.get_ident(request).encode()).hexdigest()
        return f"klarna_throttle_{self.scope}_{address}"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Tell whether the visitor may ask; a cache that is down must not take the checkout with it."""
        try:
            return super().allow_request(request, view)
        except Exception:
            logger.exception("Requests are not counted: the cache does not answer")
            return True


class RecheckThrottle(VisitorThrottle):
    """Count what makes us read a session at Klarna though nothing says that it is wrong."""

    scope = "recheck"


class AttemptThrottle(VisitorThrottle):
    """Count what a page prepares before each click."""

    scope = "attempt"


class AuthorizationThrottle(VisitorThrottle):
    """Count what makes us order or cancel at Klarna; a token that is made up costs calls too."""

    scope = "authorization"

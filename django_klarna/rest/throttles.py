"""How often a shopper may ask; rates of our own, whatever the defaults of the project."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from django_klarna.conf import get_settings


class VisitorThrottle(SimpleRateThrottle):
    """Count the requests of one address; the rate comes from KLARNA_THROTTLE_RATES."""

    scope = "session"

    def get_rate(self) -> str:
        """Give the rate of the scope, such as ``"60/min"``."""
        assert self.scope is not None  # noqa: S101 - each class has one; for the type checker
        return get_settings().throttle_rates[self.scope]

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Give the key under which the visitor is counted."""
        return f"klarna_throttle_{self.scope}_{self.get_ident(request)}"


class RecheckThrottle(VisitorThrottle):
    """Count what makes us read a session at Klarna though nothing says that it is wrong."""

    scope = "recheck"

"""Who may ask for a session: every shopper, from the shop's own pages."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class FromOwnPages(BasePermission):
    """Enforce CSRF for anonymous shoppers too; DRF alone does so for logged-in ones only.

    A request that an authenticator other than the session vouches for (a token, say) carries no ambient
    credentials and needs no CSRF token.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let the request pass, or raise ``PermissionDenied`` with the reason."""
        vouched = request.successful_authenticator
        if vouched is None or isinstance(vouched, SessionAuthentication):
            SessionAuthentication().enforce_csrf(request)
        return True

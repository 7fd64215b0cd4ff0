"""Staff browse sessions, authorizations, orders and calls, and help on what has got stuck."""

from django_klarna.admin.authorizations import KlarnaAuthorizationAdmin
from django_klarna.admin.calls import KlarnaApiCallAdmin
from django_klarna.admin.orders import KlarnaOrderAdmin
from django_klarna.admin.sessions import KlarnaSessionAdmin

__all__ = ("KlarnaApiCallAdmin", "KlarnaAuthorizationAdmin", "KlarnaOrderAdmin", "KlarnaSessionAdmin")

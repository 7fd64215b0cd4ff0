"""Staff browse sessions and calls, and repair sessions."""

from django_klarna.admin.calls import KlarnaApiCallAdmin
from django_klarna.admin.sessions import KlarnaSessionAdmin

__all__ = ("KlarnaApiCallAdmin", "KlarnaSessionAdmin")

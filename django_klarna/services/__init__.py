"""What the package does, as plain keyword-only functions; the only place that joins client and models."""

from django_klarna.services.sessions import (
    close_abandoned_sessions,
    close_session,
    ensure_session,
    peek_session,
    refresh_session,
    sync_session,
)

__all__ = (
    "close_abandoned_sessions",
    "close_session",
    "ensure_session",
    "peek_session",
    "refresh_session",
    "sync_session",
)

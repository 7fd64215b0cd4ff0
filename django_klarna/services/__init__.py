"""What the package does, as plain keyword-only functions; the only place that joins client and models."""

from django_klarna.services.completion import complete_order, record_despite_changes, settle_order
from django_klarna.services.notices import (
    finished_order,
    newest_order,
    newest_unsettled,
    order_of,
    order_told,
    prepare_attempt,
    receive_authorization,
    reopen_session,
    take_callback,
    take_notification,
    take_push,
    void_attempts,
)
from django_klarna.services.placing import cancel_authorization, place_order
from django_klarna.services.reconciliation import reconcile
from django_klarna.services.sessions import (
    close_abandoned_sessions,
    close_session,
    ensure_session,
    peek_session,
    refresh_session,
    sync_session,
)

__all__ = (
    "cancel_authorization",
    "close_abandoned_sessions",
    "close_session",
    "complete_order",
    "ensure_session",
    "finished_order",
    "newest_order",
    "newest_unsettled",
    "order_of",
    "order_told",
    "peek_session",
    "place_order",
    "prepare_attempt",
    "receive_authorization",
    "reconcile",
    "record_despite_changes",
    "refresh_session",
    "reopen_session",
    "settle_order",
    "sync_session",
    "take_callback",
    "take_notification",
    "take_push",
    "void_attempts",
)

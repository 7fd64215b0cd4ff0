"""`KlarnaApiCall`, our note of one call of Klarna: what was asked and how it ended, nothing of what was said."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_klarna.conf import get_settings
from django_klarna.models.sessions import KlarnaSession

#: Rows that one statement deletes.
BATCH = 1000


class KlarnaApiCallQuerySet(models.QuerySet["KlarnaApiCall"]):
    """What can be asked of millions of rows."""

    def expired(self) -> Self:
        """Narrow to the rows that are older than KLARNA_AUDIT_RETENTION says."""
        return self.filter(created_at__lt=timezone.now() - timedelta(seconds=get_settings().audit_retention))

    def prune(self) -> int:
        """Delete the expired rows and give how many; `BATCH` at a time, so that no lock lasts and no work is lost."""
        count = 0
        while oldest := list(self.expired().order_by("created_at").values_list("pk", flat=True)[:BATCH]):
            count += self.filter(pk__in=oldest).delete()[0]
        return count


class KlarnaApiCall(models.Model):
    """One call of Klarna.

    The database does not hold the key to the session, so that a note waits for no lock of a session, deleting
    sessions does not look through the notes, and a note outlives its session: its ``session`` is then None
    when it was joined, and ``session_id`` stays.
    """

    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    operation = models.CharField(_("operation"), max_length=64)
    account = models.CharField(_("account"), max_length=64, help_text=_("Alias in the setting KLARNA."))
    session = models.ForeignKey(
        KlarnaSession,
        verbose_name=_("session"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="api_calls",
        help_text=_("What the call was made for; the call that creates a successor is with the one before."),
    )
    status_code = models.PositiveSmallIntegerField(
        _("status"), null=True, help_text=_("Empty when no answer came.")
    )
    error_code = models.CharField(
        _("error code"), max_length=64, help_text=_("Klarna's, or the class of our own error.")
    )
    correlation_id = models.CharField(
        _("correlation id"), max_length=64, help_text=_("What Klarna's support asks for.")
    )
    sent = models.BooleanField(_("sent"), help_text=_("No when certainly nothing reached Klarna."))
    duration = models.PositiveIntegerField(_("duration"), help_text=_("Milliseconds."))
    attempts = models.PositiveSmallIntegerField(_("attempts"))

    objects = KlarnaApiCallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call of Klarna")
        verbose_name_plural = _("calls of Klarna")
        indexes = (
            models.Index(fields=("created_at",), name="klarna_call_created_at"),
            models.Index(fields=("error_code",), name="klarna_call_error_code"),
            models.Index(fields=("correlation_id",), name="klarna_call_correlation_id"),
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.status_code or self.error_code}"

"""Forget what is no longer to be kept."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import router

from django_klarna.models import KlarnaApiCall


class Command(BaseCommand):
    """Delete the notes of calls that are older than KLARNA_AUDIT_RETENTION says; for a daily job."""

    help = "Delete the notes of calls that are older than KLARNA_AUDIT_RETENTION says."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete them, and say how many there were."""
        calls = KlarnaApiCall.objects.using(router.db_for_write(KlarnaApiCall))
        self.stdout.write(f"Deleted {calls.prune()} notes of calls of Klarna.")

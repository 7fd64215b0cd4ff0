"""The app: registers the checks and connects the receivers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KlarnaConfig(AppConfig):
    """Klarna Payments for Django."""

    name = "django_klarna"
    verbose_name = _("Klarna")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks and listen to the carts."""
        from django_klarna import checks, receivers

        checks.register_checks()
        receivers.connect()

"""What the lists can be narrowed by; Django's own filters would look through all rows for what occurs."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_klarna.markets import get_markets
from django_klarna.models import FraudStatus, KlarnaOrder, KlarnaSession


class AttentionFilter(admin.SimpleListFilter):
    """What a person may want to look at."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return (("stale", _("stale")), ("in_doubt", _("in doubt")), ("error", _("with an error")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaSession]) -> QuerySet[KlarnaSession]:
        """Narrow live sessions to the chosen ones."""
        live = queryset.filter(live=True)
        match self.value():
            case "stale":
                return live.exclude(revision=F("synced_revision"))
            case "in_doubt":
                return live.filter(in_doubt=True)
            case "error":
                return live.exclude(error_at=None)
            case _:
                return queryset


class UseFilter(admin.SimpleListFilter):
    """Whether a cart uses the session now; the column itself knows True and NULL only."""

    title = _("in use")
    parameter_name = "in_use"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return (("yes", _("Yes")), ("no", _("No")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaSession]) -> QuerySet[KlarnaSession]:
        """Narrow to the chosen ones."""
        uses = {"yes": queryset.filter(live=True), "no": queryset.filter(live=None)}
        return uses.get(self.value() or "", queryset)


class CountryFilter(admin.SimpleListFilter):
    """The country, of those where Klarna sells."""

    title = _("country")
    parameter_name = "purchase_country"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return [(country, country) for country in get_markets()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaSession]) -> QuerySet[KlarnaSession]:
        """Narrow to the chosen one."""
        country = self.value()
        return queryset.filter(purchase_country=country) if country else queryset


class FraudFilter(admin.SimpleListFilter):
    """What Klarna thinks of an order."""

    title = _("fraud status")
    parameter_name = "fraud_status"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return [(str(value), label) for value, label in FraudStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaOrder]) -> QuerySet[KlarnaOrder]:
        """Narrow to the chosen one."""
        status = self.value()
        return queryset.filter(fraud_status=status) if status else queryset

"""Staff look up what was asked of Klarna and how it ended."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_klarna.admin.browsing import ReadOnlyAdmin, badge, render_html, seconds
from django_klarna.models import KlarnaApiCall, KlarnaSession

OPERATIONS = (
    "create_credit_session",
    "read_credit_session",
    "update_credit_session",
    "create_order",
    "cancel_authorization",
    "purchase_token",
    "get_order",
)
#: How many calls the page of a session shows.
LAST = 20


class OutcomeFilter(admin.SimpleListFilter):
    """Whether Klarna did what was asked."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return (("done", _("done")), ("failed", _("failed")), ("no_answer", _("no answer")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaApiCall]) -> QuerySet[KlarnaApiCall]:
        """Narrow to the chosen ones."""
        choices = {
            "done": Q(error_code=""),
            "failed": Q(error_code__gt=""),
            "no_answer": Q(error_code__gt="", status_code=None),
        }
        return queryset.filter(choices.get(self.value() or "", Q()))


class OperationFilter(admin.SimpleListFilter):
    """The operation; Django's own filter would look through all rows for those that occur."""

    title = _("operation")
    parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return [(name, name) for name in OPERATIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaApiCall]) -> QuerySet[KlarnaApiCall]:
        """Narrow to the chosen one."""
        operation = self.value()
        return queryset.filter(operation=operation) if operation else queryset


@admin.register(KlarnaApiCall)
class KlarnaApiCallAdmin(ReadOnlyAdmin):
    """Read-only: a note of what happened."""

    list_display = (
        "time",
        "operation",
        "outcome",
        "error_code",
        "milliseconds",
        "attempts",
        "account",
        "session_link",
        "correlation_id",
    )
    list_filter = (OutcomeFilter, OperationFilter, "created_at")
    search_fields = ("correlation_id__exact", "error_code__exact")
    search_help_text = _("A correlation id, an error code, or the key or Klarna's id of a session, in full.")
    # By any other order than that of the key, all rows would have to be sorted.
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("time", "operation", "account", "session_link")}),
        (
            _("Outcome"),
            {"fields": ("outcome", "error_code", "correlation_id", "sent", "milliseconds", "attempts")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[KlarnaApiCall]:
        """Read no more of the sessions than their keys."""
        ours = (field.attname for field in KlarnaApiCall._meta.concrete_fields)  # noqa: SLF001 - as Django's own admin does
        return super().get_queryset(request).select_related("session").only(*ours, "session__key")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KlarnaApiCall], search_term: str
    ) -> tuple[QuerySet[KlarnaApiCall], bool]:
        """Find the session first: a condition over both tables at once could use no index."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, may_repeat
        named = KlarnaSession.objects.filter(Q(key=search_term) | Q(session_id=search_term))
        return found | queryset.filter(session__in=list(named.values_list("pk", flat=True))), may_repeat

    @admin.display(description=_("time"))
    def time(self, call: KlarnaApiCall) -> str:
        """Give the time to the second."""
        return seconds(call.created_at)

    @admin.display(description=_("status"))
    def outcome(self, call: KlarnaApiCall) -> SafeString:
        """Give Klarna's status, coloured by whether it is a good one."""
        return outcome_badge(call)

    @admin.display(description=_("duration"))
    def milliseconds(self, call: KlarnaApiCall) -> str:
        """Give how long it took."""
        return f"{call.duration}\u00a0ms"

    @admin.display(description=_("session"))
    def session_link(self, call: KlarnaApiCall) -> str:
        """Lead to the session, if it is still there."""
        if call.session is None:
            return "-" if call.session_id is None else f"{call.session_id}"
        return self.link_to(call.session)


def outcome_badge(call: KlarnaApiCall) -> SafeString:
    """Give the status of a call, or that there was none."""
    if call.status_code is None:
        return badge("bad", _("no answer") if call.sent else _("not sent"))
    return badge("bad" if call.error_code else "good", call.status_code)


def table_of_calls(session: KlarnaSession, url: str) -> SafeString:
    """Give the last calls of a session, newest first, and a link to all of them in the list at ``url``."""
    calls = KlarnaApiCall.objects.filter(session=session).order_by("-pk")[:LAST]
    rows = [(call, seconds(call.created_at), outcome_badge(call)) for call in calls]
    return render_html("klarnasession/calls", {"rows": rows, "all": f"{url}?session={session.pk}"})

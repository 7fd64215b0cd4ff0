"""Staff follow what shoppers have authorized; tokens, data and bodies are not even read for that."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_klarna.admin.browsing import badge, link, render_html, seconds, sessions_named
from django_klarna.admin.measures import GIVE_BACK, GO_ON
from django_klarna.admin.repairs import RepairAdmin, asking
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaSession
from django_klarna.money import display

TONES = {
    Attempt.RECEIVED: "waiting",
    Attempt.PLACING: "waiting",
    Attempt.CANCELLING: "waiting",
    Attempt.PLACED: "good",
    Attempt.REJECTED: "bad",
}
PROGRESS = (
    "update_seq",
    "asked",
    "tries",
    "retry_at",
    "candidate_order_id",
    "outbox",
    "created_at",
    "updated_at",
)
#: No page reads more than this.
COLUMNS = ("key", "session_id", "state", "source", "reason", *PROGRESS)
#: How many of them the page of a session shows.
LAST = 20


@admin.register(KlarnaAuthorization)
class KlarnaAuthorizationAdmin(RepairAdmin):
    """Read-only; who may can have one gone on with, or given back."""

    repairs = (GO_ON, GIVE_BACK)
    actions = tuple(map(asking, repairs))
    asked_about = ("key", "session_link", "amount", "badge", "time")
    list_display = ("key", "badge", "reason", "source", "tries", "retry_at", "time", "session_link")
    list_filter = ("state", "source")
    search_fields = ("key__exact",)
    search_help_text = _("The key, or the session's key, Klarna's session id or the cart's id, in full.")
    # By any other order than that of the key, all rows would have to be sorted.
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("badge", "reason", "source", "key", "session_link", "amount")}),
        (_("Progress"), {"fields": PROGRESS}),
    )

    def has_place_permission(self, request: HttpRequest) -> bool:
        """Tell who may have an order placed."""
        return request.user.has_perm(GO_ON.permission)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Tell who may give an authorization back."""
        return request.user.has_perm(GIVE_BACK.permission)

    def get_queryset(self, request: HttpRequest) -> QuerySet[KlarnaAuthorization]:
        """Read nothing that is not shown."""
        session = ("session__key", "session__order_amount", "session__purchase_currency")
        return super().get_queryset(request).select_related("session").only(*COLUMNS, *session)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KlarnaAuthorization], search_term: str
    ) -> tuple[QuerySet[KlarnaAuthorization], bool]:
        """Find those of a session, too."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, may_repeat
        return found | queryset.filter(session__in=sessions_named(search_term)), may_repeat

    @admin.display(description=_("state"))
    def badge(self, authorization: KlarnaAuthorization) -> SafeString:
        """Give the state, coloured by whether it is a good one."""
        return attempt_badge(authorization)

    @admin.display(description=_("session"))
    def session_link(self, authorization: KlarnaAuthorization) -> SafeString:
        """Lead to the session."""
        return self.link_to(authorization.session)

    @admin.display(description=_("amount"))
    def amount(self, authorization: KlarnaAuthorization) -> str:
        """Give what the session is about, as money."""
        session = authorization.session
        return display(session.order_amount, session.purchase_currency)

    @admin.display(description=_("created"))
    def time(self, authorization: KlarnaAuthorization) -> str:
        """Give the time to the second."""
        return seconds(authorization.created_at)


def attempt_badge(authorization: KlarnaAuthorization) -> SafeString:
    """Give the state, coloured by whether it is a good one."""
    return badge(TONES.get(Attempt(authorization.state), "over"), authorization.get_state_display())


def table_of_authorizations(site: str, session: KlarnaSession) -> SafeString:
    """Give the last tries of a session, newest first."""
    found = KlarnaAuthorization.objects.filter(session=session).only(*COLUMNS).order_by("-pk")[:LAST]
    rows: list[tuple[Any, ...]] = [
        (each, seconds(each.created_at), link(site, each), attempt_badge(each)) for each in found
    ]
    return render_html("klarnasession/authorizations", {"rows": rows})

"""Staff send carts to Klarna and read sessions from there: chosen, asked once more, then one after the other."""

import re

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_POST

from django_klarna import services
from django_klarna.admin.browsing import ReadOnlyAdmin
from django_klarna.admin.runs import Outcome, Repair, run, told
from django_klarna.models import KlarnaSession
from django_klarna.services.transactions import without_transaction

#: Sessions of one run. Each may take KLARNA_SYNC_TIMEOUT seconds, and the web server waits for all of them.
MOST = 20

SYNC = Repair(
    name="sync",
    title=_("Send cart to Klarna"),
    question=_("Klarna gets the content of these carts, where it has another one:"),
    done=ngettext_lazy(
        "%(count)d session is equal to its cart now.",
        "%(count)d sessions are equal to their carts now.",
        "count",
    ),
    service=services.sync_session,
)
REFRESH = Repair(
    name="refresh",
    title=_("Read from Klarna"),
    question=_("Token, payment methods and expiry of these sessions are read at Klarna:"),
    done=ngettext_lazy(
        "%(count)d session was read from Klarna.", "%(count)d sessions were read from Klarna.", "count"
    ),
    service=services.refresh_session,
)


class RepairAdmin(ReadOnlyAdmin):
    """The actions, each with a permission and an address of its own.

    An action itself may run inside the transaction of ATOMIC_REQUESTS, and so it only asks; the address that the
    answer goes to is exempt from it.
    """

    actions = ("send_to_klarna", "read_from_klarna")

    def get_urls(self) -> list[URLPattern]:
        """Add where confirmations go to."""
        view = without_transaction(self.admin_site.admin_view(require_POST(self.confirmed)))
        ours = [
            path(
                f"{repair.name}/", view, {"repair": repair}, name=f"django_klarna_klarnasession_{repair.name}"
            )
            for repair in (SYNC, REFRESH)
        ]
        return [*ours, *super().get_urls()]

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Tell who may send carts."""
        return request.user.has_perm(SYNC.permission)

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Tell who may read sessions."""
        return request.user.has_perm(REFRESH.permission)

    @admin.action(description=SYNC.title, permissions=("sync",))
    def send_to_klarna(
        self, request: HttpRequest, queryset: QuerySet[KlarnaSession]
    ) -> TemplateResponse | None:
        """Ask whether to send the carts."""
        return self.confirmation(request, queryset, SYNC)

    @admin.action(description=REFRESH.title, permissions=("refresh",))
    def read_from_klarna(
        self, request: HttpRequest, queryset: QuerySet[KlarnaSession]
    ) -> TemplateResponse | None:
        """Ask whether to read the sessions."""
        return self.confirmation(request, queryset, REFRESH)

    def confirmation(
        self, request: HttpRequest, queryset: QuerySet[KlarnaSession], repair: Repair
    ) -> TemplateResponse | None:
        """Show what was chosen, or say that it is too much; calls nobody."""
        sessions = list(queryset[: MOST + 1])
        if len(sessions) > MOST:
            self.message_user(request, too_many(), messages.WARNING)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": repair.title,
            "repair": repair,
            "address": with_query(request, self.url_of(repair.name)),
            "back": with_query(request, self.url_of("changelist")),
            "sessions": sessions,
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
            "media": self.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/django_klarna/klarnasession/confirmation.html", context)

    def confirmed(self, request: HttpRequest, repair: Repair) -> HttpResponse:
        """Do it, row by row, and say how it went."""
        if not (self.has_view_permission(request) and request.user.has_perm(repair.permission)):
            raise PermissionDenied
        chosen = [pk for pk in request.POST.getlist(ACTION_CHECKBOX_NAME) if re.fullmatch("[0-9]{1,18}", pk)]
        if len(chosen) > MOST:
            self.message_user(request, too_many(), messages.WARNING)
        else:
            outcome = run(repair, self.get_queryset(request).filter(pk__in=chosen))
            self.tell(request, repair, outcome)
        return HttpResponseRedirect(with_query(request, self.url_of("changelist")))

    def tell(self, request: HttpRequest, repair: Repair, outcome: Outcome) -> None:
        """Say how many went well, how many did not and why, and note in the history who did it."""
        for session in outcome.done:
            self.log_change(request, session, str(repair.title))
        for level, text in told(repair, outcome):
            self.message_user(request, text, level)

    def url_of(self, page: str) -> str:
        """Give the address of one of our pages."""
        return reverse(f"{self.admin_site.name}:django_klarna_klarnasession_{page}")


def too_many() -> str:
    """Say how many sessions can be chosen."""
    return str(_("Nothing was done: choose at most %(most)d sessions.") % {"most": MOST})


def with_query(request: HttpRequest, url: str) -> str:
    """Keep the filters of the list."""
    return f"{url}?{request.GET.urlencode()}" if request.GET else url

"""Staff have something done to rows: chosen, asked once more, then one after the other."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from django_klarna.admin.browsing import ReadOnlyAdmin
from django_klarna.admin.runs import Outcome, Repair, run, told
from django_klarna.services.transactions import without_transaction


class RepairAdmin(ReadOnlyAdmin):
    """The actions, made of ``repairs``, each with a permission and an address of its own.

    An action itself may run inside the transaction of ATOMIC_REQUESTS, and so it only asks; the address that the
    answer goes to is exempt from it.
    """

    repairs: ClassVar[tuple[Repair, ...]] = ()
    #: What is shown of the chosen rows: names as in ``list_display``.
    asked_about: ClassVar[tuple[str, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        """Add where confirmations go to."""
        view = without_transaction(self.admin_site.admin_view(require_POST(self.confirmed)))
        ours = [
            path(f"{repair.name}/", view, {"repair": repair}, name=self.name_of(repair.name))
            for repair in self.repairs
        ]
        return [*ours, *super().get_urls()]

    def ask(self, request: HttpRequest, queryset: QuerySet[Any], repair: Repair) -> TemplateResponse | None:
        """Show what was chosen, or say that it is too much; calls nobody."""
        rows = list(queryset[: repair.most + 1])
        if len(rows) > repair.most:
            self.message_user(request, too_many(repair), messages.WARNING)
            return None
        return self.confirmation(request, rows, repair, repair.form())

    def confirmation(
        self, request: HttpRequest, rows: list[Model], repair: Repair, form: forms.Form
    ) -> TemplateResponse:
        """Ask whether to do it."""
        context = {
            **self.admin_site.each_context(request),
            "title": repair.title,
            "repair": repair,
            "form": form,
            "address": with_query(request, self.url_of(repair.name)),
            "back": with_query(request, self.url_of("changelist")),
            "headings": [label_for_field(name, self.model, self) for name in self.asked_about],
            "rows": [
                (row.pk, [lookup_field(name, row, self)[2] for name in self.asked_about]) for row in rows
            ],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
            "media": self.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/django_klarna/confirmation.html", context)

    def confirmed(self, request: HttpRequest, repair: Repair) -> HttpResponse:
        """Do it, row by row, and say how it went."""
        if not (self.has_view_permission(request) and request.user.has_perm(repair.permission)):
            raise PermissionDenied
        chosen = [pk for pk in request.POST.getlist(ACTION_CHECKBOX_NAME) if re.fullmatch("[0-9]{1,18}", pk)]
        rows = self.get_queryset(request).filter(pk__in=chosen)
        form = repair.form(request.POST)
        if len(chosen) > repair.most:
            self.message_user(request, too_many(repair), messages.WARNING)
        elif not form.is_valid():
            return self.confirmation(request, list(rows), repair, form)
        else:
            self.tell(request, repair, run(repair, rows, form.cleaned_data))
        return HttpResponseRedirect(with_query(request, self.url_of("changelist")))

    def tell(self, request: HttpRequest, repair: Repair, outcome: Outcome) -> None:
        """Say how many went well, how many did not and why, and note in the history who did it."""
        for row in outcome.done:
            self.log_change(request, row, str(repair.title))
        for level, text in told(repair, outcome):
            self.message_user(request, text, level)

    def name_of(self, page: str) -> str:
        """Give the name of the address of one of our pages."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url_of(self, page: str) -> str:
        """Give the address of one of our pages."""
        return reverse(f"{self.admin_site.name}:{self.name_of(page)}")


def asking(repair: Repair) -> Callable[..., TemplateResponse | None]:
    """Make the action that asks whether to do it."""

    @admin.action(description=repair.title, permissions=(repair.verb,))
    def ask(repairs: RepairAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        return repairs.ask(request, queryset, repair)

    ask.__name__ = repair.name
    return ask


def too_many(repair: Repair) -> str:
    """Say how many rows can be chosen."""
    return str(_("Nothing was done: choose at most %(most)d.") % {"most": repair.most})


def with_query(request: HttpRequest, url: str) -> str:
    """Keep the filters of the list."""
    return f"{url}?{request.GET.urlencode()}" if request.GET else url

"""What all pages of ours have in common: nothing is edited, and no page looks through a whole table."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

# ModelAdmin and Paginator take type arguments in the stubs only.
if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator

#: How many rows can be paged through; to count millions takes longer than all the rest of a page.
MOST_ROWS = 10_000


class BoundedPaginator(AnyPaginator):
    """Pages of the first `MOST_ROWS` rows; a search or a filter finds the others."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """Count no further than `MOST_ROWS`."""
        return self.object_list.order_by()[:MOST_ROWS].count()


class ReadOnlyAdmin(AnyModelAdmin):
    """The newest rows first."""

    ordering = ("-pk",)
    paginator = BoundedPaginator
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_per_page = 50

    class Media:
        css = {"all": ("django_klarna/admin.css",)}  # noqa: RUF012 - Django reads a dict here

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are made by what happens in the shop."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing here is edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Keep what happened at Klarna."""
        return False


def badge(tone: str, word: object) -> SafeString:
    """Give a word in the colour of good, waiting, bad or over."""
    return format_html('<span class="klarna-badge klarna-{}">{}</span>', tone, word)


def render_html(name: str, context: dict[str, Any]) -> SafeString:
    """Render one of the small templates of the admin."""
    return render_to_string(f"admin/django_klarna/{name}.html", context)

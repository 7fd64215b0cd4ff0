"""What all pages of ours have in common: nothing is edited, and no page looks through a whole table."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from django_klarna.models import KlarnaSession

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

    def link_to(self, row: Model) -> SafeString:
        """Lead to the page of a row."""
        return link(self.admin_site.name, row)

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


def link(site: str, row: Model) -> SafeString:
    """Lead to the page of a row, of whichever of our models, on an admin site."""
    url = reverse(f"{site}:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])  # noqa: SLF001 - Django's public name
    return format_html('<a href="{}">{}</a>', url, row)


def seconds(moment: datetime | None) -> str:
    """Give a time to the second: Django's formats end with the minute."""
    if moment is None:
        return "-"
    return f"{timezone.localtime(moment) if settings.USE_TZ else moment:%Y-%m-%d %H:%M:%S}"


def sessions_named(term: str) -> list[int]:
    """Give the keys of the sessions that are called so, or whose cart is.

    What belongs to a session is found by these: a condition over both tables at once could use no index.
    """
    named, cart = Q(key=term) | Q(session_id=term), key_of_cart(term)
    found = named if cart is None else named | Q(cart_id=cart)
    return list(KlarnaSession.objects.filter(found).values_list("pk", flat=True))


def key_of_cart(term: str) -> Any:  # noqa: ANN401 - whatever type the shop has chosen
    """Read ``term`` as the key of a cart; None if it cannot be one."""
    key = KlarnaSession._meta.get_field("cart").related_model._meta.pk  # noqa: SLF001 - public API
    try:
        return key.to_python(term)
    except (ValidationError, ValueError):
        return None

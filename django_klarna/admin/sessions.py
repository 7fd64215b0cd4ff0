"""Staff browse the sessions; looking at them neither writes nor calls Klarna."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_klarna.admin.browsing import badge, render_html
from django_klarna.admin.calls import table_of_calls
from django_klarna.admin.repairs import RepairAdmin
from django_klarna.markets import get_markets
from django_klarna.models import KlarnaSession, State
from django_klarna.money import display

TONES = {
    State.OPEN: "good",
    State.AUTHORIZED: "good",
    State.COMPLETED: "good",
    State.CREATING: "waiting",
    State.FAILED: "bad",
}


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
    """The country; Django's own filter would look through all rows for those that occur."""

    title = _("country")
    parameter_name = "purchase_country"

    def lookups(self, request: HttpRequest, model_admin: object) -> Sequence[tuple[str, Any]]:
        """Name the choices."""
        return [(country, country) for country in get_markets()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KlarnaSession]) -> QuerySet[KlarnaSession]:
        """Narrow to the chosen one."""
        country = self.value()
        return queryset.filter(purchase_country=country) if country else queryset


@admin.register(KlarnaSession)
class KlarnaSessionAdmin(RepairAdmin):
    """Read-only: what a row says is Klarna's answer, not an opinion."""

    list_display = ("key", "cart_number", "badge", "amount", "marks", "updated_at")
    list_filter = (UseFilter, AttentionFilter, "state", CountryFilter)
    search_fields = ("key__exact", "session_id__exact", "error_correlation_id__exact")
    search_help_text = _("Key, Klarna's session id, the cart's id or a correlation id, in full.")
    fieldsets = (
        (None, {"fields": ("badge", "marks", "cart_number", "account", "key", "session_id")}),
        (
            _("Money"),
            {
                "fields": (
                    "amount",
                    "tax",
                    "purchase_country",
                    "purchase_currency",
                    "locale",
                    "intent",
                    "order_lines",
                )
            },
        ),
        (
            _("Freshness"),
            {
                "fields": (
                    "revision",
                    "synced_revision",
                    "update_seq",
                    "digest",
                    "read_digest",
                    "lease_until",
                    "expires_at",
                    "created_at",
                    "updated_at",
                )
            },
        ),
        (
            _("Last error"),
            {"fields": ("error_at", "error_status", "error_code", "error_message", "error_correlation_id")},
        ),
        (_("Payload"), {"classes": ("collapse",), "fields": ("payment_methods", "payload_text")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: KlarnaSession | None = None) -> Any:  # noqa: ANN401 - Django's
        """Show the calls too, to those who may see calls."""
        fieldsets = super().get_fieldsets(request, obj)
        if not request.user.has_perm("django_klarna.view_klarnaapicall"):
            return fieldsets
        return (*fieldsets, (_("Calls of Klarna"), {"fields": ("calls",)}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KlarnaSession], search_term: str
    ) -> tuple[QuerySet[KlarnaSession], bool]:
        """Find a cart by its key too, whatever type that has; a term that is none of it finds no cart."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        key = KlarnaSession._meta.get_field("cart").related_model._meta.pk  # noqa: SLF001 - public API
        try:
            return found | queryset.filter(cart_id=key.to_python(search_term)), may_repeat
        except (ValidationError, ValueError):
            return found, may_repeat

    @admin.display(description=_("cart"), ordering="cart_id")
    def cart_number(self, session: KlarnaSession) -> str:
        """Give the id of the cart: reading carts themselves would cost a query a row."""
        return "-" if session.cart_id is None else str(session.cart_id)

    @admin.display(description=_("state"), ordering="state")
    def badge(self, session: KlarnaSession) -> SafeString:
        """Give the state, coloured by whether it is a good one."""
        return badge(TONES.get(State(session.state), "over"), session.get_state_display())

    @admin.display(description=_("amount"), ordering="order_amount")
    def amount(self, session: KlarnaSession) -> str:
        """Give what the shopper is to pay, as money."""
        return display(session.order_amount, session.purchase_currency)

    @admin.display(description=_("tax"))
    def tax(self, session: KlarnaSession) -> str:
        """Give the tax in the amount, as money."""
        return display(session.order_tax_amount, session.purchase_currency)

    @admin.display(description=_("attention"))
    def marks(self, session: KlarnaSession) -> SafeString:
        """Give what is unusual about a session in use."""
        return render_html("klarnasession/marks", {"marks": marks_of(session)})

    @admin.display(description=_("order lines"))
    def order_lines(self, session: KlarnaSession) -> SafeString:
        """Give the lines that Klarna last accepted, amounts as money."""
        lines = [line_row(line, session.purchase_currency) for line in session.payload.get("order_lines", ())]
        return render_html("klarnasession/order_lines", {"lines": lines, "total": self.amount(session)})

    @admin.display(description=_("payment methods"))
    def payment_methods(self, session: KlarnaSession) -> str:
        """Give the names of the payment method categories that Klarna offers."""
        return (
            ", ".join(str(category.get("name", "?")) for category in session.payment_method_categories) or "-"
        )

    @admin.display(description=_("the last ones"))
    def calls(self, session: KlarnaSession) -> SafeString:
        """Give the last calls that were made for the session."""
        url = reverse(f"{self.admin_site.name}:django_klarna_klarnaapicall_changelist")
        return table_of_calls(session, url)

    @admin.display(description=_("sent to Klarna"))
    def payload_text(self, session: KlarnaSession) -> SafeString:
        """Give the JSON that Klarna last accepted, without URLs of ours and without personal data."""
        return format_html(
            '<pre class="klarna-payload">{}</pre>', json.dumps(session.payload, indent=2, ensure_ascii=False)
        )


def marks_of(session: KlarnaSession) -> list[tuple[str, Any]]:
    """Give tone and word for whatever staff should notice; a session out of use needs no attention."""
    if not session.live:
        return [("over", _("not in use"))]
    found = (
        (session.in_doubt, "bad", _("in doubt")),
        (session.is_stale, "waiting", _("stale")),
        (session.expires_before(timezone.now()), "waiting", _("expired")),
        (session.error_at is not None, "bad", _("error")),
    )
    return [(tone, word) for applies, tone, word in found if applies]


def line_row(line: dict[str, Any], currency: str) -> dict[str, Any]:
    """Give one order line for the table, amounts as money and the rate as a percentage."""
    return {
        "name": line.get("name"),
        "reference": line.get("reference", ""),
        "type": line.get("type", "physical"),
        "quantity": line.get("quantity"),
        "unit_price": display(line.get("unit_price"), currency),
        "discount": display(line.get("total_discount_amount") or 0, currency),
        "tax_rate": f"{line.get('tax_rate', 0) / 100:g}\u00a0%",
        "total": display(line.get("total_amount"), currency),
    }

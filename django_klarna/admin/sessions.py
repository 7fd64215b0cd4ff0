"""Staff browse the sessions; looking at them neither writes nor calls Klarna."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_klarna.admin.authorizations import table_of_authorizations
from django_klarna.admin.browsing import badge, key_of_cart, render_html
from django_klarna.admin.calls import table_of_calls
from django_klarna.admin.filters import AttentionFilter, CountryFilter, UseFilter
from django_klarna.admin.measures import REFRESH, SYNC
from django_klarna.admin.orders import table_of_order
from django_klarna.admin.repairs import RepairAdmin, asking
from django_klarna.models import KlarnaSession, State
from django_klarna.money import display

TONES = {
    State.OPEN: "good",
    State.AUTHORIZED: "good",
    State.COMPLETED: "good",
    State.CREATING: "waiting",
    State.PLACING: "waiting",
    State.FAILED: "bad",
}

#: Tables on the page of a session: field, title, and who may see it.
TABLES = (
    ("order_table", _("Order"), "view_klarnaorder"),
    ("authorization_table", _("Authorizations"), "view_klarnaauthorization"),
    ("calls", _("Calls of Klarna"), "view_klarnaapicall"),
)


@admin.register(KlarnaSession)
class KlarnaSessionAdmin(RepairAdmin):
    """Read-only: what a row says is Klarna's answer, not an opinion."""

    repairs = (SYNC, REFRESH)
    actions = tuple(map(asking, repairs))
    asked_about = ("key", "cart_number", "badge", "marks")
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

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Tell who may send carts."""
        return request.user.has_perm(SYNC.permission)

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Tell who may read sessions."""
        return request.user.has_perm(REFRESH.permission)

    def get_fieldsets(self, request: HttpRequest, obj: KlarnaSession | None = None) -> Any:  # noqa: ANN401 - Django's
        """Show what belongs to the session, too, to those who may see such rows."""
        seen = [
            (title, {"fields": (name,)})
            for name, title, permission in TABLES
            if request.user.has_perm(f"django_klarna.{permission}")
        ]
        return (*super().get_fieldsets(request, obj), *seen)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KlarnaSession], search_term: str
    ) -> tuple[QuerySet[KlarnaSession], bool]:
        """Find a cart by its key too, whatever type that has; a term that is none of it finds no cart."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        cart = key_of_cart(search_term)
        return (found if cart is None else found | queryset.filter(cart_id=cart)), may_repeat

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

    @admin.display(description=_("what came of it"))
    def order_table(self, session: KlarnaSession) -> SafeString:
        """Give the order of the session."""
        return table_of_order(self.admin_site.name, session)

    @admin.display(description=_("the last ones"))
    def authorization_table(self, session: KlarnaSession) -> SafeString:
        """Give the last authorizations of the session."""
        return table_of_authorizations(self.admin_site.name, session)

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

"""Staff see what was bought, and what the shop has not heard of or could not do."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_klarna.admin.browsing import badge, link, render_html, seconds, sessions_named
from django_klarna.admin.filters import FraudFilter
from django_klarna.admin.measures import COMPLETE, COMPLETE_DESPITE_CHANGES, NAME, SETTLE
from django_klarna.admin.repairs import RepairAdmin, asking
from django_klarna.models import Flag, FraudStatus, KlarnaOrder, KlarnaSession, OrderState
from django_klarna.money import display

TONES = {
    OrderState.PLACED: "waiting",
    OrderState.RECORDED: "good",
    OrderState.FLAGGED: "bad",
    OrderState.REJECTED: "bad",
}
FRAUD_TONES: dict[str, str] = {
    FraudStatus.ACCEPTED: "good",
    FraudStatus.PENDING: "waiting",
    FraudStatus.REJECTED: "bad",
}
PROGRESS = ("error_code", "error_at", "tries", "retry_at", "outbox", "created_at", "updated_at")
#: No page reads more than this: tokens are secret, and the URLs of the shop may be.
COLUMNS = (
    "key",
    "session_id",
    "order_id",
    "candidate_order_id",
    "state",
    "flag",
    "fraud_status",
    "order_amount",
    "order_tax_amount",
    "purchase_currency",
    "merchant_reference1",
    "payment_method",
    "recorded_at",
    *PROGRESS,
)
ADVICE: dict[str, Any] = {
    Flag.ORDER_ID_UNKNOWN: _(
        "Look for the amount and this key, which is merchant reference 2, in Klarna's portal, and enter the order id."
    ),
    Flag.CART_CHANGED: _(
        "Klarna takes the amount above. Compare it with the cart: let the shop make its order although the cart has "
        "changed, or mend the order in the shop and in Klarna's portal, and settle it."
    ),
    Flag.CART_DELETED: _(
        "The shop cannot make its order without the cart. Make it by hand from the lines of the session, or cancel the "
        "order in Klarna's portal, and settle it."
    ),
}
FAILED = _(
    "The shop could not make its order: the log has the error. klarna_reconcile tries again, or let the shop make it."
)


@admin.register(KlarnaOrder)
class KlarnaOrderAdmin(RepairAdmin):
    """Read-only; who may can help an order on that needs a person."""

    repairs = (COMPLETE, COMPLETE_DESPITE_CHANGES, NAME, SETTLE)
    actions = tuple(map(asking, repairs))
    asked_about = ("name", "session_link", "cart_number", "badge", "flag_text", "amount")
    list_display = (
        "name",
        "amount",
        "badge_and_flag",
        "fraud",
        "error_code",
        "time",
        "recorded",
        "cart_number",
        "session_link",
    )
    list_filter = ("state", "flag", FraudFilter)
    search_fields = (
        "key__exact",
        "order_id__exact",
        "merchant_reference1__exact",
        "candidate_order_id__exact",
    )
    search_help_text = _(
        "Klarna's order id, the key, the merchant reference, or the session's key, Klarna's session id or the cart's "
        "id, in full."
    )
    # By any other order than that of the key, all rows would have to be sorted.
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "badge",
                    "flag_text",
                    "amount",
                    "tax",
                    "advice",
                    "order_id",
                    "key",
                    "merchant_reference1",
                    "session_link",
                    "cart_number",
                )
            },
        ),
        (_("Klarna"), {"fields": ("fraud", "payment_method", "candidate_order_id")}),
        (_("Progress"), {"fields": ("recorded", *PROGRESS)}),
    )

    def has_complete_permission(self, request: HttpRequest) -> bool:
        """Tell who may let the shop make its order."""
        return request.user.has_perm(COMPLETE.permission)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Tell who may settle an order."""
        return request.user.has_perm(SETTLE.permission)

    def get_queryset(self, request: HttpRequest) -> QuerySet[KlarnaOrder]:
        """Read no more of the sessions than their keys."""
        orders = super().get_queryset(request).select_related("session")
        return orders.only(*COLUMNS, "session__key", "session__cart_id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[KlarnaOrder], search_term: str
    ) -> tuple[QuerySet[KlarnaOrder], bool]:
        """Find the whole term, for references may have blanks, and the order of a session."""
        if not search_term:
            return queryset, False
        named = Q(session__in=sessions_named(search_term))
        for lookup in self.search_fields:
            named |= Q((lookup, search_term))
        return queryset.filter(named), False

    @admin.display(description=_("order"))
    def name(self, order: KlarnaOrder) -> str:
        """Give Klarna's id, or our key while that is not known."""
        return str(order)

    @admin.display(description=_("session"))
    def session_link(self, order: KlarnaOrder) -> SafeString:
        """Lead to the session."""
        return self.link_to(order.session)

    @admin.display(description=_("cart"))
    def cart_number(self, order: KlarnaOrder) -> str:
        """Give the id of the cart."""
        return "-" if order.session.cart_id is None else str(order.session.cart_id)

    @admin.display(description=_("state"))
    def badge(self, order: KlarnaOrder) -> SafeString:
        """Give the state, coloured by whether it is a good one."""
        return state_badge(order)

    @admin.display(description=_("state"))
    def badge_and_flag(self, order: KlarnaOrder) -> SafeString:
        """Give the state, and in the same cell why a person is needed: the list is wide enough."""
        return format_html("{} {}", state_badge(order), order.get_flag_display())

    @admin.display(description=_("flag"))
    def flag_text(self, order: KlarnaOrder) -> str:
        """Say why a person is needed, or was."""
        return order.get_flag_display() or "-"

    @admin.display(description=_("fraud status"))
    def fraud(self, order: KlarnaOrder) -> SafeString | str:
        """Give what Klarna thinks of it."""
        return fraud_badge(order)

    @admin.display(description=_("amount"))
    def amount(self, order: KlarnaOrder) -> str:
        """Give what Klarna takes, as money."""
        return display(order.order_amount, order.purchase_currency)

    @admin.display(description=_("tax"))
    def tax(self, order: KlarnaOrder) -> str:
        """Give the tax in the amount, as money."""
        return display(order.order_tax_amount, order.purchase_currency)

    @admin.display(description=_("placed"))
    def time(self, order: KlarnaOrder) -> str:
        """Give the time to the second."""
        return seconds(order.created_at)

    @admin.display(description=_("recorded"))
    def recorded(self, order: KlarnaOrder) -> str:
        """Give the time to the second."""
        return seconds(order.recorded_at)

    @admin.display(description=_("what to do"))
    def advice(self, order: KlarnaOrder) -> str:
        """Say what a person can do about it."""
        if order.state == OrderState.FLAGGED:
            return str(ADVICE.get(order.flag, "-"))
        return str(FAILED) if order.state == OrderState.PLACED and order.error_code else "-"


def state_badge(order: KlarnaOrder) -> SafeString:
    """Give the state, coloured by whether it is a good one."""
    return badge(TONES.get(OrderState(order.state), "over"), order.get_state_display())


def fraud_badge(order: KlarnaOrder) -> SafeString | str:
    """Give what Klarna thinks of an order; it may be a word that we do not know."""
    if not order.fraud_status:
        return "-"
    word = dict(FraudStatus.choices).get(order.fraud_status, order.fraud_status)
    return badge(FRAUD_TONES.get(order.fraud_status, "over"), word)


def table_of_order(site: str, session: KlarnaSession) -> SafeString:
    """Give the order of a session."""
    rows = [
        (order, seconds(order.created_at), link(site, order), state_badge(order), fraud_badge(order), amount)
        for order in KlarnaOrder.objects.filter(session=session).only(*COLUMNS)
        for amount in [display(order.order_amount, order.purchase_currency)]
    ]
    return render_html("klarnasession/order", {"rows": rows})

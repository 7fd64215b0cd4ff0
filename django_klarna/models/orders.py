"""`KlarnaOrder`: what Klarna has as an order; no I/O but the database."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_klarna.models.sessions import KlarnaSession


class OrderState(models.TextChoices):
    """What the shop knows of an order."""

    PLACED = "placed", _("placed at Klarna")
    RECORDED = "recorded", _("recorded in the shop")
    REJECTED = "rejected", _("rejected by Klarna")
    FLAGGED = "flagged", _("needs a person")
    SETTLED = "settled", _("settled by a person")


#: The allowed moves.
ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.RECORDED, OrderState.FLAGGED}),
    OrderState.FLAGGED: frozenset({OrderState.PLACED, OrderState.SETTLED}),
    OrderState.RECORDED: frozenset(),
    OrderState.REJECTED: frozenset(),
    OrderState.SETTLED: frozenset(),
}
#: States in which the shop is done with the cart.
DONE = frozenset({OrderState.RECORDED, OrderState.SETTLED})


class Flag(models.TextChoices):
    """Why only a person can go on."""

    ORDER_ID_UNKNOWN = "order_id_unknown", _("Klarna has an order, and its id is not known")
    CART_CHANGED = "cart_changed", _("the cart is not what was paid for")
    CART_DELETED = "cart_deleted", _("the cart was deleted")


class FraudStatus(models.TextChoices):
    """What Klarna thinks of an order; others may come.

    Source: https://docs.klarna.com/payments/after-payments/order-management/more-actions/pending-orders
    """

    ACCEPTED = "ACCEPTED", _("accepted")
    PENDING = "PENDING", _("pending")
    REJECTED = "REJECTED", _("rejected")


class KlarnaOrderQuerySet(models.QuerySet["KlarnaOrder"]):
    """Every move is one conditional ``UPDATE``, so that two workers cannot make the same one."""

    def due(self) -> Self:
        """Narrow to rows whose time to be looked at has come."""
        return self.filter(retry_at__lte=timezone.now()).order_by("retry_at")

    def move(self, state: OrderState, **values: Any) -> int:
        """Move rows to ``state`` from where that is allowed; gives the number of rows that moved."""
        sources = [source for source, targets in ORDER_MOVES.items() if state in targets]
        forgotten = {} if ORDER_MOVES[state] else {"customer_token": ""}
        return self.filter(state__in=sources).update(
            state=state, updated_at=timezone.now(), **forgotten, **values
        )


class KlarnaOrder(models.Model):
    """One order at Klarna: at most one for each session, and so for each purchase of a cart.

    ``customer_token`` is a secret that can charge the shopper again: there for `CartAdapter.complete_purchase` of an
    intent that tokenizes, and deleted after it. With the intent ``"tokenize"`` it is all there is, and ``order_id`` is
    None.
    """

    State = OrderState

    session = models.OneToOneField(
        KlarnaSession, verbose_name=_("session"), on_delete=models.PROTECT, related_name="order"
    )
    key = models.CharField(
        _("key"), max_length=32, unique=True, help_text=_("Our public id, merchant_reference2 at Klarna.")
    )
    order_id = models.CharField(  # noqa: DJ001 - blank ids would clash
        _("order id"),
        max_length=255,
        unique=True,
        null=True,
        help_text=_("Klarna's; empty while it is not known."),
    )
    candidate_order_id = models.CharField(
        _("candidate order id"), max_length=255, blank=True, help_text=_("Perhaps the id; not proven.")
    )
    state = models.CharField(_("state"), max_length=16, choices=OrderState, default=OrderState.PLACED)
    flag = models.CharField(_("flag"), max_length=32, choices=Flag, blank=True)
    fraud_status = models.CharField(_("fraud status"), max_length=32, blank=True)
    order_amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    order_tax_amount = models.BigIntegerField(_("tax"), default=0, help_text=_("Minor units."))
    purchase_currency = models.CharField(_("currency"), max_length=3)
    merchant_reference1 = models.CharField(_("merchant reference"), max_length=255, blank=True)
    payment_method = models.CharField(_("payment method"), max_length=64, blank=True)
    customer_token = models.TextField(_("customer token"), blank=True, editable=False)
    redirect_url = models.TextField(_("redirect URL"), blank=True, editable=False)
    confirmation_url = models.TextField(_("confirmation URL"), blank=True, editable=False)
    outbox = models.CharField(
        _("signal due"), max_length=32, blank=True, help_text=_("Sent and cleared in one transaction.")
    )
    error_code = models.CharField(_("error"), max_length=64, blank=True)
    error_at = models.DateTimeField(_("error at"), null=True, blank=True)
    tries = models.PositiveIntegerField(_("failed tries"), default=0)
    retry_at = models.DateTimeField(_("next look"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    recorded_at = models.DateTimeField(_("recorded at"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = KlarnaOrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("Klarna order")
        verbose_name_plural = _("Klarna orders")
        indexes = (
            models.Index(fields=("state", "retry_at"), name="klarna_order_due"),
            models.Index(fields=("outbox",), name="klarna_order_outbox"),
            models.Index(fields=("merchant_reference1",), name="klarna_order_reference"),
            models.Index(fields=("candidate_order_id",), name="klarna_order_candidate"),
        )
        permissions = (
            ("complete_klarnaorder", "Can let the shop make its order"),
            ("settle_klarnaorder", "Can settle an order"),
            ("place_klarnaorder", "Can go on with an authorization"),
            ("cancel_klarnaauthorization", "Can give an authorization back"),
        )

    def __str__(self) -> str:
        return self.order_id or self.key

    @property
    def is_pending(self) -> bool:
        """Tell whether Klarna has not decided yet; ship nothing until it has."""
        return self.fraud_status == FraudStatus.PENDING

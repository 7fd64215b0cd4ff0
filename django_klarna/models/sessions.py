"""`KlarnaSession`, our row that mirrors a payment session at Klarna; no I/O but the database."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self, cast

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_klarna.conf import cart_model_label


class UtcNow(Now):
    """The database's own clock, in UTC on each backend: all workers share it."""

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        """MariaDB's CURRENT_TIMESTAMP is in the time zone of the connection; this one is not."""
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


class State(models.TextChoices):
    """Where a row is in its life; Klarna's own ``status`` knows only complete and incomplete."""

    CREATING = "creating", _("being created")
    OPEN = "open", _("open")
    AUTHORIZED = "authorized", _("authorized")
    PLACING = "placing", _("being ordered")
    COMPLETED = "completed", _("completed")
    EXPIRED = "expired", _("expired")
    REPLACED = "replaced", _("replaced")
    ABANDONED = "abandoned", _("abandoned")
    FAILED = "failed", _("refused")


#: The allowed moves. A row that Klarna refused to create stays live, so that the next try takes it up again. One
#: that is authorized is not replaced, and of one that is being ordered only the outcome may be noted down.
MOVES: Mapping[State, frozenset[State]] = {
    State.CREATING: frozenset({State.OPEN, State.FAILED, State.ABANDONED}),
    State.FAILED: frozenset({State.OPEN, State.ABANDONED}),
    State.OPEN: frozenset(
        {State.AUTHORIZED, State.COMPLETED, State.EXPIRED, State.REPLACED, State.ABANDONED}
    ),
    State.AUTHORIZED: frozenset({State.OPEN, State.PLACING, State.COMPLETED, State.ABANDONED}),
    State.PLACING: frozenset({State.AUTHORIZED, State.COMPLETED}),
    State.COMPLETED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REPLACED: frozenset(),
    State.ABANDONED: frozenset(),
}


def sources_of(state: State) -> tuple[State, ...]:
    """Give the states from which a row may move to ``state``; one in ``state`` already may stay there."""
    return (state, *(source for source, targets in MOVES.items() if state in targets))


def new_key() -> str:
    """Make a public id that cannot be guessed."""
    return secrets.token_urlsafe(16)


class KlarnaSessionQuerySet(models.QuerySet["KlarnaSession"]):
    """Every write of the protocol is one conditional ``UPDATE``, right on each database without row locks."""

    def live_for(self, cart_id: object) -> Self:
        """Narrow to the one session that the cart uses."""
        return self.filter(cart_id=cart_id, live=True)

    def raise_revision(self) -> int:
        """Note that the cart has changed."""
        return self.update(revision=F("revision") + 1)

    def move(self, state: State, **values: Any) -> int:
        """Move rows to ``state`` from where that is allowed; gives the number of rows that moved."""
        return self.filter(state__in=sources_of(state)).update(
            state=state, updated_at=timezone.now(), **values
        )

    def abandon(self) -> int:
        """Move rows to their end, take them out of use and end the lease of whoever works on them."""
        return self.move(State.ABANDONED, live=None, lease_owner=None)

    def acquire(self, owner: uuid.UUID, seconds: float) -> int:
        """Take the lease of rows that nobody holds, until ``seconds`` from now by the database's clock."""
        free = Q(lease_owner=None) | Q(lease_until__lt=UtcNow())
        return self.filter(free).update(lease_owner=owner, lease_until=lease_end(seconds))

    def owned_by(self, owner: uuid.UUID) -> Self:
        """Narrow to rows under the lease of ``owner``: the fence before every write of a worker."""
        return self.filter(lease_owner=owner)


def lease_end(seconds: float) -> CombinedExpression:
    """Give the end of a lease of ``seconds`` from now, as an expression in the database's time."""
    return UtcNow() + timedelta(seconds=seconds)


class KlarnaSession(models.Model):
    """One payment session at Klarna and the cart it is for.

    ``live`` is True or NULL, so that the plain unique constraint on cart and live holds one live session per
    cart on every database (MariaDB makes no conditional constraint).
    """

    State = State

    cart = models.ForeignKey(
        cart_model_label(),
        verbose_name=_("cart"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="klarna_sessions",
        help_text=_("Empty when the cart was deleted."),
    )
    live = models.BooleanField(_("live"), null=True, help_text=_("Whether the cart uses this session now."))
    account = models.CharField(_("account"), max_length=64, help_text=_("Alias in the setting KLARNA."))
    account_identity = models.CharField(
        _("account identity"),
        max_length=64,
        help_text=_("Hash of whose account at which Klarna the alias was."),
    )
    key = models.CharField(
        _("key"), max_length=32, unique=True, default=new_key, help_text=_("Our public id.")
    )
    session_id = models.CharField(_("session id"), max_length=255, unique=True, null=True)  # noqa: DJ001 - blank ids would clash
    client_token = models.TextField(_("client token"), blank=True)
    payment_method_categories = models.JSONField(_("payment method categories"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.CREATING)
    intent = models.CharField(_("intent"), max_length=32, default="buy")
    purchase_country = models.CharField(_("country"), max_length=2)
    purchase_currency = models.CharField(_("currency"), max_length=3)
    locale = models.CharField(_("locale"), max_length=32, blank=True)
    order_amount = models.BigIntegerField(_("amount"), help_text=_("Minor units."))
    order_tax_amount = models.BigIntegerField(_("tax"), default=0, help_text=_("Minor units."))
    payload = models.JSONField(
        _("payload"),
        default=dict,
        blank=True,
        help_text=_("What Klarna last accepted, without merchant_urls."),
    )
    digest = models.CharField(
        _("digest"), max_length=64, blank=True, help_text=_("Hash of what Klarna last accepted.")
    )
    read_digest = models.CharField(
        _("read digest"),
        max_length=64,
        blank=True,
        help_text=_("Digest for which token and categories were read."),
    )
    revision = models.BigIntegerField(
        _("revision"), default=0, help_text=_("Raised by each change of the cart.")
    )
    synced_revision = models.BigIntegerField(_("synced revision"), default=0)
    update_seq = models.BigIntegerField(_("updates sent"), default=0)
    in_doubt = models.BooleanField(
        _("in doubt"), default=False, help_text=_("A call was sent and its outcome is not known.")
    )
    lease_owner = models.UUIDField(_("lease owner"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    error_status = models.PositiveSmallIntegerField(_("error status"), null=True, blank=True)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    error_message = models.TextField(_("error message"), blank=True)
    error_correlation_id = models.CharField(_("correlation id"), max_length=64, blank=True)
    error_at = models.DateTimeField(_("error at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = KlarnaSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Klarna session")
        verbose_name_plural = _("Klarna sessions")
        constraints = (
            models.UniqueConstraint(fields=("cart", "live"), name="klarna_one_live_session_per_cart"),
        )
        permissions = (
            ("sync_klarnasession", "Can send a cart to Klarna"),
            ("refresh_klarnasession", "Can read a session from Klarna"),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def is_stale(self) -> bool:
        """Tell whether a change of the cart was not sent yet."""
        return self.revision != self.synced_revision

    def holds(self, *, account_identity: str, digest: str) -> bool:
        """Tell whether Klarna's copy is known to have just this content, in this account."""
        is_ours = self.account_identity == account_identity
        return not self.in_doubt and is_ours and self.digest == digest

    def expires_before(self, moment: datetime) -> bool:
        """Tell whether the session ends before ``moment``."""
        return self.expires_at is not None and self.expires_at < moment

    def changes_identity(self, *, account_identity: str, payload: Mapping[str, Any]) -> bool:
        """Tell whether ``payload`` needs a session of its own: an update could not turn this one into it.

        https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/update-the-cart
        """
        return (
            self.account_identity != account_identity
            or any(self.payload.get(name) != payload.get(name) for name in IDENTITY)
            or customer_type(self.payload) != customer_type(payload)
            or drops_a_key(self.payload, payload)
        )


IDENTITY = ("purchase_country", "purchase_currency", "locale", "intent")


def customer_type(payload: Mapping[str, Any]) -> str:
    """Give ``customer.type``: a consumer's session cannot become a company's."""
    return cast("str", payload.get("customer", {}).get("type", "person"))


def drops_a_key(accepted: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether ``new`` lacks a key of ``accepted``: Klarna merges, so leaving a key out does not remove it."""
    return any(
        key not in new or (isinstance(value, dict) and drops_a_key(value, new[key]))
        for key, value in accepted.items()
    )

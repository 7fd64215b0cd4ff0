"""`KlarnaAuthorization`: one try of a shopper to pay, and Klarna's token for it; no I/O but the database."""

from collections.abc import Mapping
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from django_klarna.models.sessions import KlarnaSession, new_key


class Attempt(models.TextChoices):
    """Where a try is in its life."""

    PREPARED = "prepared", _("prepared")
    RECEIVED = "received", _("token received")
    PLACING = "placing", _("being ordered")
    PLACED = "placed", _("ordered")
    CANCELLING = "cancelling", _("being cancelled")
    CANCELLED = "cancelled", _("cancelled")
    REJECTED = "rejected", _("rejected")
    DEAD = "dead", _("dead")


#: The allowed moves. A token whose order was asked for is never cancelled before Klarna's answer is definite; should an
#: order be found all the same while it is cancelled, it was placed.
ATTEMPT_MOVES: Mapping[Attempt, frozenset[Attempt]] = {
    Attempt.PREPARED: frozenset({Attempt.RECEIVED, Attempt.DEAD}),
    Attempt.RECEIVED: frozenset({Attempt.PLACING, Attempt.CANCELLING}),
    Attempt.PLACING: frozenset({Attempt.PLACED, Attempt.CANCELLING, Attempt.REJECTED}),
    Attempt.CANCELLING: frozenset({Attempt.CANCELLED, Attempt.DEAD, Attempt.PLACED}),
    Attempt.PLACED: frozenset(),
    Attempt.CANCELLED: frozenset(),
    Attempt.REJECTED: frozenset(),
    Attempt.DEAD: frozenset(),
}
#: Ends of which no order came.
FRUITLESS = frozenset({Attempt.CANCELLED, Attempt.REJECTED, Attempt.DEAD})
#: A token is known, and what becomes of it is not settled.
UNSETTLED = frozenset({Attempt.RECEIVED, Attempt.PLACING, Attempt.CANCELLING})
#: What is secret or about a person, gone as soon as nothing can be done with it any more.
FORGOTTEN = {"token": "", "data": "", "body": "", "customer_token": ""}


class Source(models.TextChoices):
    """Who brought the token."""

    BROWSER = "browser", _("the shopper's browser")
    CALLBACK = "callback", _("Klarna's callback")
    READ = "read", _("a read of the session")


def hash_of(token: str, *, secret: str | bytes | None = None) -> str:
    """Hash a token with the project's key: it can be recognised again, and not be used."""
    return salted_hmac("django_klarna.authorization", token, secret=secret, algorithm="sha256").hexdigest()


def hashes_of(token: str) -> list[str]:
    """Give the hashes of a token by each key of the project, those of SECRET_KEY_FALLBACKS too."""
    return [hash_of(token, secret=key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


class KlarnaAuthorizationQuerySet(models.QuerySet["KlarnaAuthorization"]):
    """Every move is one conditional ``UPDATE``, so that two workers cannot make the same one."""

    def with_token(self, token: str) -> Self:
        """Narrow to the row of a token."""
        return self.filter(token_hash__in=hashes_of(token))

    def unsettled(self) -> Self:
        """Narrow to rows with a token of which nothing has come yet."""
        return self.filter(state__in=UNSETTLED)

    def due(self) -> Self:
        """Narrow to rows whose time to be looked at has come."""
        return self.filter(retry_at__lte=timezone.now()).order_by("retry_at")

    def move(self, state: Attempt, **values: Any) -> int:
        """Move rows to ``state`` from where that is allowed; gives the number of rows that moved."""
        sources = [source for source, targets in ATTEMPT_MOVES.items() if state in targets]
        is_over = not ATTEMPT_MOVES[state]
        return self.filter(state__in=sources).update(
            **{**values, **(FORGOTTEN if is_over else {})}, state=state, updated_at=timezone.now()
        )


class KlarnaAuthorization(models.Model):
    """One try of the shopper to authorize: content and data are fixed before the click, the token comes after it.

    ``token``, ``data``, ``body`` and ``customer_token`` are secret or personal. They are deleted when the order is
    placed or the token dead; of the token a keyed hash stays.
    """

    State = Attempt

    session = models.ForeignKey(
        KlarnaSession, verbose_name=_("session"), on_delete=models.CASCADE, related_name="authorizations"
    )
    key = models.CharField(
        _("key"),
        max_length=32,
        unique=True,
        default=new_key,
        help_text=_("Our public id, and merchant_reference2 of the order."),
    )
    state = models.CharField(_("state"), max_length=16, choices=Attempt, default=Attempt.PREPARED)
    source = models.CharField(_("token from"), max_length=16, choices=Source, blank=True)
    digest = models.CharField(
        _("digest"), max_length=64, blank=True, help_text=_("Hash of the content that the shopper saw.")
    )
    update_seq = models.BigIntegerField(
        _("updates sent"), default=0, help_text=_("To the session, until then.")
    )
    data = models.TextField(_("data"), blank=True, editable=False)
    token = models.TextField(_("token"), blank=True, editable=False)
    token_hash = models.CharField(  # noqa: DJ001 - blank hashes would clash
        _("token hash"), max_length=64, unique=True, null=True, editable=False
    )
    body = models.TextField(_("order body"), blank=True, editable=False)
    description = models.CharField(
        _("description"), max_length=255, blank=True, help_text=_("Of the customer token, for the shopper.")
    )
    customer_token = models.TextField(_("customer token"), blank=True, editable=False)
    candidate_order_id = models.CharField(
        _("candidate order id"), max_length=255, blank=True, help_text=_("Told by a push; not believed yet.")
    )
    reason = models.CharField(_("reason"), max_length=64, blank=True, help_text=_("Why no order came of it."))
    outbox = models.CharField(
        _("signal due"), max_length=32, blank=True, help_text=_("Sent and cleared in one transaction.")
    )
    asked = models.PositiveIntegerField(_("times asked"), default=0, help_text=_("For the order."))
    tries = models.PositiveIntegerField(_("tries"), default=0)
    retry_at = models.DateTimeField(_("next try"), null=True, blank=True)
    received_at = models.DateTimeField(_("token received"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = KlarnaAuthorizationQuerySet.as_manager()

    class Meta:
        verbose_name = _("Klarna authorization")
        verbose_name_plural = _("Klarna authorizations")
        indexes = (
            models.Index(fields=("state", "retry_at"), name="klarna_attempt_due"),
            models.Index(fields=("outbox",), name="klarna_attempt_outbox"),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing more will come of it."""
        return not ATTEMPT_MOVES[Attempt(self.state)]

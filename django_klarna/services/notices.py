"""What the shopper's browser and Klarna's callbacks tell us: noted down at once, acted on later."""

from django.db.models import F, Model
from django.utils import timezone

from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaOrder, OrderState, Source, State
from django_klarna.services.attempts import authorizations, keep_token, prepare
from django_klarna.services.columns import Token
from django_klarna.services.leases import sessions
from django_klarna.services.orders import orders
from django_klarna.services.releasing import lock, reopen
from django_klarna.services.sessions import current_session, is_warm
from django_klarna.services.transactions import durable, refuse_open_transaction


def prepare_attempt(*, cart: Model) -> KlarnaAuthorization | None:
    """Fix what the shopper is about to authorize, before the click; None if the session has to be ensured first.

    ``data`` of the attempt is JSON, for ``authorize()``. Raises `CartNotPayable` for data that Klarna would refuse.
    """
    refuse_open_transaction("prepare_attempt")
    session, payload = current_session(cart.pk)
    if session is None or not is_warm(session, payload):
        return None
    return prepare(session, payload)


def receive_authorization(*, cart: Model, attempt: str, token: str) -> KlarnaAuthorization | None:
    """Note down the token that the shopper's browser got for an attempt; None if it is none of this cart's.

    `place_order` goes on from here. The same token may be told any number of times.
    """
    refuse_open_transaction("receive_authorization")
    mine = authorizations().select_related("session").filter(key=attempt, session__cart_id=cart.pk).first()
    return keep_token(mine.session, Token(token), Source.BROWSER, mine) if mine else None


def take_callback(*, key: str, session_id: str, token: str) -> bool:
    """Note down the token of Klarna's callback; False if it is for no session of ours.

    Source:
    https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/authorization-callback
    """
    session = sessions().filter(key=key, session_id=session_id).first()
    return session is not None and keep_token(session, Token(token), Source.CALLBACK) is not None


def take_notification(*, key: str, order_id: str) -> None:
    """Have an order read about which Klarna has decided; what the notification says is not believed.

    Source: https://docs.klarna.com/payments/after-payments/order-management/more-actions/pending-orders
    """
    if not orders().filter(session__key=key, order_id=order_id).update(retry_at=timezone.now()):
        take_push(key=key, order_id=order_id)


def take_push(*, key: str, order_id: str) -> None:
    """Keep the id of an order that we may miss; it is believed once Klarna shows our reference with it."""
    missed = orders().filter(session__key=key, order_id=None, state=OrderState.FLAGGED)
    if not missed.update(candidate_order_id=order_id, tries=0, retry_at=timezone.now()):
        asked = authorizations().filter(session__key=key, state__in=(Attempt.PLACING, Attempt.CANCELLING))
        asked.update(candidate_order_id=order_id)


def newest_unsettled(*, cart: Model) -> KlarnaAuthorization | None:
    """Give the authorization of a cart's session that is to be gone on with: one being ordered, else the newest."""
    rows = authorizations().unsettled().filter(session__cart_id=cart.pk, session__live=True)
    return rows.filter(state=Attempt.PLACING).first() or rows.order_by("-pk").first()


def void_attempts(*, cart: Model) -> None:
    """Have every authorization that is still to be told of given back: the shopper has chosen another way to pay."""
    usable = sessions().live_for(cart.pk).filter(state__in=(State.OPEN, State.AUTHORIZED))
    usable.update(update_seq=F("update_seq") + 1, updated_at=timezone.now())


def order_told(*, attempt: str, token: str) -> KlarnaOrder | None:
    """Give the order that was made of a token to whoever knows token and attempt, though the cart is gone by now."""
    known = authorizations().with_token(token).first()
    is_theirs = known and authorizations().filter(key=attempt, session_id=known.session_id).exists()
    return order_of(known) if known and is_theirs else None


def order_of(authorization: KlarnaAuthorization) -> KlarnaOrder | None:
    """Give the order that was made of an authorization."""
    return orders().filter(key=authorization.key).first()


def finished_order(*, cart: Model) -> KlarnaOrder | None:
    """Give the order that a cart has and that it has not been changed since."""
    return orders().filter(session__cart_id=cart.pk, session__live=True).first()


def newest_order(*, cart: Model) -> KlarnaOrder | None:
    """Give the last order that was made of a cart, for a shop that closes carts and says so."""
    return orders().filter(session__cart_id=cart.pk).order_by("-pk").first()


def reopen_session(*, cart: Model) -> None:
    """Let the session of a cart be used again, should none of its tokens be left."""
    with durable():
        for pk in sessions().live_for(cart.pk).values_list("pk", flat=True):
            lock(pk)
            reopen(pk)

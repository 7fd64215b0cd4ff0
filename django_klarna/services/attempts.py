"""Tries of the shopper to authorize: fixed before the click, met again when a token comes.

All tokens are kept, one row for each: the order in which they arrive says nothing about which one is newer.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from django_klarna.api import Customer, Session, SessionCreate, is_authorization_token
from django_klarna.carts import get_adapter
from django_klarna.exceptions import CartNotPayable, KlarnaValidationError, Violation
from django_klarna.models import (
    Attempt,
    KlarnaAuthorization,
    KlarnaAuthorizationQuerySet,
    KlarnaSession,
    Source,
    State,
    hash_of,
)
from django_klarna.services.columns import Token
from django_klarna.services.deadlines import busy
from django_klarna.services.leases import sessions
from django_klarna.services.payloads import Payload, read_cart
from django_klarna.services.transactions import database, durable, snapshot

#: What ``authorize()`` may be told about the shopper.
PERSONAL = ("billing_address", "shipping_address", "customer", "attachment")
TOKENIZE = "tokenize"
#: Intents with which the shopper may be charged again.
TOKENIZING = frozenset({TOKENIZE, "buy_and_tokenize"})
LONGEST_DESCRIPTION = 255
#: Of a token that comes from two sides at once, one side finds the row of the other.
TRIES = 3
#: Until then a new token is left to whoever brought it.
GRACE = timedelta(seconds=5)
#: When a try of which no token came is looked for at Klarna, should neither browser nor callback have come.
FIRST_LOOK = timedelta(minutes=15)


def authorizations() -> KlarnaAuthorizationQuerySet:
    """All rows, on the database they are written to."""
    return KlarnaAuthorization.objects.using(database())


def prepare(session: KlarnaSession, payload: Payload) -> KlarnaAuthorization:
    """Fix what the shopper is about to authorize; asked again for the same, the same try is given."""
    data = authorize_data(session.cart_id, payload.session)
    described_token(session.cart_id, payload.session)
    fixed = {"digest": session.digest, "update_seq": session.update_seq}
    known = authorizations().filter(session=session, state=Attempt.PREPARED, **fixed).order_by("-pk").first()
    look = timezone.now() + FIRST_LOOK
    if known is not None and known.data == data:
        if known.tries:  # it was looked for in vain, before the shopper came back
            authorizations().filter(pk=known.pk, state=Attempt.PREPARED).update(tries=0, retry_at=look)
        return known
    with durable():
        return authorizations().create(session=session, data=data, retry_at=look, **fixed)


def authorize_data(cart_id: object, payload: SessionCreate) -> str:
    """Give, as JSON, what ``authorize()`` and the order say about the shopper; `CartNotPayable` says what is wrong."""
    adapter = get_adapter()
    with snapshot():
        given = adapter.authorize_data(read_cart(cart_id))
    session = Session() if given is None else given
    if not isinstance(session, Session):
        raise TypeError(f"{type(adapter).__name__}.authorize_data() gave no Session")
    customer = customer_of(payload)
    if violations := [*wrong_data(session, customer)]:
        raise CartNotPayable(violations)
    data = session.to_dict()
    if whole := {**customer, **data.get("customer", {})}:
        data["customer"] = whole
    return Token(json.dumps(data, ensure_ascii=False))


def described_token(cart_id: object, payload: SessionCreate) -> str:
    """Give what the shopper reads about being charged again, "" where that is not the intent; or `CartNotPayable`."""
    if payload.intent not in TOKENIZING:
        return ""
    with snapshot():
        description = get_adapter().customer_token_description(read_cart(cart_id))
    if not 0 < len(description) <= LONGEST_DESCRIPTION:
        raise CartNotPayable((undescribed(),))
    return description


def undescribed() -> Violation:
    """Say that the shopper must read what a customer token is for."""
    mend = "Define customer_token_description() in the adapter."
    expected = f"1 to {LONGEST_DESCRIPTION} characters"
    return Violation(
        path="/intent", rule="customer_token_description", expected=expected, actual=None, mend=mend
    )


def customer_of(session: SessionCreate) -> dict[str, Any]:
    """Give what a session says about the customer already."""
    return session.customer.to_dict() if isinstance(session.customer, Customer) else {}


def wrong_data(session: Session, customer: dict[str, Any]) -> Iterator[Violation]:
    """Find what Klarna would refuse, or what is no business of ``authorize_data()``."""
    try:
        session.check()
    except KlarnaValidationError as error:
        yield from error.violations
        return
    data = session.to_dict()
    for name in data.keys() - PERSONAL:
        mend = "Say it in build_session()."
        yield Violation(
            path=f"/{name}", rule="authorize_data", expected=", ".join(PERSONAL), actual="given", mend=mend
        )
    kind, usual = data.get("customer", {}).get("type"), customer.get("type", "person")
    if kind not in {None, usual}:
        mend = "Give SessionBuilder the same customer=Customer(type=...)."
        yield Violation(path="/customer/type", rule="customer_type", expected=usual, actual=kind, mend=mend)


def keep_token(
    session: KlarnaSession, token: str, source: Source, attempt: KlarnaAuthorization | None = None
) -> KlarnaAuthorization | None:
    """Give the row of a token, a new one if need be; None if it can be none, or is known as that of another session.

    Without ``attempt``, for Klarna does not know it, the token is taken for that of the newest.
    """
    if not is_authorization_token(token):
        return None
    for _try in range(TRIES):
        known = authorizations().with_token(token).first()
        if known is not None:
            return believed(known, attempt) if known.session_id == session.pk else None
        try:
            with durable():
                return stored(session, token, source, attempt or newest_of(session))
        except IntegrityError:
            continue
    raise busy()


def stored(
    session: KlarnaSession, token: str, source: Source, attempt: KlarnaAuthorization | None
) -> KlarnaAuthorization:
    """Note down a new token, and that its session is authorized now."""
    values: dict[str, Any] = {
        "token": Token(token),
        "token_hash": hash_of(token),
        "source": source,
        "outbox": "session_authorized" if authorize(session.pk) else "",
        "tries": 0,
        "retry_at": timezone.now() + GRACE,
        "received_at": timezone.now(),
    }
    if attempt and authorizations().filter(pk=attempt.pk).move(Attempt.RECEIVED, **values):
        return authorizations().get(pk=attempt.pk)
    return authorizations().create(
        session=session, state=Attempt.RECEIVED, **values, **(content_of(attempt) if attempt else {})
    )


def authorize(pk: int) -> bool:
    """Move a session to ``authorized`` and keep others off it until the transaction ends; tells whether it was open."""
    row = sessions().filter(pk=pk)
    moved = row.filter(live=True, state=State.OPEN).update(state=State.AUTHORIZED, updated_at=timezone.now())
    return bool(moved) or not row.update(updated_at=timezone.now())


def newest_of(session: KlarnaSession) -> KlarnaAuthorization | None:
    """Give the try that a token of unknown origin most likely belongs to."""
    hopeful = authorizations().filter(session=session, state__in=(Attempt.PREPARED, Attempt.RECEIVED))
    return hopeful.order_by("-pk").first()


def content_of(attempt: KlarnaAuthorization) -> dict[str, Any]:
    """Give what was fixed before the click."""
    return {"digest": attempt.digest, "update_seq": attempt.update_seq, "data": Token(attempt.data)}


def believed(row: KlarnaAuthorization, attempt: KlarnaAuthorization | None) -> KlarnaAuthorization:
    """Correct the try that a callback's token was taken for: the browser knows which one it was."""
    if attempt is not None and attempt.pk != row.pk and row.source != Source.BROWSER:
        guessed = authorizations().filter(pk=row.pk, state=Attempt.RECEIVED).exclude(source=Source.BROWSER)
        guessed.update(source=Source.BROWSER, updated_at=timezone.now(), **content_of(attempt))
        row.refresh_from_db(using=database())
    return row

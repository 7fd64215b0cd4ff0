"""Whether a shop tells the right things of its shopper at the click, and makes its order when Klarna has one."""

import json
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Model
from django.utils import timezone

from django_klarna.carts import get_adapter
from django_klarna.exceptions import CartNotPayable
from django_klarna.models import (
    FraudStatus,
    KlarnaApiCall,
    KlarnaOrder,
    KlarnaSession,
    OrderState,
    State,
    new_key,
)
from django_klarna.services.attempts import TOKENIZE, TOKENIZING, authorize_data, described_token
from django_klarna.services.payloads import Payload, build_payload, read_cart
from django_klarna.services.transactions import database, durable, snapshot
from django_klarna.testing.changes import undone
from django_klarna.testing.circumstances import AGAIN, circumstances
from django_klarna.testing.descriptions import describe, differences, leaves, read_anew
from django_klarna.testing.queries import recorded_writes

LONGEST_REFERENCE = 255
#: What names a person, of an address or a customer; the rest may be in any payload, as a country is.
NAMING = frozenset(
    (
        "date_of_birth",
        "email",
        "family_name",
        "given_name",
        "national_identification_number",
        "organization_registration_id",
        "phone",
        "street_address",
    )
)


class UnchangedCartWarning(UserWarning):
    """After the purchase the cart is as it was: the shopper finds in it what has been paid."""


def data_of(cart: Model) -> dict[str, Any]:
    """Give what ``authorize()`` is told of the shopper; `CartNotPayable` if Klarna would refuse it."""
    data: dict[str, Any] = json.loads(authorize_data(cart.pk, build_payload(cart.pk).session))
    return data


def names_of(cart: Model) -> Iterator[str]:
    """Give what ``authorize()`` is told that names the shopper."""
    try:
        data = data_of(cart)
    except CartNotPayable:
        return  # wrong_data() tells
    for path, value in leaves(data):
        if path.rpartition("/")[2] in NAMING:
            yield str(value)


def wrong_data(cart: Model) -> Iterator[str]:
    """Find what Klarna would refuse of the shopper's data, and what is not the same each time."""
    session = build_payload(cart.pk).session
    try:
        with recorded_writes() as statements:
            authorize_data(cart.pk, session)
            described_token(cart.pk, session)
    except CartNotPayable as error:
        yield from map(str, error.violations)
        return
    for statement in statements:
        yield f"authorize_data() writes to the database: {statement}"
    yield from unsteady("authorize_data()", lambda: data_of(cart))


def wrong_reference(cart: Model) -> Iterator[str]:
    """Find a reference that Klarna would refuse, or that is not the same each time."""
    reference: object = reference_of(cart)
    if reference is None:
        return
    if not isinstance(reference, str) or not 0 < len(reference) <= LONGEST_REFERENCE:
        yield f"merchant_reference() gives {reference!r}; it must be None, or 1 to {LONGEST_REFERENCE} characters."
        return
    yield from unsteady("merchant_reference()", lambda: {"merchant_reference1": reference_of(cart)})


def reference_of(cart: Model) -> str | None:
    """Ask for the shop's own number, as it is done for an order."""
    with snapshot():
        return get_adapter().merchant_reference(read_cart(cart.pk))


def unsteady(method: str, told: Callable[[], dict[str, Any]]) -> Iterator[str]:
    """Ask again and again, and tell of the first time that the answer is not the same."""
    first = told()
    for circumstance in (AGAIN, *circumstances()):
        with circumstance.enter():
            again = told()
        if again != first:
            places = differences(first, again)
            yield f"{circumstance.name} {method} does not say the same:\n{places}\n    {circumstance.mend}"
            return


def broken_purchases(cart: Model) -> Iterator[str]:
    """Let the shop make its order, accepted and pending, each time taken back."""
    payload = build_payload(cart.pk)
    for status in (FraudStatus.ACCEPTED, FraudStatus.PENDING):
        for problem in broken_purchase(cart, payload, status):
            yield f"of an order that is {status} complete_purchase() {problem}"


def broken_purchase(cart: Model, payload: Payload, status: str) -> Iterator[str]:
    """Let the shop make its order, and tell what goes wrong."""
    with undone():
        order, before = order_for(cart, payload, status), row_of(cart)
        with recorded_writes() as statements:
            error = error_of(cart, order)
        calls = [each for each in statements if KlarnaApiCall._meta.db_table in each]  # noqa: SLF001 - Django's public name
        if calls:
            yield "calls Klarna, with the transaction open all the while. Do it in a receiver of order_placed."
        if error:
            yield f"raises:\n{error}"
        elif len(calls) == len(statements):
            yield "writes nothing: where is the shop's order?"
        elif row_of(cart) == before and describe(cart).payload == payload:
            warn(cart)


def warn(cart: Model) -> None:
    """Warn of a cart that is as it was, which may be right: a shop may take it from the shopper on another page."""
    warnings.warn(
        f"After complete_purchase() {cart} is as it was: it can be found, and holds what has been paid. Empty or "
        "close it there, unless cart_for() gives the shopper another one from then on.",
        UnchangedCartWarning,
        stacklevel=2,
    )


def row_of(cart: Model) -> dict[str, Any] | None:
    """Give the row of a cart; None if it is gone."""
    rows = type(cart)._base_manager.using(database())  # noqa: SLF001 - as Django's own relations read
    return rows.filter(pk=cart.pk).values().first()


def error_of(cart: Model, order: KlarnaOrder) -> str:
    """Let the shop make its order in a transaction of its own; gives the traceback of what it raised, or ""."""
    try:
        with durable():
            get_adapter().complete_purchase(read_anew(cart), order)
    except Exception as error:  # noqa: BLE001 - whatever the shop raises is what is looked for
        return "".join(traceback.format_exception(error))
    return ""


def order_for(cart: Model, payload: Payload, status: str) -> KlarnaOrder:
    """Make the order that Klarna might have of a cart, as `complete_purchase` gets it."""
    told = payload.session
    session = KlarnaSession.objects.using(database()).create(
        cart_id=cart.pk,
        account=payload.account,
        session_id=str(uuid.uuid4()),
        state=State.COMPLETED,
        intent=told.intent or "buy",
        purchase_country=told.purchase_country,
        purchase_currency=told.purchase_currency,
        order_amount=told.order_amount,
        order_tax_amount=told.order_tax_amount or 0,
        payload=payload.stored,
        digest=payload.digest,
    )
    orders = KlarnaOrder.objects.using(database())
    token = str(uuid.uuid4()) if session.intent in TOKENIZING else ""
    key = orders.create(
        session=session,
        key=new_key(),
        order_id=None if session.intent == TOKENIZE else str(uuid.uuid4()),
        state=OrderState.RECORDED,
        fraud_status=status,
        order_amount=session.order_amount,
        order_tax_amount=session.order_tax_amount,
        purchase_currency=session.purchase_currency,
        merchant_reference1=str(reference_of(cart) or "")[
            :LONGEST_REFERENCE
        ],  # another check tells if it is too long
        payment_method="invoice",
        recorded_at=timezone.now(),
    ).pk
    order = orders.select_related("session").get(pk=key)
    order.customer_token = token
    return order

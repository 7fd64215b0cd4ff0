"""The row: its constraint, its moves, and when it cannot be updated into something else."""

from typing import Any, Protocol

import pytest
from django.db import IntegrityError, transaction

from django_klarna.models import MOVES, KlarnaSession, State, drops_a_key
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db


class MakeRow(Protocol):
    def __call__(self, cart: Cart, **fields: Any) -> KlarnaSession: ...


@pytest.fixture
def make_row() -> MakeRow:
    def make(cart: Cart, **fields: Any) -> KlarnaSession:
        return KlarnaSession.objects.create(
            cart=cart,
            account="default",
            purchase_country="SE",
            purchase_currency="SEK",
            order_amount=1,
            **fields,
        )

    return make


def test_one_live_session_per_cart_and_any_number_of_others(make_row: MakeRow) -> None:
    cart = Cart.objects.create()
    for _number in range(3):
        make_row(cart)
    make_row(cart, live=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_row(cart, live=True)

    make_row(Cart.objects.create(), live=True)


def test_sessions_without_a_klarna_id_do_not_clash(make_row: MakeRow) -> None:
    cart = Cart.objects.create()
    make_row(cart, session_id=None)
    make_row(cart, session_id=None)


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("target", State)
def test_only_allowed_moves_move(make_row: MakeRow, source: State, target: State) -> None:
    row = make_row(Cart.objects.create(), state=source)

    moved = KlarnaSession.objects.filter(pk=row.pk).move(target)

    row.refresh_from_db()
    allowed = target == source or target in MOVES[source]
    assert (moved, row.state) == ((1, target) if allowed else (0, source))


def test_an_end_has_no_way_out() -> None:
    assert [state for state in State if not MOVES[state]] == [
        State.COMPLETED,
        State.EXPIRED,
        State.REPLACED,
        State.ABANDONED,
    ]


PAYLOAD: dict[str, Any] = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "order_amount": 1,
    "merchant_data": "x",
    "options": {"color_text": "#000000", "color_border": "#000000"},
    "order_lines": [{"name": "a", "reference": "r"}],
}


@pytest.mark.parametrize(
    ("changes", "account", "needs_another"),
    [
        ({}, "default", False),
        ({"order_amount": 2, "order_lines": [{"name": "a"}]}, "default", False),
        ({"merchant_reference1": "new"}, "default", False),
        ({"customer": {"type": "person"}}, "default", False),
        ({"customer": {"type": "organization"}}, "default", True),
        ({"purchase_country": "FI"}, "default", True),
        ({"purchase_currency": "EUR"}, "default", True),
        ({"locale": "en-SE"}, "default", True),
        ({"intent": "tokenize"}, "default", True),
        ({"merchant_data": None}, "default", True),
        ({"options": {"color_text": "#000000"}}, "default", True),
        ({}, "other", True),
    ],
)
def test_what_an_update_cannot_do(changes: dict[str, Any], account: str, needs_another: bool) -> None:
    row = KlarnaSession(account_identity="default", payload=PAYLOAD)
    new = {key: value for key, value in {**PAYLOAD, **changes}.items() if value is not None}

    assert row.changes_identity(account_identity=account, payload=new) is needs_another


def test_a_dropped_key_is_found_at_any_depth() -> None:
    assert drops_a_key({"a": {"b": {"c": 1}}}, {"a": {"b": {}}})
    assert not drops_a_key({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}, "d": 4})

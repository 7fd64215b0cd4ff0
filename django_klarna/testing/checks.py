"""One function for each thing that an adapter promises about a cart: what it gives are the broken promises."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import Model

from django_klarna.carts import get_adapter
from django_klarna.conf import get_settings
from django_klarna.money import display, to_minor
from django_klarna.testing.circumstances import AGAIN, Circumstance, circumstances
from django_klarna.testing.descriptions import (
    Description,
    content_of,
    describe,
    describe_payable,
    difference,
    read_anew,
)
from django_klarna.testing.queries import recorded_writes

USABLE_URL = re.compile(r"https?://[^/]|/(?!/)")


def broken_rules(cart: Model) -> Iterator[str]:
    """Find all that Klarna would refuse, or must not be told yet."""
    yield from map(str, describe(cart).violations)


def wrong_total(cart: Model, total: Decimal | None) -> Iterator[str]:
    """Compare the amount that Klarna is told with the shop's ``total``, in the major unit; None is not compared."""
    content = content_of(cart)
    amount, currency = content["order_amount"], content["purchase_currency"]
    if total is not None and to_minor("total_of()", total, currency) != amount:
        yield (
            f"/order_amount is {display(amount, currency)}, and total_of() says {total} {currency}. "
            "What the shopper sees and what Klarna takes must be the same."
        )


def contradictions(cart: Model) -> list[str]:
    """Describe the cart again and again, and tell what is not the same; if nothing differs but the time, only that."""
    first = describe_payable(cart)
    return list(contradicted(cart, first, [AGAIN])) or list(contradicted(cart, first, circumstances()))


def contradicted(cart: Model, first: Description, under: Iterable[Circumstance]) -> Iterator[str]:
    """Tell under which circumstances the cart is not as it was ``first``; each mend once."""
    mends: set[str] = set()
    for circumstance in under:
        with circumstance.enter():
            again = describe(cart)
        if again.told != first.told and circumstance.mend not in mends:
            mends.add(circumstance.mend)
            yield (
                f"{circumstance.name} it is not the same:\n{difference(first, again)}\n    {circumstance.mend}"
            )


def writes(cart: Model) -> Iterator[str]:
    """Find what is written while the cart is described."""
    with recorded_writes() as statements:
        describe_payable(cart)
    for statement in statements:
        yield f"describing it writes to the database: {statement}"


def unknown_account(cart: Model) -> Iterator[str]:
    """Find an account that is not in KLARNA."""
    account, accounts = get_adapter().account_for(read_anew(cart)), get_settings().accounts
    if account not in accounts:
        known = ", ".join(map(repr, accounts))
        yield f"account_for() gives {account!r}; the accounts in KLARNA are {known}."


def unusable_url(cart: Model) -> Iterator[str]:
    """Find a confirmation URL that leads nowhere."""
    url = str(get_adapter().confirmation_url(read_anew(cart)))
    if not USABLE_URL.match(url):
        yield (
            f"confirmation_url() gives {url!r}; it must be a path of this host, such as '/thanks/', or begin "
            "with https://. Use reverse()."
        )

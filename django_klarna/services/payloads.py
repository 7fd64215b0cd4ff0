"""From a cart in the database to what Klarna is told about it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db.models import Model

from django_klarna.api import Customer, MerchantUrls, SessionCreate
from django_klarna.carts import get_adapter
from django_klarna.conf import cart_model_label, get_settings
from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.lines import explain
from django_klarna.links import merchant_urls
from django_klarna.markets import market_for
from django_klarna.services.transactions import database, snapshot

ADDRESSES = ("billing_address", "shipping_address")
#: What is, or may hold, personal data; rows keep a hash of it.
PRIVATE = (*ADDRESSES, "attachment", "merchant_data")


@dataclass(frozen=True)
class Payload:
    """A cart at one moment, checked and complete, and the account that sells it."""

    session: SessionCreate
    account: str

    @cached_property
    def account_identity(self) -> str:
        """Whose account at which Klarna the alias stands for today."""
        return get_settings().account(self.account).identity

    @cached_property
    def content(self) -> dict[str, Any]:
        """Everything that Klarna is told."""
        return self.session.to_dict()

    @property
    def confirmation_url(self) -> str:
        """The absolute URL at which the purchase ends."""
        urls = self.session.merchant_urls
        return str(urls.confirmation) if isinstance(urls, MerchantUrls) else ""

    def addressed(self, key: str) -> SessionCreate:
        """Give what the session with this key is sent: the content, and the URLs that are for it alone."""
        return self.session.replace(merchant_urls=merchant_urls(key, self.confirmation_url))

    @cached_property
    def digest(self) -> str:
        """The hash of all that Klarna is told but the URLs at which it calls us: those are the session's own."""
        return hashlib.sha256(self.session.canonical()).hexdigest()

    @cached_property
    def stored(self) -> dict[str, Any]:
        """What the row keeps and staff see: no ``merchant_urls``, which are secret, and hashes of private data."""
        kept = veiled({key: value for key, value in self.content.items() if key != "merchant_urls"})
        if kept.get("customer", {}).keys() - {"type"}:
            kept["customer"] = hashed(kept["customer"])
        return {**kept, "order_lines": [veiled(line) for line in kept["order_lines"]]}


def veiled(values: dict[str, Any]) -> dict[str, Any]:
    """Give ``values`` with hashes in place of what is private."""
    hidden: dict[str, Any] = {name: hashed(values[name]) for name in PRIVATE if name in values}
    return {**values, **hidden}


def hashed(value: object) -> str:
    """Hash canonical JSON: sorted keys, no white space, so that only what Klarna sees counts."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def build_payload(cart_id: object) -> Payload:
    """Read the cart anew, cart and lines at one moment, and describe it; `CartNotPayable` says what is wrong."""
    with snapshot():
        return describe(read_cart(cart_id))


def read_cart(cart_id: object) -> Model:
    """Read a cart anew; `CartNotPayable` if there is none."""
    model = apps.get_model(cart_model_label())
    cart: Model | None = model._base_manager.using(database()).filter(pk=cart_id).first()  # noqa: SLF001 - as Django's own relations read
    if cart is None:
        raise CartNotPayable((missing_cart(),))
    return cart


def describe(cart: Model) -> Payload:
    """Let the adapter describe a cart that was just read."""
    adapter = get_adapter()
    session = adapter.build_session(cart)
    account = adapter.account_for(cart)
    confirmation = str(adapter.confirmation_url(cart) or "")
    if not isinstance(session, SessionCreate):
        raise TypeError(f"{type(adapter).__name__}.build_session() gave no SessionCreate")
    if not confirmation:
        raise TypeError(f"{type(adapter).__name__}.confirmation_url() gave no URL")
    urls = MerchantUrls(confirmation=get_settings().absolute(confirmation))
    return Payload(session=payable(session, urls), account=account)


def missing_cart() -> Violation:
    """Say that there is no cart."""
    return Violation(
        path="", rule="no_cart", expected="a cart", actual=None, mend="Put something in the cart first."
    )


def payable(session: SessionCreate, urls: MerchantUrls) -> SessionCreate:
    """Give the session with our URLs; `CartNotPayable` has all that Klarna would refuse, or must not be told yet."""
    complete = session.replace(merchant_urls=urls)
    violations = [*explain(complete), *untimely(session)]
    if violations:
        raise CartNotPayable(violations)
    return complete


def untimely(session: SessionCreate) -> Iterator[Violation]:
    """Find what a payload may not have before the shopper authorized: personal data, and URLs that are ours to make.

    A market may allow personal data; in Klarna's guides only the US ever did.
    https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/customer-data-requirements
    """
    market = market_for(session.purchase_country)
    for name in [] if market and market.personal_data else personal_fields(session):
        yield Violation(
            path=f"/{name}",
            rule="personal_data",
            expected="nothing before authorize()",
            actual="given",
            mend="Leave personal data out of build_session().",
        )
    if session.merchant_urls:
        yield Violation(
            path="/merchant_urls",
            rule="merchant_urls",
            expected="nothing",
            actual="given",
            mend="django_klarna makes these URLs; return the page from confirmation_url().",
        )


def personal_fields(session: SessionCreate) -> list[str]:
    """Give the paths of what is about the shopper; the ``type`` of a customer, person or organization, is not."""
    customer = session.customer.to_dict() if isinstance(session.customer, Customer) else {}
    addresses = [name for name in ADDRESSES if getattr(session, name)]
    return [*addresses, *(f"customer/{name}" for name in customer if name != "type")]

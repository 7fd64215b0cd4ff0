"""`CartAdapter`, the one class that a shop writes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.core.signals import setting_changed
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from django_klarna.accounts import DEFAULT_ACCOUNT
from django_klarna.api import Session, SessionCreate
from django_klarna.conf import get_settings
from django_klarna.exceptions import KlarnaConfigurationError

if TYPE_CHECKING:
    from django_klarna.models import KlarnaOrder

CartT = TypeVar("CartT", bound=Model)


class CartAdapter(ABC, Generic[CartT]):
    """Tell django_klarna about the carts of a shop; named by the setting KLARNA_CART_ADAPTER.

    The methods may be called in any process and must give the same answer for the same cart: they read the
    database and nothing else. `build_session` and its kin are called inside a transaction that reads one
    consistent snapshot; they must not write.
    """

    #: Models whose changes change a cart, each with the path to its cart (``"cart"``, ``"parcel__cart"``);
    #: None for the cart itself. Saving or deleting one of them sends the cart to Klarna after the commit.
    watches: ClassVar[Mapping[type[Model], str | None]] = {}

    @abstractmethod
    def cart_for(self, request: HttpRequest) -> CartT | None:
        """Give the cart of the shopper who sent ``request``, or None; never by an id that the client sent."""

    @abstractmethod
    def build_session(self, cart: CartT) -> SessionCreate:
        """Describe ``cart`` to Klarna, usually with a `SessionBuilder`; `CartNotPayable` if it cannot be paid."""

    @abstractmethod
    def confirmation_url(self, cart: CartT) -> str | Promise:
        """Give the page to which Klarna sends the shopper after the purchase: a path, or an absolute URL."""

    @abstractmethod
    def complete_purchase(self, cart: CartT, klarna_order: "KlarnaOrder") -> None:
        """Make the shop's own order of ``cart``, and empty or close the cart.

        Called inside the one transaction that notes down that the shop has the order: what it writes is committed once,
        or not at all. If it raises, nothing is kept, staff see it, and ``manage.py klarna_reconcile`` calls it again.
        Call no other service here, and send mails with ``transaction.on_commit()``. An order whose ``fraud_status`` is
        ``"PENDING"`` is not to be shipped before the signal `order_placed`.
        """

    def account_for(self, cart: CartT) -> str:
        """Give the alias in KLARNA of the account that sells ``cart``; credentials are per market."""
        return DEFAULT_ACCOUNT

    def authorize_data(self, cart: CartT) -> Session | None:
        """Give what Klarna may know about the shopper once the button is clicked: addresses and customer, or None.

        Klarna asks the shopper for what is missing. The same data go into the order, so that both are equal.
        https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/customer-data-requirements
        """
        return None

    def customer_token_description(self, cart: CartT) -> str:
        """Give what the shopper reads about being charged again, if the intent tokenizes; 1 to 255 characters.

        https://docs.klarna.com/acquirer/klarna/web-payments/integrate-with-klarna-payments/tokenized-payments/customer-token/
        """
        return ""

    def merchant_reference(self, cart: CartT) -> str | None:
        """Give the shop's own number of the purchase, which the shopper sees at Klarna; at most 255 characters."""
        return None


@cache
def get_adapter() -> CartAdapter[Any]:
    """Give the adapter that KLARNA_CART_ADAPTER names; `KlarnaConfigurationError` says what is wrong with it."""
    path = get_settings().cart_adapter
    if not path:
        raise KlarnaConfigurationError(
            "KLARNA_CART_ADAPTER is missing. Name your CartAdapter: KLARNA_CART_ADAPTER = 'shop.klarna.ShopCartAdapter'"
        )
    try:
        adapter = import_string(path)()
    except (ImportError, TypeError) as error:
        raise KlarnaConfigurationError(f"KLARNA_CART_ADAPTER {path!r} cannot be used: {error}") from error
    if not isinstance(adapter, CartAdapter):
        raise KlarnaConfigurationError(f"KLARNA_CART_ADAPTER {path!r} is not a subclass of CartAdapter")
    return adapter


def forget_adapter(*, setting: str, **kwargs: object) -> None:
    """Import the adapter anew after ``override_settings`` named another one."""
    if setting == "KLARNA_CART_ADAPTER":
        get_adapter.cache_clear()


setting_changed.connect(forget_adapter, dispatch_uid="django_klarna.carts")

"""`CartAdapter`, the one class that a shop writes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from django.core.signals import setting_changed
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from django_klarna.accounts import DEFAULT_ACCOUNT
from django_klarna.api import SessionCreate
from django_klarna.conf import get_settings
from django_klarna.exceptions import KlarnaConfigurationError

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

    def account_for(self, cart: CartT) -> str:
        """Give the alias in KLARNA of the account that sells ``cart``; credentials are per market."""
        return DEFAULT_ACCOUNT


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

"""Checks of what the shop writes: its cart model and its adapter."""

from difflib import get_close_matches
from inspect import isabstract
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.utils.module_loading import import_string

from django_klarna.accounts import DEFAULT_ACCOUNT, right_accounts
from django_klarna.carts import CartAdapter
from django_klarna.checks.watches import watch_problems
from django_klarna.conf import cart_model_label
from django_klarna.exceptions import KlarnaConfigurationError
from django_klarna.mistakes import WrongSettingsError, refuse

EXAMPLE = "KLARNA_CART_ADAPTER = 'shop.klarna.ShopCartAdapter'"


def check_cart_model(**kwargs: Any) -> list[CheckMessage]:
    """E002: KLARNA_CART_MODEL names no installed model."""
    label = getattr(settings, "KLARNA_CART_MODEL", None)
    try:
        apps.get_model(cart_model_label())
    except (KlarnaConfigurationError, LookupError) as error:
        installed = [model._meta.label for model in apps.get_models()]  # noqa: SLF001 - Django's public name
        (best,) = get_close_matches(str(label), installed, 1) or ["shop.Cart"]
        hint = f"KLARNA_CART_MODEL = {best!r}  # before django_klarna is migrated the first time"
        return [Error(f"KLARNA_CART_MODEL {label!r}: {error}", hint=hint, id="django_klarna.E002")]
    return []


def check_cart_adapter(**kwargs: Any) -> list[CheckMessage]:
    """E003: KLARNA_CART_ADAPTER cannot be used."""
    try:
        load_adapter()
    except WrongSettingsError as error:
        return [Error(each.message, hint=each.mend, id="django_klarna.E003") for each in error.mistakes]
    return []


def load_adapter() -> CartAdapter[Any]:
    """Make the adapter, whatever is wrong with other settings; `WrongSettingsError` says what is with this one."""
    path = getattr(settings, "KLARNA_CART_ADAPTER", None)
    if not path or not isinstance(path, str):
        refuse(f"KLARNA_CART_ADAPTER is {path!r}; it must be the dotted path of your CartAdapter", EXAMPLE)
    try:
        adapter: object = import_string(path)
    except ImportError as error:
        refuse(f"KLARNA_CART_ADAPTER {path!r} cannot be imported: {error}", closest_adapter(path))
    if not isinstance(adapter, type) or not issubclass(adapter, CartAdapter):
        refuse(f"KLARNA_CART_ADAPTER {path!r} is not a subclass of CartAdapter", closest_adapter(path))
    return instance_of(adapter)


def instance_of(adapter: type[CartAdapter[Any]]) -> CartAdapter[Any]:
    """Make an adapter of its class."""
    try:
        return adapter()
    except TypeError as error:
        missing = " and ".join(f"{name}()" for name in sorted(adapter.__abstractmethods__))
        cure = f"Define {missing} in it" if missing else "Let its __init__() take no arguments"
        refuse(
            f"KLARNA_CART_ADAPTER {adapter.__module__}.{adapter.__qualname__!r} cannot be used: {error}", cure
        )


def closest_adapter(path: str) -> str:
    """Give the line with the adapter that ``path`` may have meant, of those that have been imported."""
    classes: list[type] = [CartAdapter]
    for each in classes:
        classes += each.__subclasses__()
    known = [f"{each.__module__}.{each.__qualname__}" for each in classes if not isabstract(each)]
    close = get_close_matches(path, known, 1)
    return f"KLARNA_CART_ADAPTER = {close[0]!r}" if close else EXAMPLE


def check_watches(**kwargs: Any) -> list[CheckMessage]:
    """E007: a watched model has no such way to its cart. W003: nothing is watched."""
    if check_cart_model() or check_cart_adapter():
        return []
    adapter, cart = load_adapter(), apps.get_model(cart_model_label())
    if not adapter.watches:
        hint = f"watches = {{{cart.__name__}: None}}  # and its lines, each model with the path to its cart"
        message = "The adapter watches no model: a changed cart is sent when the next page asks for a token"
        return [Caution(message, hint=hint, obj=type(adapter), id="django_klarna.W003")]
    return [
        Error(problem, hint=hint, obj=type(adapter), id="django_klarna.E007")
        for problem, hint in watch_problems(adapter.watches, cart)
    ]


def check_default_account(**kwargs: Any) -> list[CheckMessage]:
    """W002: carts are sold by an account that is not there."""
    aliases = [account.alias for account in right_accounts()]
    if not aliases or DEFAULT_ACCOUNT in aliases or check_cart_adapter():
        return []
    if type(load_adapter()).account_for is not CartAdapter.account_for:
        return []
    return [
        Caution(
            "KLARNA has no account 'default', and the adapter's account_for() names no other",
            hint=f"KLARNA['default'] = KLARNA.pop({aliases[0]!r})  # or define account_for()",
            id="django_klarna.W002",
        )
    ]

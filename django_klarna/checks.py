"""System checks: pure, no database, no network."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register

from django_klarna.carts import get_adapter
from django_klarna.conf import cart_model_label, get_settings
from django_klarna.exceptions import KlarnaConfigurationError


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001: a setting of django_klarna is missing or wrong."""
    return complaint("E001", "Mend the setting as the message says.", get_settings)


def check_cart_model(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E002: KLARNA_CART_MODEL names no installed model."""
    label = cart_model_label()
    try:
        apps.get_model(label)
    except (LookupError, ValueError) as error:
        hint = "Name an installed model as 'app_label.Model'; set it before django_klarna is migrated the first time."
        return [Error(f"KLARNA_CART_MODEL {label!r}: {error}", hint=hint, id="django_klarna.E002")]
    return []


def check_cart_adapter(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E003: KLARNA_CART_ADAPTER cannot be used."""
    hint = "Name a subclass of django_klarna.carts.CartAdapter that defines all its abstract methods."
    return [] if check_settings(None) else complaint("E003", hint, get_adapter)


def complaint(number: str, hint: str, read: Callable[[], object]) -> list[CheckMessage]:
    """Give the error ``number`` if ``read`` finds the configuration wrong."""
    try:
        read()
    except KlarnaConfigurationError as error:
        return [Error(str(error), hint=hint, id=f"django_klarna.{number}")]
    return []


def register_checks() -> None:
    """Register every check of the app."""
    for check in (check_settings, check_cart_model, check_cart_adapter):
        register(check, Tags.compatibility)

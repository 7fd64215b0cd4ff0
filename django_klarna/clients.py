"""One `KlarnaClient` per account and process, pooled; never shared over a fork (the client sees to that)."""

from functools import cache, partial
from typing import Any

from django import get_version
from django.core.signals import setting_changed

from django_klarna.accounts import Account
from django_klarna.api import KlarnaClient
from django_klarna.audit import note
from django_klarna.conf import get_settings
from django_klarna.exceptions import KlarnaConfigurationError


@cache
def client_for(alias: str) -> KlarnaClient:
    """Give the client of the account ``alias``; `KlarnaConfigurationError` if it has no credentials."""
    account = get_settings().account(alias)
    if not account.has_credentials:
        raise KlarnaConfigurationError(f"KLARNA[{alias!r}] needs 'USERNAME' and 'PASSWORD', or an 'API_KEY'")
    try:
        return KlarnaClient(**options(account))
    except (TypeError, ValueError) as error:
        reason = str(error)
    # Raised out here, without the error above: the frames of that one hold the password.
    raise KlarnaConfigurationError(f"KLARNA[{alias!r}]: {reason}")


def options(account: Account) -> dict[str, Any]:
    """Give the client's options for an account; an API key goes before user name and password."""
    if account.api_key:
        credentials: dict[str, str | None] = {"api_key": account.api_key}
    else:
        credentials = {"username": account.username, "password": account.password}
    return {
        **credentials,
        "region": account.region,
        "environment": "live" if account.environment == "live" else "playground",
        "base_url": account.base_url,
        "connect_timeout": account.connect_timeout,
        "read_timeout": account.read_timeout,
        "user_agent": f"Django/{get_version()}",
        "on_call": partial(note, account.alias),
    }


def forget_clients(*, setting: str, **kwargs: object) -> None:
    """Make the clients anew after ``override_settings`` changed the accounts."""
    if setting == "KLARNA":
        client_for.cache_clear()


setting_changed.connect(forget_clients, dispatch_uid="django_klarna.clients")

"""Checks of what matters where things are sold: all but one only run with ``check --deploy``."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from django_klarna.accounts import EXAMPLE, Account, right_accounts
from django_klarna.conf import read_base_url
from django_klarna.mistakes import WrongSettingsError

#: Backends that each process has for itself.
OWN_CACHES = ("django.core.cache.backends.locmem.LocMemCache", "django.core.cache.backends.dummy.DummyCache")
SHARED_CACHE = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": "redis://127.0.0.1:6379",
}
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def check_credentials(**kwargs: Any) -> list[CheckMessage]:
    """E008: an account has no credentials, or there is none."""
    if getattr(settings, "KLARNA", None) == {}:
        hint = f"KLARNA = {{'default': {EXAMPLE | {'ENVIRONMENT': 'live'}}}}"
        return [Error("KLARNA has no account", hint=hint, id="django_klarna.E008")]
    return [
        Error(
            f"KLARNA[{account.alias!r}] needs 'USERNAME' and 'PASSWORD', or an 'API_KEY'",
            hint=f"KLARNA[{account.alias!r}] |= {{'USERNAME': '...', 'PASSWORD': '...'}}",
            id="django_klarna.E008",
        )
        for account in right_accounts()
        if not account.has_credentials
    ]


def check_base_url(**kwargs: Any) -> list[CheckMessage]:
    """E009: neither Klarna nor a shopper can come back to KLARNA_BASE_URL, or not safely."""
    try:
        url = urlsplit(read_base_url())
    except WrongSettingsError:
        return []  # E001 tells
    local = url.hostname in THIS_MACHINE
    if url.scheme == "https" and not local:
        return []
    return [
        Error(
            f"KLARNA_BASE_URL is {url.geturl()!r}; in deployment it must be https, and not this machine",
            hint=f"KLARNA_BASE_URL = {'https://shop.example' if local else f'https://{url.netloc}'!r}",
            id="django_klarna.E009",
        )
    ]


def check_environments(**kwargs: Any) -> list[CheckMessage]:
    """E010: an account is of the sandbox. W011: one is of Klarna's playground, without DEBUG."""
    sandboxes = [account for account in right_accounts() if account.environment == "sandbox"]
    playgrounds = [account for account in right_accounts() if account.environment == "playground"]
    return [sandbox_in_deployment(account) for account in sandboxes] + [
        playground_in_deployment(account) for account in playgrounds if not settings.DEBUG
    ]


def sandbox_in_deployment(account: Account) -> CheckMessage:
    """Make E010."""
    return Error(
        f"KLARNA[{account.alias!r}] is of the sandbox, with which nothing can be sold",
        hint=f"KLARNA[{account.alias!r}] = {EXAMPLE | {'ENVIRONMENT': 'live'}}",
        id="django_klarna.E010",
    )


def playground_in_deployment(account: Account) -> CheckMessage:
    """Make W011."""
    return Caution(
        f"KLARNA[{account.alias!r}] is of Klarna's playground, and DEBUG is off: nobody really pays",
        hint=f"KLARNA[{account.alias!r}]['ENVIRONMENT'] = 'live'  # with live credentials",
        id="django_klarna.W011",
    )


def check_live(**kwargs: Any) -> list[CheckMessage]:
    """W010: an account sells in earnest while somebody develops."""
    return [
        Caution(
            f"KLARNA[{account.alias!r}] is live, and DEBUG is on: shoppers really pay, and see tracebacks",
            hint="DEBUG = False  # or the credentials of Klarna's playground",
            id="django_klarna.W010",
        )
        for account in right_accounts()
        if account.environment == "live" and settings.DEBUG
    ]


def check_throttle_cache(**kwargs: Any) -> list[CheckMessage]:
    """W012: each process counts the requests of a shopper for itself."""
    if settings.CACHES["default"]["BACKEND"] not in OWN_CACHES:
        return []
    return [
        Caution(
            "The default cache is not shared: each process counts for itself what KLARNA_THROTTLE_RATES limits",
            hint=f"CACHES['default'] = {SHARED_CACHE}",
            id="django_klarna.W012",
        )
    ]

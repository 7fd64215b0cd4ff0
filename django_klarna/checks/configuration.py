"""Checks of the settings of django_klarna."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.conf import global_settings, settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution

from django_klarna.accounts import SANDBOX_URL, Account, right_accounts
from django_klarna.api import KlarnaClient
from django_klarna.clients import options
from django_klarna.conf import SETTING_NAMES, mistakes

#: Source: https://docs.klarna.com/api/authentication
KEY = re.compile(r"klarna_(live|test)_(api|client)_")
ENVIRONMENTS_OF_KEYS = {"live": "live", "test": "playground"}


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """E001: a setting is missing or wrong. E004: a dict has a key that nobody reads."""
    return [
        Error(each.message, hint=each.mend, id=f"django_klarna.{'E004' if each.unknown_key else 'E001'}")
        for each in mistakes()
    ]


def check_names(**kwargs: Any) -> list[CheckMessage]:
    """W001: a setting looks like a misspelt one of ours."""
    strangers = sorted(
        set(filter(str.isupper, dir(settings))) - set(SETTING_NAMES) - set(dir(global_settings))
    )
    return [
        Caution(
            f"{name} is no setting of django_klarna", hint=f"Rename it: {close[0]}", id="django_klarna.W001"
        )
        for name in strangers
        if (close := get_close_matches(name, SETTING_NAMES, 1, cutoff=0.8))
    ]


def check_clients(**kwargs: Any) -> list[CheckMessage]:
    """E005: no client can be made of an account."""
    return [
        Error(
            f"KLARNA[{account.alias!r}]: {problem}",
            hint=f"KLARNA[{account.alias!r}] |= {example_for(account)}",
            id="django_klarna.E005",
        )
        for account in right_accounts()
        if account.has_credentials and (problem := client_problem(account))
    ]


def client_problem(account: Account) -> str | None:
    """Tell why no client can be made of an account."""
    try:
        KlarnaClient(**options(account))
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def example_for(account: Account) -> dict[str, str]:
    """Give what an account like this one looks like."""
    address = {"BASE_URL": SANDBOX_URL} if account.environment == "sandbox" else {}
    return (
        {"API_KEY": "..."} | address if account.api_key else {"USERNAME": "...", "PASSWORD": "..."} | address
    )


def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """E006: a key is of another environment than its account, or for browsers; Klarna would answer 401."""
    return [
        Error(f"{name} {problem}", hint=mend, id="django_klarna.E006")
        for account in right_accounts()
        for key, value in (("API_KEY", account.api_key), ("PASSWORD", account.password))
        if (name := f"KLARNA[{account.alias!r}][{key!r}]") and value
        for problem, mend in key_problem(account, value, name)
    ]


def key_problem(account: Account, value: str, name: str) -> Iterator[tuple[str, str]]:
    """Give what is wrong with a key, and the mend; the key itself is not shown."""
    found = KEY.match(value)
    if not found or account.environment == "sandbox":
        return
    environment = ENVIRONMENTS_OF_KEYS[found[1]]
    if found[2] == "client":
        yield "is a key for browsers", f"{name} = 'klarna_{found[1]}_api_...'"
    elif environment != account.environment:
        mend = f"KLARNA[{account.alias!r}]['ENVIRONMENT'] = {environment!r}"
        yield f"is a key of {environment!r}, and 'ENVIRONMENT' is {account.environment!r}", mend

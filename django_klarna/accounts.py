"""The setting KLARNA: sets of credentials by alias."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Literal

from django.conf import settings

from django_klarna.mistakes import (
    Rule,
    WrongSettingsError,
    absolute_url,
    one_of,
    positive,
    read_all,
    read_keys,
    refuse,
    text_or_none,
)

DEFAULT_ACCOUNT = "default"
#: What the column of a session holds.
MAX_ALIAS = 64
#: Where ``manage.py klarna_sandbox`` serves it.
SANDBOX_URL = "http://127.0.0.1:8100"

Region = Literal["eu", "na", "oc"]
Environment = Literal["live", "playground", "sandbox"]
REGIONS: tuple[Region, ...] = ("eu", "na", "oc")
ENVIRONMENTS: tuple[Environment, ...] = ("live", "playground", "sandbox")


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One set of Klarna credentials with its region and environment.

    Either ``username`` and ``password``, or ``api_key`` (https://docs.klarna.com/api/authentication).
    ``base_url`` is the sandbox's address; timeouts are seconds.
    """

    alias: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    region: Region = "eu"
    environment: Environment = "playground"
    base_url: str | None = None
    connect_timeout: float = 2.0
    read_timeout: float = 8.0

    @property
    def identity(self) -> str:
        """A hash of whose account at which Klarna this is; a session made with another one is not ours to use.

        A new password for the same user name is the same account.
        """
        who = self.api_key or self.username
        return sha256(f"{self.environment} {self.region} {self.base_url} {who}".encode()).hexdigest()

    @property
    def has_credentials(self) -> bool:
        """Tell whether there is something to authenticate with."""
        return bool(self.api_key or (self.username and self.password))


def sandbox_address(name: str, url: object) -> str | None:
    """Read where the sandbox is."""
    return None if url is None else absolute_url(name, url, example=SANDBOX_URL)


ACCOUNT_RULES: Mapping[str, Rule] = {
    "USERNAME": text_or_none,
    "PASSWORD": text_or_none,
    "API_KEY": text_or_none,
    "REGION": partial(one_of, choices=REGIONS, default="eu"),
    "ENVIRONMENT": partial(one_of, choices=ENVIRONMENTS, default="playground"),
    "BASE_URL": sandbox_address,
    "CONNECT_TIMEOUT": partial(positive, default=2.0),
    "READ_TIMEOUT": partial(positive, default=8.0),
}
ACCOUNT_KEYS = tuple(ACCOUNT_RULES)
#: What an account looks like, in hints.
EXAMPLE = {"USERNAME": "...", "PASSWORD": "...", "REGION": "eu", "ENVIRONMENT": "playground"}


def read_account(alias: object, given: object) -> Account:
    """Make an `Account` of one entry of KLARNA."""
    if not isinstance(alias, str) or not 0 < len(alias) <= MAX_ALIAS:
        refuse(
            f"KLARNA has the alias {alias!r}; it must be text of at most {MAX_ALIAS} characters",
            f"KLARNA['default'] = KLARNA.pop({alias!r})",
        )
    name = f"KLARNA[{alias!r}]"
    options = read_keys(name, given, ACCOUNT_RULES, example=EXAMPLE)
    account = Account(alias=alias, **{key.lower(): value for key, value in options.items()})
    if (account.environment == "sandbox") is (account.base_url is None):
        refuse(
            f"{name}: 'BASE_URL' is the address of the sandbox; it goes with 'ENVIRONMENT': 'sandbox' only",
            f"del {name}['BASE_URL']" if account.base_url else f"{name}['BASE_URL'] = {SANDBOX_URL!r}",
        )
    return account


def given_accounts() -> Mapping[object, object]:
    """Give KLARNA as it is set; it may be empty, or nothing could be built without secrets."""
    given = getattr(settings, "KLARNA", None)
    if not isinstance(given, Mapping):
        example = {DEFAULT_ACCOUNT: EXAMPLE}
        refuse(
            "KLARNA must be a dict of accounts: KLARNA = {'default': {'USERNAME': …}}", f"KLARNA = {example}"
        )
    if given and given.keys() <= ACCOUNT_RULES.keys():
        refuse("KLARNA must be a dict of accounts, and is one account", "KLARNA = {'default': KLARNA}")
    return given


def read_accounts() -> dict[str, Account]:
    """Read KLARNA."""
    return read_all(
        {alias: partial(read_account, alias, options) for alias, options in given_accounts().items()}
    )


def right_accounts() -> list[Account]:
    """Give the accounts with which nothing is wrong, whatever is with the others."""
    accounts: list[Account] = []
    with suppress(WrongSettingsError):
        for alias, options in given_accounts().items():
            with suppress(WrongSettingsError):
                accounts.append(read_account(alias, options))
    return accounts

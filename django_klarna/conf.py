"""The settings of the project as frozen typed objects, read at first use and forgotten on ``setting_changed``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Any, Literal, cast
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from django_klarna.exceptions import KlarnaConfigurationError

SDK_PATH = "/kp/lib/v1/api.js"
#: https://docs.klarna.com/payments/web-payments/additional-resources/klarna-payments-sdk-reference
KLARNA_SDK_URL = f"https://x.klarnacdn.net{SDK_PATH}"
DEFAULT_ACCOUNT = "default"

Region = Literal["eu", "na", "oc"]
Environment = Literal["live", "playground", "sandbox"]
REGIONS: tuple[Region, ...] = ("eu", "na", "oc")
ENVIRONMENTS: tuple[Environment, ...] = ("live", "playground", "sandbox")
SYNC_MODES = ("commit", "lazy")
DAY = 24 * 3600
THROTTLE_RATES = {"session": "60/min", "recheck": "6/min"}


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

    def __post_init__(self) -> None:
        where = f"KLARNA[{self.alias!r}]"
        one_of(f"{where}['REGION']", self.region, REGIONS)
        one_of(f"{where}['ENVIRONMENT']", self.environment, ENVIRONMENTS)
        positive(f"{where}['CONNECT_TIMEOUT']", self.connect_timeout)
        positive(f"{where}['READ_TIMEOUT']", self.read_timeout)
        if self.base_url is not None:
            absolute_url(f"{where}['BASE_URL']", self.base_url)
        if (self.environment == "sandbox") is (self.base_url is None):
            raise KlarnaConfigurationError(
                f"{where}: 'BASE_URL' is the address of the sandbox; it goes with 'ENVIRONMENT': 'sandbox' only"
            )

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything the project has set for django_klarna; all timeouts and margins are seconds."""

    accounts: Mapping[str, Account]
    cart_adapter: str
    base_url: str
    sync: str
    ensure_timeout: float
    sync_timeout: float
    expiry_margin: float
    throttle_rates: Mapping[str, str]

    def account(self, alias: str) -> Account:
        """Give the account called ``alias``; `KlarnaConfigurationError` names those there are."""
        if alias in self.accounts:
            return self.accounts[alias]
        known = ", ".join(map(repr, self.accounts)) or "none"
        raise KlarnaConfigurationError(f"KLARNA has no account {alias!r}; it has: {known}")

    @property
    def sdk_url(self) -> str:
        """The address of Klarna's JavaScript SDK: Klarna's own, or the sandbox's stand-in."""
        account = self.accounts.get(DEFAULT_ACCOUNT)
        sandbox = account.base_url if account else None
        return f"{sandbox.rstrip('/')}{SDK_PATH}" if sandbox else KLARNA_SDK_URL

    def absolute(self, path: str) -> str:
        """Make an absolute URL of ``path``, from KLARNA_BASE_URL and never from a request's Host header."""
        return urljoin(self.base_url, path)


def one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise `KlarnaConfigurationError` naming the setting unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise KlarnaConfigurationError(
            f"{name} is {value!r}; it must be one of {', '.join(map(repr, choices))}"
        )


def positive(name: str, value: object) -> float:
    """Give ``value`` if it is a positive number of seconds; `KlarnaConfigurationError` names the setting."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise KlarnaConfigurationError(f"{name} is {value!r}; it must be a positive number of seconds")
    return float(value)


def absolute_url(name: str, value: object) -> str:
    """Give ``value`` if it is an absolute URL; `KlarnaConfigurationError` names the setting."""
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise KlarnaConfigurationError(f"{name} is {value!r}; it must be absolute: 'https://shop.example'")
    return cast("str", value)


def seconds(name: str, default: float) -> float:
    """Read a setting that is a positive number of seconds."""
    return positive(name, getattr(settings, name, default))


def expiry_margin() -> float:
    """Read KLARNA_EXPIRY_MARGIN; with a margin as long as a session's life each page would make another one."""
    margin = seconds("KLARNA_EXPIRY_MARGIN", 900.0)
    if margin > DAY:
        raise KlarnaConfigurationError(f"KLARNA_EXPIRY_MARGIN is {margin:g}; it must be at most {DAY}, a day")
    return margin


def known_keys(name: str, given: object, known: tuple[str, ...]) -> dict[str, Any]:
    """Check that ``given`` is a dict with no key outside ``known``; a stranger gets a suggestion."""
    if not isinstance(given, Mapping):
        raise KlarnaConfigurationError(f"{name} must be a dict, not {type(given).__name__}")
    for key in given:
        if key not in known:
            close = get_close_matches(str(key).upper(), known, 1) or get_close_matches(str(key), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(map(repr, known))}"
            raise KlarnaConfigurationError(f"{name} has no key {key!r}; {hint}")
    return dict(given)


ACCOUNT_KEYS = tuple(option.name.upper() for option in fields(Account) if option.name != "alias")


def read_account(alias: str, given: object) -> Account:
    """Make an `Account` of one entry of KLARNA."""
    options = known_keys(f"KLARNA[{alias!r}]", given, ACCOUNT_KEYS)
    return Account(alias=alias, **{key.lower(): value for key, value in options.items()})


def read_accounts() -> dict[str, Account]:
    """Read KLARNA."""
    given = getattr(settings, "KLARNA", None)
    if not isinstance(given, Mapping) or not given:
        raise KlarnaConfigurationError(
            "KLARNA must be a dict of accounts: KLARNA = {'default': {'USERNAME': …}}"
        )
    return {alias: read_account(alias, options) for alias, options in given.items()}


def read_base_url() -> str:
    """Read KLARNA_BASE_URL."""
    url = getattr(settings, "KLARNA_BASE_URL", None)
    if not url:
        raise KlarnaConfigurationError("KLARNA_BASE_URL is missing: KLARNA_BASE_URL = 'https://shop.example'")
    return absolute_url("KLARNA_BASE_URL", url)


def read_throttle_rates() -> dict[str, str]:
    """Read KLARNA_THROTTLE_RATES over its defaults."""
    given = getattr(settings, "KLARNA_THROTTLE_RATES", {})
    rates = THROTTLE_RATES | known_keys("KLARNA_THROTTLE_RATES", given, tuple(THROTTLE_RATES))
    for name, rate in rates.items():
        if not isinstance(rate, str) or not re.fullmatch(r"[1-9][0-9]*/[smhd][a-z]*", rate):
            raise KlarnaConfigurationError(
                f"KLARNA_THROTTLE_RATES[{name!r}] is {rate!r}; it must be like '60/min'"
            )
    return rates


def read_sync() -> str:
    """Read KLARNA_SYNC."""
    mode = getattr(settings, "KLARNA_SYNC", "commit")
    one_of("KLARNA_SYNC", mode, SYNC_MODES)
    return cast("str", mode)


@cache
def get_settings() -> Settings:
    """Give the settings of the project, read once; `KlarnaConfigurationError` names what is wrong."""
    try:
        return read_settings()
    except KlarnaConfigurationError as error:
        reason = str(error)
    # Raised out here, without the error above: the frames of that one hold the passwords.
    raise KlarnaConfigurationError(reason)


def read_settings() -> Settings:
    """Read all settings."""
    return Settings(
        accounts=read_accounts(),
        cart_adapter=getattr(settings, "KLARNA_CART_ADAPTER", ""),
        base_url=read_base_url(),
        sync=read_sync(),
        ensure_timeout=seconds("KLARNA_ENSURE_TIMEOUT", 6.0),
        sync_timeout=seconds("KLARNA_SYNC_TIMEOUT", 3.0),
        expiry_margin=expiry_margin(),
        throttle_rates=read_throttle_rates(),
    )


def cart_model_label() -> str:
    """Give KLARNA_CART_MODEL, the one setting that is read at import: a foreign key needs it."""
    label = getattr(settings, "KLARNA_CART_MODEL", None)
    if not isinstance(label, str) or label.count(".") != 1:
        raise KlarnaConfigurationError(
            "KLARNA_CART_MODEL is missing. Add the model of your carts, before django_klarna is migrated: "
            "KLARNA_CART_MODEL = 'shop.Cart'"
        )
    return label


def forget_settings(*, setting: str, **kwargs: object) -> None:
    """Read the settings anew after ``override_settings`` changed one of ours."""
    if setting.startswith("KLARNA"):
        get_settings.cache_clear()


setting_changed.connect(forget_settings, dispatch_uid="django_klarna.conf")

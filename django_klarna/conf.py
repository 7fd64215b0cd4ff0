"""The settings of the project as frozen typed objects, read at first use and forgotten on ``setting_changed``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from django_klarna.accounts import DEFAULT_ACCOUNT, Account, read_accounts
from django_klarna.exceptions import KlarnaConfigurationError
from django_klarna.markets import Market, get_markets
from django_klarna.mistakes import (
    Mistake,
    WrongSettingsError,
    absolute_url,
    at_most,
    is_number,
    one_of,
    positive,
    read_all,
    read_keys,
    refuse,
    text_or_none,
)

SDK_PATH = "/kp/lib/v1/api.js"
#: https://docs.klarna.com/payments/web-payments/additional-resources/klarna-payments-sdk-reference
KLARNA_SDK_URL = f"https://x.klarnacdn.net{SDK_PATH}"
SYNC_MODES = ("commit", "lazy")
DAY = 24 * 3600
CENTURY = 100 * 365 * DAY
THROTTLE_RATES = {
    "session": "60/min",
    "recheck": "6/min",
    "attempt": "120/min",
    "authorization": "60/min",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything the project has set for django_klarna; all timeouts and margins are seconds."""

    accounts: Mapping[str, Account]
    markets: Mapping[str, Market]
    cart_adapter: str
    base_url: str
    sync: str
    ensure_timeout: float
    sync_timeout: float
    order_timeout: float
    expiry_margin: float
    throttle_rates: Mapping[str, str]
    audit_sample_rate: float
    audit_retention: float

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


SETTING_NAMES = (
    "KLARNA",
    "KLARNA_CART_MODEL",
    *(f"KLARNA_{option.name.upper()}" for option in fields(Settings) if option.name != "accounts"),
)


def seconds(name: str, default: float) -> float:
    """Read a setting that is a positive number of seconds."""
    return positive(name, getattr(settings, name, default), default=default)


def audit_sample_rate() -> float:
    """Read KLARNA_AUDIT_SAMPLE_RATE."""
    rate = getattr(settings, "KLARNA_AUDIT_SAMPLE_RATE", 1.0)
    if not is_number(rate) or not 0 <= rate <= 1:
        refuse(
            f"KLARNA_AUDIT_SAMPLE_RATE is {rate!r}; it must be between 0 and 1",
            "KLARNA_AUDIT_SAMPLE_RATE = 1",
        )
    return float(rate)


def audit_retention() -> float:
    """Read KLARNA_AUDIT_RETENTION; a date that lies before the calendar begins cannot be asked for."""
    retention = seconds("KLARNA_AUDIT_RETENTION", 7776000.0)
    return at_most("KLARNA_AUDIT_RETENTION", retention, CENTURY)


def expiry_margin() -> float:
    """Read KLARNA_EXPIRY_MARGIN; with a margin as long as a session's life each page would make another one."""
    return at_most("KLARNA_EXPIRY_MARGIN", seconds("KLARNA_EXPIRY_MARGIN", 900.0), DAY)


def read_base_url() -> str:
    """Read KLARNA_BASE_URL."""
    name, example = "KLARNA_BASE_URL", "https://shop.example"
    url = getattr(settings, name, None)
    if not url:
        refuse(f"{name} is missing: {name} = {example!r}", f"{name} = {example!r}")
    parts = urlsplit(absolute_url(name, url, example=example))
    if parts.path.strip("/"):
        refuse(f"{name} is {url!r}; it must end with the host", f"{name} = '{parts.scheme}://{parts.netloc}'")
    return cast("str", url)


def throttle_rate(name: str, rate: object) -> str:
    """Read how often something may be asked for."""
    if not isinstance(rate, str) or not re.fullmatch(r"[1-9][0-9]*/[smhd][a-z]*", rate):
        refuse(f"{name} is {rate!r}; it must be like '60/min'", f"{name} = '60/min'")
    return rate


def read_throttle_rates() -> dict[str, str]:
    """Read KLARNA_THROTTLE_RATES over its defaults."""
    given = getattr(settings, "KLARNA_THROTTLE_RATES", {})
    rules = dict.fromkeys(THROTTLE_RATES, throttle_rate)
    return THROTTLE_RATES | read_keys("KLARNA_THROTTLE_RATES", given, rules, example=THROTTLE_RATES)


def read_sync() -> str:
    """Read KLARNA_SYNC."""
    mode = getattr(settings, "KLARNA_SYNC", "commit")
    return one_of("KLARNA_SYNC", mode, choices=SYNC_MODES, default="commit")


def read_cart_adapter() -> str:
    """Read KLARNA_CART_ADAPTER; whether it can be imported is found out where it is."""
    path = getattr(settings, "KLARNA_CART_ADAPTER", None)
    return text_or_none("KLARNA_CART_ADAPTER", path, example="shop.klarna.ShopCartAdapter") or ""


@cache
def get_settings() -> Settings:
    """Give the settings of the project, read once; `KlarnaConfigurationError` names all that is wrong."""
    try:
        return read_settings()
    except WrongSettingsError as error:
        reason = str(error)
    # Raised out here, without the error above: the frames of that one hold the passwords.
    raise KlarnaConfigurationError(reason)


def mistakes() -> tuple[Mistake, ...]:
    """Give all that is wrong with the settings."""
    try:
        read_settings()
    except WrongSettingsError as error:
        return error.mistakes
    return ()


def read_settings() -> Settings:
    """Read all settings."""
    readers: dict[str, Callable[[], Any]] = {
        "accounts": read_accounts,
        "markets": get_markets,
        "cart_adapter": read_cart_adapter,
        "base_url": read_base_url,
        "sync": read_sync,
        "ensure_timeout": lambda: seconds("KLARNA_ENSURE_TIMEOUT", 6.0),
        "sync_timeout": lambda: seconds("KLARNA_SYNC_TIMEOUT", 3.0),
        "order_timeout": lambda: seconds("KLARNA_ORDER_TIMEOUT", 15.0),
        "expiry_margin": expiry_margin,
        "throttle_rates": read_throttle_rates,
        "audit_sample_rate": audit_sample_rate,
        "audit_retention": audit_retention,
    }
    return Settings(**read_all(readers))


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

"""The client: credentials, an address and manners, and the operations that use them."""

import base64
import ipaddress
import math
import platform
import re
from collections.abc import Callable, Mapping
from functools import wraps
from types import TracebackType
from typing import Concatenate, Final, ParamSpec, Self
from urllib.parse import SplitResult, urlsplit

from django_klarna import __version__
from django_klarna.api.connections import MAX_HEADER_BYTES
from django_klarna.api.kinds import is_storable
from django_klarna.api.order_management import OrderManagement
from django_klarna.api.orders import Orders
from django_klarna.api.regions import Environment, Region, base_url_for
from django_klarna.api.sessions import Sessions
from django_klarna.api.transport import Call, Transport, TransportOptions

_P = ParamSpec("_P")
_CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f]")


def _without_arguments_in_frames(
    init: Callable[Concatenate["KlarnaClient", _P], None],
) -> Callable[Concatenate["KlarnaClient", _P], None]:
    """Raise what a constructor raises anew: debug pages show the variables of each frame, and here are secrets."""

    @wraps(init)
    def __init__(self: "KlarnaClient", /, *args: _P.args, **options: _P.kwargs) -> None:  # noqa: N807 - shown in tracebacks
        try:
            return init(self, *args, **options)
        except Exception as error:  # noqa: BLE001 - whatever it is, its frames hold the secrets
            problem = (ValueError if isinstance(error, ValueError) else TypeError)(str(error))
        del self, args, options
        raise problem

    return __init__


class KlarnaClient:
    """Speak to Klarna Payments with the credentials of one account.

    `sessions` and `orders` are its operations; `order_management` looks at the orders that have been placed.

    Either `username` and `password` or an `api_key` is needed. `base_url` stands in for `region` and
    `environment`; it must be https unless the host is this machine. Times are in seconds: `connect_timeout`
    and `read_timeout` for one wait, `timeout` for a whole call. `max_response_bytes` limits an answer.
    `verify` (True, or the path of a CA bundle) and `proxies` (scheme to http URL) are as in requests; the
    environment is not looked at. `user_agent` is added to our own. `on_call` gets a `Call` after each call;
    should it fail, that is logged and nothing else.

    One client may be shared by threads and survives a fork. Raises ValueError or TypeError for options that
    cannot work, and repeats none of their values.
    Source: https://docs.klarna.com/api/authentication
    """

    @_without_arguments_in_frames
    def __init__(  # noqa: PLR0913 - all are options, keyword-only and with defaults
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        region: Region = "eu",
        environment: Environment = "playground",
        base_url: str | None = None,
        connect_timeout: float = 3.0,
        read_timeout: float = 10.0,
        timeout: float = 15.0,
        max_response_bytes: int = 1_048_576,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
        user_agent: str | None = None,
        pool_maxsize: int = 10,
        on_call: Callable[[Call], object] | None = None,
    ) -> None:
        self.base_url = _checked_base_url(base_url or base_url_for(region, environment))
        self._transport = Transport(
            TransportOptions(
                base_url=self.base_url,
                headers=_checked_headers(_headers(_authorization(username, password, api_key), user_agent)),
                connect_timeout=_positive("connect_timeout", connect_timeout),
                read_timeout=_positive("read_timeout", read_timeout),
                timeout=_positive("timeout", timeout),
                max_response_bytes=int(_positive("max_response_bytes", max_response_bytes)),
                verify=verify,
                proxies=_checked_proxies(proxies or {}),
                pool_maxsize=int(_positive("pool_maxsize", pool_maxsize)),
                on_call=on_call,
            )
        )
        self.sessions = Sessions(self._transport)
        self.orders = Orders(self._transport)
        self.order_management = OrderManagement(self._transport)

    def close(self) -> None:
        """Close the idle connections of this process; the client can still be used."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"KlarnaClient(base_url={self.base_url!r})"


def _headers(authorization: str, user_agent: str | None) -> dict[str, str]:
    return {
        "Accept": "application/json",
        # An answer that unpacks to many times its size is not asked for.
        "Accept-Encoding": "identity",
        "Authorization": authorization,
        "User-Agent": _user_agent(user_agent),
    }


def _authorization(username: str | None, password: str | None, api_key: str | None) -> str:
    if api_key and not username and not password:
        return f"Basic {_header_text('api_key', api_key)}"
    if not (username and password) or api_key:
        raise ValueError("Give either username and password, or api_key.")
    if ":" in username:
        raise ValueError("username must not contain a colon.")
    for name, value in (("username", username), ("password", password)):
        _refuse_control_characters(name, value)
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _user_agent(addition: str | None) -> str:
    ours = f"django_klarna/{__version__} Python/{platform.python_version()}"
    return f"{ours} {_header_text('user_agent', addition)}" if addition else ours


def _header_text(name: str, value: str) -> str:
    _refuse_control_characters(name, value)
    if not value.isascii():
        raise ValueError(f"{name} must be ASCII.")
    return value


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    # Two that may be long are less than what all together may have.
    for name, value in headers.items():
        if len(name) + len(value) > MAX_HEADER_BYTES:
            raise ValueError(f"The header {name} must not be longer than {MAX_HEADER_BYTES} bytes.")
    return headers


def _refuse_control_characters(name: str, value: str) -> None:
    # The value is not repeated: it may be a secret.
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text.")
    if _CONTROL_CHARACTER.search(value):
        raise ValueError(f"{name} must not contain line breaks or other control characters.")
    if not is_storable(value):
        raise ValueError(f"{name} must be Unicode text.")


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a number greater than zero.")
    return value


def _checked_base_url(url: str) -> str:
    parts = _split("base_url", url)
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url must be like https://host[:port][/path].")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("base_url must be https, unless its host is this machine.")
    return url.rstrip("/")


def _split(name: str, url: str) -> SplitResult:
    # Nothing of the URL is repeated: someone may have put credentials into it.
    try:
        parts = urlsplit(url)
        if parts.port != 0:
            return parts
    except ValueError:
        pass
    raise ValueError(f"{name} must be like https://host[:port][/path].")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_proxies(proxies: Mapping[str, str]) -> dict[str, str]:
    # A SOCKS proxy brings connections of its own, which neither keep our clock nor know what was sent.
    if any(_split("proxies", url).scheme not in {"http", "https"} for url in proxies.values()):
        raise ValueError("proxies must be http or https URLs.")
    return dict(proxies)

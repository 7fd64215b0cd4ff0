"""Connections that keep one clock for a whole call and know whether any of its bytes may have left.

The timeouts of requests and urllib3 start anew with each packet, so an answer that drips never ends; and
their errors do not say for sure whether the request was sent. Both are decided here, where the socket is
used. Two things the clock cannot cut short: the resolver, and a host with several addresses of which none
answers, where each is tried for `connect_timeout` or what was left at the start.
"""

import io
import socket
import time
from contextvars import ContextVar
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


# What the head of an answer, and the frame of a chunked one, may take beside the body.
_HEAD_BYTES: Final = 262_144
# Klarna refuses more. Source: https://docs.klarna.com/api/request-limits/
MAX_HEADER_BYTES: Final = 6_144
MAX_HEAD_BYTES: Final = 20_480
#: Stands in a path for the part that nobody may see, such as a token; libraries log and repeat paths.
HIDDEN_PART: Final = "~hidden~"
_BODILESS: Final = frozenset((HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED))


class Exchange:
    """The clock of one call, in seconds, whether its request may have left, and how many bytes may still come.

    `secret` is what belongs into the path at HIDDEN_PART.
    """

    __slots__ = (
        "attempts", "bytes_left", "connect_timeout", "deadline", "read_timeout", "secret", "sent", "started",
    )  # fmt: skip

    def __init__(
        self,
        *,
        timeout: float,
        connect_timeout: float,
        read_timeout: float,
        max_response_bytes: int,
        secret: str = "",
    ) -> None:
        self.started = time.monotonic()
        self.deadline = self.started + timeout
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self.bytes_left = max_response_bytes + _HEAD_BYTES
        self.secret = secret
        self.sent = False
        self.attempts = 0

    @property
    def elapsed(self) -> float:
        """Return the seconds since the call began."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Return the seconds that are left; zero or less when time is up."""
        return self.deadline - time.monotonic()

    def limit(self, timeout: float) -> float:
        """Return the timeout, or what is left if that is less; raise TimeoutError when time is up."""
        remaining = self.remaining
        if remaining <= 0:
            raise TimeoutError("the time for the call is up")
        return min(timeout, remaining)

    @property
    def overdrawn(self) -> bool:
        """Say whether more came than may."""
        return self.bytes_left < 0

    def receive(self, count: int) -> None:
        """Count bytes that came; raise OSError when they are too many."""
        self.bytes_left -= count
        if self.overdrawn:
            raise OSError("the answer is too large")


#: The call that the current thread is making: urllib3 has no way to hand anything of ours to a connection.
current_exchange: ContextVar[Exchange] = ContextVar("django_klarna.api.current_exchange")


class HeadTooLargeError(HTTPError):
    """The headers of a request are more than Klarna takes: tracing libraries add some of their own."""


class _PatientReader(io.RawIOBase):
    """Read from a socket, never waiting longer nor taking more than the call has left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        self._raw = raw
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        self._sock.settimeout(self._exchange.limit(self._exchange.read_timeout))
        count = self._raw.readinto(buffer)
        # Counted here too, because http.client reads all that comes after a chunk with a negative size.
        self._exchange.receive(count or 0)
        return count

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_PatientReader(self.fp.detach(), sock, current_exchange.get()))

    def _read_status(self) -> tuple[str, int, str]:
        # http.client skips 100 only and takes any other interim answer for the final one, so that the final
        # one would be given to whoever uses the connection next. With 101 there is no HTTP after it.
        version, status, reason = super()._read_status()  # type: ignore[misc] # typeshed lacks it
        interim = status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS
        return version, HTTPStatus.CONTINUE if interim else status, reason

    def begin(self) -> None:
        super().begin()
        if self.msg.defects:
            # Where the body begins is a guess then, and urllib3 would log what it could not read.
            raise HTTPException("the head of the answer cannot be read")
        # A body where none may be would be read as the answer to the next request.
        has_body = self.getheader("Content-Length", "0") != "0" or self.getheader("Transfer-Encoding")
        if self.status == HTTPStatus.SWITCHING_PROTOCOLS or (self.status in _BODILESS and has_body):
            self.chunked = False
            self.will_close = True


class _HTTPConnection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        exchange = current_exchange.get()
        self.timeout = exchange.limit(exchange.connect_timeout)
        try:
            super().connect()
        except BrokenPipeError:
            # urllib3 takes it for a server that answered before it had read all, and reads the answer.
            raise ConnectionAbortedError from None

    def putrequest(
        self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False
    ) -> None:
        if self.sock is None:
            self.connect()
        exchange = current_exchange.get()
        self.sock.settimeout(exchange.limit(exchange.read_timeout))
        self._head_bytes = 0
        super().putrequest(method, url, skip_host=skip_host, skip_accept_encoding=skip_accept_encoding)

    def _encode_request(self, request: str) -> bytes:
        # The one place where http.client makes bytes of the path: what is above it, and whatever watches that
        # for a trace, sees the path without the secret.
        secret = current_exchange.get().secret
        if secret:
            before, _, after = request.rpartition(HIDDEN_PART)
            request = before + secret + after
        return request.encode("ascii")

    def putheader(self, header: Any, *values: Any) -> None:  # noqa: ANN401 - text or bytes, as http.client likes
        size = len(header) + sum(map(len, values))
        self._head_bytes += size
        if size > MAX_HEADER_BYTES or self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError
        super().putheader(header, *values)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        # Until here all was only gathered.
        current_exchange.get().sent = True
        super().endheaders(*args, **kwargs)


class _HTTPSConnection(_HTTPConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS: Final = {"http": _HTTPPool, "https": _HTTPSPool}

# What may be repeated is decided where `sent` is known; urllib3 would also log the path of what it repeats.
_NO_RETRIES: Final = Retry(
    total=0, read=False, redirect=False, status=0, other=False, respect_retry_after_header=False
)


class Adapter(HTTPAdapter):
    """Make requests use the connections of this module, and repeat nothing by itself."""

    def __init__(self, *, pool_maxsize: int) -> None:
        super().__init__(pool_maxsize=pool_maxsize, max_retries=_NO_RETRIES)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        """Return the pools for connections through this proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

"""From the errors of requests, urllib3 and sockets to ours."""

from collections.abc import Iterator
from typing import Final

import requests
import urllib3

from django_klarna.api.connections import Exchange
from django_klarna.api.exceptions import KlarnaConnectionError, KlarnaTimeoutError

#: Everything that requests and what is below it raise when a call fails.
TRANSPORT_ERRORS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)

_TIMEOUTS: Final = (requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)


def connection_error(operation: str, error: Exception, exchange: Exchange) -> KlarnaConnectionError:
    """Return our error for one of a library's; it names the class of the cause and repeats nothing else."""
    causes = list(_causes(error))
    timed_out = exchange.remaining <= 0 or any(isinstance(cause, _TIMEOUTS) for cause in causes)
    error_class = KlarnaTimeoutError if timed_out else KlarnaConnectionError
    return error_class(f"{operation}: no answer ({type(causes[-1]).__name__})", sent=exchange.sent)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it wraps in `reason`, `args` or `__cause__`, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = (getattr(cause, "reason", None), *cause.args, cause.__cause__)
        cause = next((item for item in inner if isinstance(item, BaseException)), None)

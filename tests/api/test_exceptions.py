import copy
import inspect
import pickle
import socket
import ssl

import pytest
import requests
import urllib3
from urllib3.connection import HTTPConnection

from django_klarna import api
from django_klarna.api import (
    KlarnaAPIError,
    KlarnaConnectionError,
    KlarnaError,
    KlarnaResponseError,
    KlarnaTimeoutError,
    KlarnaValidationError,
    Violation,
    exceptions,
)
from django_klarna.api.connections import Exchange
from django_klarna.api.failures import TRANSPORT_ERRORS, connection_error

VIOLATION = Violation(
    path="/order_lines/12/name", rule="max_length", expected=255, actual=300, mend="Shorten it."
)
POOL = urllib3.HTTPConnectionPool("planted")
CLASSES = [
    cls
    for cls in vars(exceptions).values()
    if inspect.isclass(cls) and issubclass(cls, KlarnaError) and cls is not KlarnaError
]


def make(cls: type[KlarnaError]) -> KlarnaError:
    if issubclass(cls, KlarnaConnectionError):
        return cls("operation: no answer", sent=True)
    if issubclass(cls, KlarnaResponseError):
        return cls("operation: not JSON", status_code=200, correlation_id="c-1")
    if issubclass(cls, KlarnaValidationError):
        return cls([VIOLATION], subject="SessionCreate")
    assert issubclass(cls, KlarnaAPIError)
    return cls("operation", status_code=503, error_code="X", error_messages=("m",), retry_after=1.5)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles(cls: type[KlarnaError], protocol: int) -> None:
    error = make(cls)
    for again in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(again) is cls
        assert (str(again), repr(again), vars(again)) == (str(error), repr(error), vars(error))


def test_every_error_is_public() -> None:
    assert {cls.__name__ for cls in CLASSES} <= set(api.__all__)


def test_the_tree() -> None:
    assert issubclass(KlarnaTimeoutError, KlarnaConnectionError)
    assert issubclass(KlarnaValidationError, ValueError)
    assert issubclass(KlarnaValidationError, TypeError)
    assert not issubclass(KlarnaConnectionError, KlarnaAPIError)


def test_every_error_of_the_libraries_is_caught() -> None:
    defined = {
        cls
        for module in (requests.exceptions, urllib3.exceptions)
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__ == module.__name__ and not issubclass(cls, Warning)
    }
    # Raised for the scheme of a proxy only, of which the client takes http and https.
    beyond = {urllib3.exceptions.ProxySchemeUnsupported}
    assert {cls for cls in defined - beyond if not issubclass(cls, TRANSPORT_ERRORS)} == set()
    assert len(defined) > 40


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectTimeout("https://planted"), KlarnaTimeoutError),
        (requests.ReadTimeout("https://planted"), KlarnaTimeoutError),
        (
            requests.ConnectionError(urllib3.exceptions.ReadTimeoutError(POOL, "planted", "x")),
            KlarnaTimeoutError,
        ),
        (urllib3.exceptions.ReadTimeoutError(POOL, "https://planted", "x"), KlarnaTimeoutError),
        (TimeoutError("planted"), KlarnaTimeoutError),
        (requests.ConnectionError("https://planted"), KlarnaConnectionError),
        (requests.exceptions.ChunkedEncodingError("planted"), KlarnaConnectionError),
        (requests.exceptions.InvalidURL("https://planted"), KlarnaConnectionError),
        (urllib3.exceptions.ProtocolError("planted", ConnectionResetError()), KlarnaConnectionError),
        (urllib3.exceptions.NewConnectionError(HTTPConnection("planted"), "planted"), KlarnaConnectionError),
        (ssl.SSLError("planted"), KlarnaConnectionError),
        (socket.gaierror("planted"), KlarnaConnectionError),
    ],
)
@pytest.mark.parametrize("sent", [True, False])
def test_an_error_of_a_library_becomes_ours(
    error: Exception, expected: type[KlarnaError], sent: bool
) -> None:
    exchange = Exchange(timeout=10, connect_timeout=1, read_timeout=1, max_response_bytes=1)
    exchange.sent = sent
    ours = connection_error("read_credit_session", error, exchange)
    assert type(ours) is expected
    assert ours.sent is sent
    assert "planted" not in str(ours)


def test_violation_tells_its_line_and_a_sentence() -> None:
    assert VIOLATION.line == 12
    assert VIOLATION.place == "Order line 13, name"
    assert str(VIOLATION) == (
        "Order line 13, name: expected at most 255 characters, found 300 (rule max_length). Shorten it."
    )
    plain = Violation(path="", rule="type", expected="object")
    assert plain.line is None
    assert str(plain) == "The whole: expected object (rule type)."
    assert Violation(path="/order_lines", rule="min_items", expected=1, actual=0).line is None


def test_text_of_many_violations_is_cut() -> None:
    error = KlarnaValidationError([VIOLATION] * 25)
    assert len(error.violations) == 25
    assert str(error).count("max_length") == 20
    assert str(error).endswith("and 5 more")

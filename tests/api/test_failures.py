"""Whatever the libraries raise, wherever in a call, comes out as one of our errors and tells no secret."""

import base64
import copy
import http.client
import inspect
import json
import pickle
import socket
import ssl
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

import pytest
import requests
import urllib3
from urllib3 import HTTPConnectionPool

from django_klarna.api import (
    KlarnaClient,
    KlarnaConnectionError,
    KlarnaError,
    KlarnaResponseError,
    KlarnaTimeoutError,
)
from django_klarna.api.connections import Adapter, _HTTPConnection, _Response
from tests.api.conftest import Peer, answer
from tests.api.payloads import CREATED, session_create
from tests.api.test_client import frames

SECRETS = ("planted", base64.b64encode(b"K123:planted-password").decode())
POOL = HTTPConnectionPool("planted")
CONNECTION = urllib3.connection.HTTPConnection("planted")
# What the constructors of the libraries' exceptions take, by trial; the text must not come out again.
ARGUMENTS: tuple[tuple[Any, ...], ...] = (
    ("https://planted",),
    (POOL, "planted"),
    (POOL, "planted", "planted"),
    ("planted", "planted", socket.gaierror("planted")),
    ("planted", ValueError("planted")),
    ("planted", "planted", 0),
    (b"planted", 5),
    (["planted"], b"planted"),
    (urllib3.HTTPResponse(b"planted"), b"planted"),
    (),
)
# The first for the scheme of a proxy, of which the client takes http and https; the second by pools that make
# callers wait for a connection.
NEVER_RAISED = {urllib3.exceptions.ProxySchemeUnsupported, urllib3.exceptions.EmptyPoolError}
PLACES = ("_new_conn", "send", "getresponse", "read")


def defined(module: ModuleType) -> set[type[Exception]]:
    return {
        cls
        for cls in vars(module).values()
        if inspect.isclass(cls)
        and issubclass(cls, Exception)
        and not issubclass(cls, Warning)
        and cls.__module__ == module.__name__
    }


LIBRARIES = defined(requests.exceptions) | defined(urllib3.exceptions) | defined(http.client)
SOCKETS = {cls for cls in vars(ssl).values() if inspect.isclass(cls) and issubclass(cls, OSError)} | {
    OSError, TimeoutError, ConnectionResetError, ConnectionAbortedError, ConnectionRefusedError, BrokenPipeError,
    InterruptedError, socket.gaierror, socket.herror, PermissionError,
}  # fmt: skip
RAISED = sorted((LIBRARIES | SOCKETS) - NEVER_RAISED, key=lambda cls: f"{cls.__module__}.{cls.__name__}")


def made(cls: type[Exception]) -> Exception:
    if cls is urllib3.exceptions.IncompleteRead:
        return cls(5, 9)
    for arguments in ARGUMENTS:
        try:
            return cls(*arguments)
        except (TypeError, AttributeError):
            continue
    raise AssertionError(f"None of the arguments fits {cls.__name__}")


def failing(place: str, error: Exception) -> Adapter:
    """An adapter whose connections fail at one place, with everything above and below being real."""

    def fail(*args: object, **kwargs: object) -> NoReturn:
        raise error

    class Response(_Response):
        pass

    class Connection(_HTTPConnection):
        response_class = Response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    setattr(Response if place == "read" else Connection, place, fail)
    adapter = Adapter(pool_maxsize=1)
    adapter.poolmanager.pool_classes_by_scheme = {"http": Pool}
    return adapter


def told(error: BaseException) -> str:
    """All that a log, a debug page or a pickle could show of an error."""
    chain = [error.__cause__, error.__context__]
    return f"{error} {error!r} {error.args} {vars(error)} {chain} {pickle.dumps(error)!r}" + frames(error)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("cls", RAISED, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_error_of_the_libraries_becomes_ours(
    cls: type[Exception], place: str, peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(200, CREATED))
    klarna_client._transport._session().mount("http://", failing(place, made(cls)))
    with pytest.raises((KlarnaConnectionError, KlarnaResponseError)) as caught:
        klarna_client.sessions.create_credit_session(session_create(), timeout=1)
    error = caught.value
    assert [secret for secret in SECRETS if secret in told(error)] == []
    assert error.__context__ is None
    if isinstance(error, KlarnaConnectionError):
        assert error.sent is (place != "_new_conn")
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_all_of_the_libraries_errors_were_found() -> None:
    names = {cls.__name__ for cls in RAISED}
    assert {"ConnectTimeout", "ChunkedEncodingError", "ProtocolError", "NameResolutionError"} <= names
    assert {"IncompleteRead", "RemoteDisconnected", "SSLEOFError", "SSLCertVerificationError"} <= names
    assert len(RAISED) > 60


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("cls", [TimeoutError, requests.ReadTimeout, requests.ConnectTimeout])
def test_time_that_is_up_is_told_apart(
    cls: type[Exception], place: str, peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(200, CREATED))
    klarna_client._transport._session().mount("http://", failing(place, made(cls)))
    with pytest.raises(KlarnaTimeoutError):
        klarna_client.sessions.create_credit_session(session_create())


# What a body can be

PACKED: Callable[[bytes], bytes] = zlib.compress
BODIES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "html": (b"<html><body>planted</body></html>", {}),
    "empty": (b"", {}),
    "space": (b" \r\n", {}),
    "truncated JSON": (json.dumps(CREATED).encode()[:-5], {}),
    "two values": (json.dumps(CREATED).encode() * 2, {}),
    "not UTF-8": (b'{"session_id": "\xff\xfeplanted", "client_token": "planted"}', {}),
    "UTF-16 with a half pair": (b"\xff\xfe{\x00}\x00\x00\xd8", {}),
    "a list": (b"[]", {}),
    "null": (b"null", {}),
    "a number": (b"5", {}),
    "a number of many digits": (b"1" * 10_000, {}),
    "not a number": (b'{"session_id": NaN, "order_amount": NaN, "client_token": "planted"}', {}),
    "members of the wrong type": (b'{"session_id": [], "client_token": {}, "status": 1}', {}),
    "nested for ever": (b"[" * 200_000, {}),
    "packed though not asked": (PACKED(b"planted" * 10), {"Content_Encoding": "deflate"}),
    "not packed though said": (b"planted", {"Content_Encoding": "gzip"}),
    "larger than may be": (b'{"client_token": "' + b"planted" * 200_000 + b'"}', {}),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("operation", ["create_credit_session", "read_credit_session"])
def test_a_body_that_is_no_answer(kind: str, operation: str, peer: Peer, klarna_client: KlarnaClient) -> None:
    body, headers = BODIES[kind]
    peer.behaves(answer(200, body, Klarna_Correlation_Id="c-1", **headers))
    argument: Any = session_create() if operation.startswith("create") else "s"
    with pytest.raises(KlarnaResponseError) as caught:
        getattr(klarna_client.sessions, operation)(argument)
    assert (caught.value.status_code, caught.value.correlation_id) == (200, "c-1")
    assert str(caught.value).startswith(operation) or "cannot be read" in str(caught.value)
    assert [secret for secret in SECRETS if secret in told(caught.value)] == []


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("status", [400, 401, 429, 502])
def test_an_error_is_told_by_its_status_whatever_its_body(
    kind: str, status: int, peer: Peer, klarna_client: KlarnaClient
) -> None:
    body, headers = BODIES[kind]
    peer.behaves(answer(status, body, Klarna_Correlation_Id="c-1", **headers))
    with pytest.raises(KlarnaError) as caught:
        klarna_client.sessions.read_credit_session("s")
    assert (getattr(caught.value, "status_code", None), getattr(caught.value, "correlation_id", None)) == (
        status,
        "c-1",
    )
    assert (
        type(caught.value).__name__
        == {
            400: "KlarnaBadRequestError",
            401: "KlarnaAuthenticationError",
            429: "KlarnaRateLimitError",
            502: "KlarnaServerError",
        }[status]
    )
    assert [secret for secret in SECRETS if secret in told(caught.value)] == []

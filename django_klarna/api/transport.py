"""The one place that speaks HTTP: one call in, one answer or one of our errors out."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Final, NoReturn

import requests

from django_klarna.api.answers import Answer, receive
from django_klarna.api.connections import Adapter, Exchange, current_exchange
from django_klarna.api.exceptions import KlarnaConnectionError, KlarnaValidationError, Violation
from django_klarna.api.failures import TRANSPORT_ERRORS, connection_error
from django_klarna.api.fields import Schema

logger = logging.getLogger("django_klarna.api")

# Klarna answers more with 413. Source: https://docs.klarna.com/api/request-limits/
MAX_BODY_BYTES: Final = 1_048_576
# Seconds before each further try of a request of which certainly nothing was sent.
_PAUSES: Final = (0.0, 0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Tell about one finished call: what was asked, how it ended and how many seconds it took.

    `status_code` is None when no answer came; `sent` is False when certainly nothing was sent. `failure` is the
    name of the class of our error, None after a success. `attempts` counts the tries to send.
    """

    operation: str
    method: str
    status_code: int | None
    error_code: str | None
    correlation_id: str | None
    failure: str | None
    duration: float
    attempts: int
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the contract."""

    name: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """What a transport has to know; timeouts in seconds, sizes in bytes. Its repr shows no secret."""

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    connect_timeout: float
    read_timeout: float
    timeout: float
    max_response_bytes: int
    verify: bool | str
    proxies: Mapping[str, str] = field(repr=False)
    pool_maxsize: int
    on_call: Callable[[Call], object] | None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow no redirect, and do not read its body to look where it goes."""


class Transport:
    """Send requests over pooled connections; safe to share between threads and over a fork."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._sessions: dict[int, requests.Session] = {}
        self._templates: dict[str, requests.PreparedRequest] = {}

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A client holds credentials, which do not belong in a pickle; make one where it is needed."
        )

    def close(self) -> None:
        """Close this process's idle connections; a later call opens new ones."""
        session = self._sessions.pop(os.getpid(), None)
        if session:
            session.close()

    def call(
        self,
        operation: Operation,
        path: str,
        *,
        secret: str = "",
        payload: Schema | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Make one call within `timeout` seconds (default: that of the options); return its 2xx answer.

        `secret` goes where the path says HIDDEN_PART, and no answer's text repeats it.

        Raises KlarnaConnectionError, KlarnaTimeoutError or a KlarnaAPIError.
        """
        options = self._options
        exchange = Exchange(
            timeout=options.timeout if timeout is None else timeout,
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            max_response_bytes=options.max_response_bytes,
            secret=secret,
        )
        outcome = self._outcome(operation, path, payload, exchange)
        self._report(_call(operation, outcome, exchange))
        if isinstance(outcome, KlarnaConnectionError):
            raise outcome
        if not outcome.ok:
            raise outcome.error()
        return outcome

    def _outcome(
        self, operation: Operation, path: str, payload: Schema | None, exchange: Exchange
    ) -> Answer | KlarnaConnectionError:
        # Errors are returned, not raised, while a library's exception is being handled: that one holds the
        # URL and the body, and would stay reachable through the __context__ of ours.
        token = current_exchange.set(exchange)
        try:
            with closing(self._send(self._prepare(operation, path, payload), exchange)) as response:
                return receive(operation.name, response, exchange, limit=self._options.max_response_bytes)
        except TRANSPORT_ERRORS as error:
            return connection_error(operation.name, error, exchange)
        finally:
            current_exchange.reset(token)

    def _send(self, request: requests.PreparedRequest, exchange: Exchange) -> requests.Response:
        for pause in _PAUSES:
            try:
                return self._send_once(request, exchange)
            except requests.ConnectionError as error:
                hopeless = isinstance(error, requests.exceptions.SSLError)
                if exchange.sent or hopeless or exchange.remaining <= pause:
                    raise
            time.sleep(pause)
        return self._send_once(request, exchange)

    def _send_once(self, request: requests.PreparedRequest, exchange: Exchange) -> requests.Response:
        options = self._options
        exchange.attempts += 1
        return self._session().send(
            request,
            stream=True,
            timeout=(options.connect_timeout, options.read_timeout),
            verify=options.verify,
            proxies=dict(options.proxies),
            allow_redirects=False,
        )

    def _session(self) -> requests.Session:
        # A session that is shared over a fork hands one process the answers of another. No lock here: one
        # that another thread holds at the moment of the fork would stay locked in the child for ever.
        pid = os.getpid()
        return self._sessions.get(pid) or self._sessions.setdefault(pid, self._new_session())

    def _new_session(self) -> requests.Session:
        session = _Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("https://", "http://"):
            session.mount(prefix, Adapter(pool_maxsize=self._options.pool_maxsize))
        return session

    def _prepare(self, operation: Operation, path: str, payload: Schema | None) -> requests.PreparedRequest:
        request = self._template(operation.method).copy()
        request.url = self._options.base_url + path
        if payload is not None:
            request.body = _body(payload)
            request.headers["Content-Length"] = str(len(request.body))
            request.headers["Content-Type"] = "application/json"
        return request

    def _template(self, method: str) -> requests.PreparedRequest:
        found = self._templates.get(method)
        if found is None:
            found = requests.Request(
                method, self._options.base_url, headers=dict(self._options.headers)
            ).prepare()
            self._templates[method] = found
        return found

    def _report(self, call: Call) -> None:
        logger.debug(
            "%s: status %s, error code %s, correlation id %s, %.3f s",
            call.operation,
            call.status_code,
            call.error_code,
            call.correlation_id,
            call.duration,
        )
        if self._options.on_call is None:
            return
        try:
            self._options.on_call(call)
        except Exception:
            logger.exception("on_call failed for %s", call.operation)


def _body(payload: Schema) -> bytes:
    body = payload.to_json()
    if len(body) > MAX_BODY_BYTES:
        violation = Violation(
            path="",
            rule="max_bytes",
            expected=MAX_BODY_BYTES,
            actual=len(body),
            mend="Send fewer order lines or less data of your own.",
        )
        raise KlarnaValidationError([violation])
    return body


def _call(operation: Operation, outcome: Answer | KlarnaConnectionError, exchange: Exchange) -> Call:
    answer = outcome if isinstance(outcome, Answer) else None
    error = answer.error() if answer and not answer.ok else answer.problem if answer else outcome
    return Call(
        operation=operation.name,
        method=operation.method,
        status_code=answer.status_code if answer else None,
        error_code=answer.error_code if answer else None,
        correlation_id=answer.correlation_id if answer else None,
        failure=type(error).__name__ if error else None,
        duration=exchange.elapsed,
        attempts=exchange.attempts,
        sent=exchange.sent,
    )

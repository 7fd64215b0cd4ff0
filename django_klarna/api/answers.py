"""Reading what Klarna answers: no more than a limit, and never more strictly than needed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import requests
import urllib3

from django_klarna.api.connections import Exchange
from django_klarna.api.exceptions import (
    TOO_MANY_REQUESTS,
    KlarnaAPIError,
    KlarnaError,
    KlarnaResponseError,
    error_class,
)
from django_klarna.api.failures import TRANSPORT_ERRORS, connection_error
from django_klarna.api.fields import Schema
from django_klarna.api.order_schemas import AuthorizedPaymentMethod

SchemaT = TypeVar("SchemaT", bound=Schema)

_CHUNK: Final = 65_536
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
# From here on a reset is a moment, in seconds since 1970: Klarna does not say which of the two it sends.
_EPOCH = 1_000_000_000
_LONGEST_WORD = 128
_LONGEST_MESSAGE = 500
_MOST_MESSAGES = 50


@dataclass(frozen=True, kw_only=True, repr=False)
class Answer:
    """One answer of Klarna's; its repr shows the status only.

    `problem` says why there is no body. It is raised only when the body is needed: how an operation went is
    told by the status alone. `secret` is a token as the request's path held it; no text of an error repeats it.
    """

    operation: str
    status_code: int
    headers: Mapping[str, str]
    body: bytes = b""
    problem: KlarnaError | None = None
    secret: str = ""

    @property
    def ok(self) -> bool:
        """Say whether the operation succeeded: any 2xx is success."""
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the class of status codes is called 2xx

    @cached_property
    def _error(self) -> dict[str, Any]:
        # Errors come as HTML or empty too, from what stands before Klarna's API.
        data = None if self.ok else _json(self.body)
        return data if isinstance(data, dict) else {}

    @property
    def correlation_id(self) -> str | None:
        """Return the id that Klarna's support asks for."""
        return self._word(self.headers.get("Klarna-Correlation-Id")) or self._told("correlation_id")

    @property
    def error_code(self) -> str | None:
        """Return Klarna's word for the error, or None."""
        return self._told("error_code")

    def parse(self, schema: type[SchemaT]) -> SchemaT:
        """Return the body as an object of the type.

        Raises KlarnaResponseError when it is none, KlarnaConnectionError when it did not come whole.
        """
        if self.problem:
            raise self.problem
        try:
            return schema.parse(_json(self.body))
        except KlarnaResponseError as error:
            message = str(error.args[0])
        raise self.unreadable(message)

    def unreadable(self, why: str) -> KlarnaResponseError:
        """Return the error for an answer that cannot be read."""
        return KlarnaResponseError(
            f"{self.operation}: {why}", status_code=self.status_code, correlation_id=self.correlation_id
        )

    def error(self) -> KlarnaAPIError:
        """Return the error that the answer stands for."""
        return error_class(self.status_code)(
            self.operation,
            status_code=self.status_code,
            error_code=self.error_code,
            error_messages=tuple(_line(text) for text in map(self._hide, _messages(self._error))),
            correlation_id=self.correlation_id,
            retry_after=_retry_after(self.status_code, self.headers),
            fraud_status=self._told("fraud_status"),
            reason=self._told("reason"),
            authorized_payment_method=self._authorized_payment_method(),
        )

    def _authorized_payment_method(self) -> AuthorizedPaymentMethod | None:
        found = self._error.get("authorized_payment_method")
        try:
            return AuthorizedPaymentMethod.parse({"type": found} if isinstance(found, str) else found)
        except KlarnaResponseError:
            return None

    def _told(self, name: str) -> str | None:
        return self._word(self._error.get(name))

    def _word(self, value: object) -> str | None:
        is_word = isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD and value.isprintable()
        return self._hide(value) if isinstance(value, str) and is_word else None

    def _hide(self, text: str) -> str:
        if not self.secret:
            return text
        return text.replace(self.secret, "...").replace(unquote(self.secret), "...")

    def __repr__(self) -> str:
        return f"<Answer to {self.operation}: {self.status_code}>"


def receive(operation: str, response: requests.Response, exchange: Exchange, *, limit: int) -> Answer:
    """Read an answer of at most `limit` bytes, within the time that the exchange has left."""
    bare = Answer(
        operation=operation,
        status_code=response.status_code,
        headers=response.headers,
        secret=exchange.secret,
    )
    try:
        body = _body(response, limit)
    except urllib3.exceptions.DecodeError:
        problem: KlarnaError = bare.unreadable("the body is not encoded as it says")
    except TRANSPORT_ERRORS as error:
        overdrawn = exchange.overdrawn
        problem = _too_large(bare, limit) if overdrawn else connection_error(operation, error, exchange)
    else:
        if body is not None:
            return replace(bare, body=body)
        problem = _too_large(bare, limit)
    return replace(bare, problem=problem)


def _too_large(bare: Answer, limit: int) -> KlarnaResponseError:
    return bare.unreadable(f"the body is larger than {limit} bytes")


def _body(response: requests.Response, limit: int) -> bytes | None:
    chunks, size = [], 0
    for chunk in _chunks(response):
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _chunks(response: requests.Response) -> Iterator[bytes]:
    while chunk := response.raw.read(_CHUNK, decode_content=True):
        yield chunk


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _messages(error: Mapping[str, Any]) -> list[str]:
    found = error.get("error_messages") or error.get("error_message") or []
    listed = found if isinstance(found, list) else [found]
    return [message for message in listed if isinstance(message, str)][:_MOST_MESSAGES]


def _line(message: str) -> str:
    # Surrogates and NUL cannot be stored, and a terminal would obey control characters.
    words = " ".join(message[:_LONGEST_MESSAGE].split())
    return "".join(char if char.isprintable() else "?" for char in words)


def _retry_after(status_code: int, headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Klarna asks us to wait, or None.

    Klarna tells the reset of its limit with every answer; it asks to wait for it with a 429 only.
    Source: https://docs.klarna.com/api-reference/rate-limit
    """
    now = datetime.now(UTC).timestamp()
    asked = _seconds(headers.get("Retry-After", ""), now)
    if asked is not None or status_code != TOO_MANY_REQUESTS:
        return asked
    reset = _seconds(headers.get("X-Ratelimit-Reset", ""), now)
    return reset if reset is None or reset < _EPOCH else max(0.0, reset - now)


def _seconds(value: str, now: float) -> float | None:
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None

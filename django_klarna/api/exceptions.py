"""What can go wrong between us and Klarna.

    KlarnaError
    ├── KlarnaConnectionError        no answer came; `.sent` says whether Klarna may have got the request
    │   └── KlarnaTimeoutError       the same, because time was up
    ├── KlarnaResponseError          an answer that cannot be read
    ├── KlarnaValidationError        our own request breaks Klarna's contract; nothing was sent
    └── KlarnaAPIError               Klarna answered with an error
        ├── KlarnaBadRequestError    400, and each 4xx that has no class of its own
        ├── KlarnaAuthenticationError  401, 403
        ├── KlarnaNotFoundError      404
        ├── KlarnaConflictError      409
        ├── KlarnaRateLimitError     429
        └── KlarnaServerError        5xx, and any status that is no answer of this API, such as a redirect

None of them carries a request, a header, a credential, a token or a URL, and every one pickles.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_klarna.api.order_schemas import AuthorizedPaymentMethod

_ORDER_LINE = re.compile(r"/order_lines/([0-9]+)(?:/|\Z)")
#: How what a rule expects is said; what is not here says it itself.
_EXPECTED = {
    "enum": "one of {}",
    "max_bytes": "at most {} bytes",
    "max_items": "at most {} entries",
    "max_length": "at most {} characters",
    "maximum": "at most {}",
    "min_items": "at least {} entries",
    "min_length": "at least {} characters",
    "minimum": "at least {}",
    "pattern": "text like {}",
}
_SHOWN_VIOLATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Name one rule that a value breaks.

    `path` is a JSON pointer such as "/order_lines/2/name", `rule` a word such as "max_length", `expected`
    and `actual` what the rule wants and what it found, `mend` a sentence that says what to do. Text that was
    given to us is never repeated here: for a length `actual` is the length, for a type the type's name.
    """

    path: str
    rule: str
    expected: str | int
    actual: str | int | None = None
    mend: str = ""

    @property
    def line(self) -> int | None:
        """Return the index of the order line that the path leads into, counted from 0."""
        found = _ORDER_LINE.match(self.path)
        return int(found[1]) if found else None

    @property
    def place(self) -> str:
        """Say where, for people: "Order line 3, name", counted from 1."""
        if self.line is None:
            return self.path.removeprefix("/") or "The whole"
        field = _ORDER_LINE.sub("", self.path, count=1)
        return f"Order line {self.line + 1}, {field}" if field else f"Order line {self.line + 1}"

    def __str__(self) -> str:
        expected = _EXPECTED.get(self.rule, "{}").format(self.expected)
        found = "" if self.actual is None else f", found {self.actual}"
        mend = f" {self.mend}" if self.mend else ""
        return f"{self.place}: expected {expected}{found} (rule {self.rule}).{mend}"


class KlarnaError(Exception):
    """Catch this for everything that this client raises about a call; it is not raised itself."""

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException's own way calls the class with `args`, which keyword-only arguments do not survive.
        return type(self).__new__, (type(self), *self.args), self.__dict__


class KlarnaConnectionError(KlarnaError):
    """No answer came from Klarna.

    `sent` is False only when certainly no byte of the request left; otherwise the outcome is not known.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent

    def __str__(self) -> str:
        outcome = "the request may have reached Klarna" if self.sent else "nothing was sent"
        return f"{self.args[0]}; {outcome}"


class KlarnaTimeoutError(KlarnaConnectionError):
    """No answer came from Klarna in time."""


class KlarnaResponseError(KlarnaError):
    """Klarna's answer cannot be read; the operation itself may have been done."""

    def __init__(
        self, message: str, *, status_code: int | None = None, correlation_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        return f"{self.args[0]} (status {self.status_code}, correlation id {self.correlation_id})"


class KlarnaValidationError(KlarnaError, ValueError, TypeError):
    """Our request breaks Klarna's contract; `violations` holds everything that is wrong with it."""

    def __init__(self, violations: Iterable[Violation], *, subject: str = "The request") -> None:
        self.violations = tuple(violations)
        super().__init__(subject)

    def __str__(self) -> str:
        rest = len(self.violations) - _SHOWN_VIOLATIONS
        more = [f"and {rest} more"] if rest > 0 else []
        shown = [str(violation) for violation in islice(self.violations, _SHOWN_VIOLATIONS)]
        return f"{self.args[0]} breaks Klarna's contract:\n" + "\n".join(shown + more)


class KlarnaAPIError(KlarnaError):
    """Klarna answered with an error.

    `error_code` is the part for machines. `error_messages` are Klarna's own English sentences: they may be
    logged, but should neither be shown to shoppers nor decide anything. `retry_after` is in seconds.
    `fraud_status`, `reason` and `authorized_payment_method` come with the refusal of a customer token; they are no
    part of the text, for they tell about a shopper. Each is None when absent or unreadable.
    Source: https://docs.klarna.com/api/errors
    """

    def __init__(  # noqa: PLR0913 - what Klarna tells about an error
        self,
        message: str,
        *,
        status_code: int,
        error_code: str | None = None,
        error_messages: tuple[str, ...] = (),
        correlation_id: str | None = None,
        retry_after: float | None = None,
        fraud_status: str | None = None,
        reason: str | None = None,
        authorized_payment_method: "AuthorizedPaymentMethod | None" = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.error_code = error_code
        self.error_messages = error_messages
        self.correlation_id = correlation_id
        self.retry_after = retry_after
        self.fraud_status = fraud_status
        self.reason = reason
        self.authorized_payment_method = authorized_payment_method

    @property
    def retryable(self) -> bool:
        """Say whether the same request may succeed later: after 429 and 5xx."""
        return self.status_code == TOO_MANY_REQUESTS or self.status_code >= INTERNAL_SERVER_ERROR

    def __str__(self) -> str:
        said = " ".join((self.error_code or "", *self.error_messages)).strip() or "no error code"
        return f"{self.args[0]}: {self.status_code} {said} (correlation id {self.correlation_id})"


class KlarnaBadRequestError(KlarnaAPIError):
    """Klarna refuses what the request says (400, and each 4xx without a class of its own)."""


class KlarnaAuthenticationError(KlarnaAPIError):
    """Klarna refuses the credentials or what they ask for (401, 403).

    The region may be wrong; or the order is rejected, or its authorization used up: `error_code` tells.
    """


class KlarnaNotFoundError(KlarnaAPIError):
    """Klarna does not know the session or token (any more), or the session is completed (404)."""


class KlarnaConflictError(KlarnaAPIError):
    """The request contradicts what Klarna already holds (409)."""


class KlarnaRateLimitError(KlarnaAPIError):
    """Too many calls were made (429); nothing was changed."""


class KlarnaServerError(KlarnaAPIError):
    """Klarna failed (5xx), or something else answered for it (a redirect): the outcome is not known."""


BAD_REQUEST = 400
TOO_MANY_REQUESTS = 429
INTERNAL_SERVER_ERROR = 500

_CLASSES: dict[int, type[KlarnaAPIError]] = {
    401: KlarnaAuthenticationError,
    403: KlarnaAuthenticationError,
    404: KlarnaNotFoundError,
    409: KlarnaConflictError,
    TOO_MANY_REQUESTS: KlarnaRateLimitError,
}


def error_class(status_code: int) -> type[KlarnaAPIError]:
    """Return the class for an answer with this status, which is not 2xx."""
    other = KlarnaBadRequestError if BAD_REQUEST <= status_code < INTERNAL_SERVER_ERROR else KlarnaServerError
    return _CLASSES.get(status_code, other)

"""Every error of the package in one place.

KlarnaError
├── KlarnaConnectionError (was it sent? .sent) ── KlarnaTimeoutError
├── KlarnaResponseError               an answer that cannot be read
├── KlarnaValidationError             input that breaks the contract; nothing was sent
├── KlarnaAPIError                    .status_code .error_code .error_messages .correlation_id .retryable
│   ├── KlarnaBadRequestError 400 · KlarnaAuthenticationError 401/403 · KlarnaNotFoundError 404
│   ├── KlarnaConflictError 409 · KlarnaRateLimitError 429 · KlarnaServerError 5xx
├── CartNotPayable
└── KlarnaBusyError                   deadline over
KlarnaConfigurationError              deliberately outside: no ``except KlarnaError`` hides a misconfiguration
"""

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured

from django_klarna.api.exceptions import (
    KlarnaAPIError,
    KlarnaAuthenticationError,
    KlarnaBadRequestError,
    KlarnaConflictError,
    KlarnaConnectionError,
    KlarnaError,
    KlarnaNotFoundError,
    KlarnaRateLimitError,
    KlarnaResponseError,
    KlarnaServerError,
    KlarnaTimeoutError,
    KlarnaValidationError,
    Violation,
)

__all__ = (
    "CartNotPayable",
    "KlarnaAPIError",
    "KlarnaAuthenticationError",
    "KlarnaBadRequestError",
    "KlarnaBusyError",
    "KlarnaConfigurationError",
    "KlarnaConflictError",
    "KlarnaConnectionError",
    "KlarnaError",
    "KlarnaNotFoundError",
    "KlarnaRateLimitError",
    "KlarnaResponseError",
    "KlarnaServerError",
    "KlarnaTimeoutError",
    "KlarnaValidationError",
    "Violation",
)


#: Rules that say how a cart is; what breaks another one is a mistake of the shop.
STATES = frozenset(("empty", "market", "max_order_amount", "no_cart", "session_completed", "zero_amount"))


class CartNotPayable(KlarnaError):  # noqa: N818 - a state of the cart that callers expect, not a fault
    """What is wrong with a cart, found before Klarna is asked.

    ``violations`` is a tuple of `Violation`: where, which rule, expected, actual and a way to mend it.
    """

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(map(str, self.violations)))

    @property
    def is_mistake(self) -> bool:
        """Whether staff must mend something: a mistake of the shop, not a state that any cart may be in."""
        return any(violation.rule not in STATES for violation in self.violations)

    def __reduce__(self) -> tuple[type["CartNotPayable"], tuple[tuple[Violation, ...]]]:
        return type(self), (self.violations,)


class KlarnaBusyError(KlarnaError):
    """Klarna could not be reached, or not in time; try again in ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)

    def __reduce__(self) -> tuple[type["KlarnaBusyError"], tuple[str, float]]:
        return type(self), (str(self), self.retry_after)


class KlarnaConfigurationError(ImproperlyConfigured):
    """A setting of the project is missing or wrong; the message names it and the mend."""

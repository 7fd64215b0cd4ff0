"""Klarna's rate limits: calls per second and merchant.

Source: https://docs.klarna.com/api-reference/rate-limit
That a second is one of the clock, and not the last thousand milliseconds, is assumed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Hold how many calls a second Klarna takes from one merchant."""

    create: int
    other: int


RATES: Final = {"live": Rates(create=40, other=200), "playground": Rates(create=5, other=50)}
CREATE: Final = "create_credit_session"


class RateLimits:
    """Count the calls of each merchant in the current second of the sandbox's clock.

    Raises:
        ValueError: the environment is neither `live` nor `playground`, nor None for no limits.

    """

    def __init__(self, environment: str | None, clock: Clock) -> None:
        if environment is not None and environment not in RATES:
            raise ValueError(f"rate_limits: must be one of {', '.join(RATES)}, or None")
        self._rates = RATES[environment] if environment else None
        self._clock = clock
        self._second = 0
        self._spent: Counter[tuple[str, bool]] = Counter()

    def spend(self, caller: str, operation: str) -> Mapping[str, str]:
        """Count a call and return the headers that tell what is left.

        Raises:
            RefusedError: it is one call too many.

        """
        if self._rates is None:
            return {}
        self._forget_other_seconds()
        is_create = operation == CREATE
        limit = self._rates.create if is_create else self._rates.other
        self._spent[caller, is_create] += 1
        left = limit - self._spent[caller, is_create]
        if left < 0:
            raise answers.RefusedError(answers.too_many_requests(limit))
        return answers.rate_limit_headers(limit, left, reset=1)

    def reset(self) -> None:
        """Forget what was spent."""
        self._spent.clear()

    def _forget_other_seconds(self) -> None:
        second = int(self._clock.now().timestamp())
        if second != self._second:
            self._second = second
            self._spent.clear()

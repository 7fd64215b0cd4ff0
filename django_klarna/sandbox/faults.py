"""Faults: answers that go wrong on request."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from math import inf
from random import Random
from typing import Any, Final, TypedDict

from django_klarna.sandbox.calls import OPERATIONS

LONGEST_DELAY: Final = 3600


class HowItFails(TypedDict, total=False):
    """Type the fields of a fault but its operation, for `Sandbox.fail_next()`."""

    status: int | None
    error_code: str | None
    retry_after: float | None
    delay: float
    drip: float
    drop: str | bool | None
    body: str | None
    duplicate: bool
    count: int | None
    probability: float | None
    seed: int | None


@dataclass(slots=True, kw_only=True)
class Fault:
    """Describe what happens to the next calls of an operation, or of any when it is None.

    `status` answers with that error instead of doing what was asked; `error_code` overrides its code, and
    `retry_after` is the `X-Ratelimit-Reset` of a 429 (1 when it is None). `delay` holds the answer back for so
    many seconds, `drip` sends its body in small pieces over so many.

    `drop` cuts the connection without an answer, `"before"` or `"after"` doing what was asked, and True means
    after. What is asked is done when the request arrives, not after the delay, but for two ways of going on for a
    client that gave up: cut at once, the request is done `"late"`, when `delay` seconds have passed on the
    sandbox's clock, or `"overtaken"`, right after the next one of this operation and session.

    `body` is what comes instead of Klarna's JSON: a gateway's page (`"html"`), nothing (`"empty"`), or half of it
    (`"truncated"`). `duplicate` does what was asked twice, as if a proxy had sent it again.

    `count` is how many calls it befalls; with a `probability` it may befall any call, as often as `count` says or
    for ever, and the same `seed` (0 if there is none) strikes the same calls.

    Raises:
        ValueError: a value that makes no sense; the message begins with the name of the field.

    """

    operation: str | None = None
    status: int | None = None
    error_code: str | None = None
    retry_after: float | None = None
    delay: float = 0
    drip: float = 0
    drop: str | bool | None = None
    body: str | None = None
    duplicate: bool = False
    count: int | None = None
    probability: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        self.operation = _snake_case(self.operation)
        if isinstance(self.drop, bool):
            self.drop = "after" if self.drop else None
        if self.count is None and self.probability is None:
            self.count = 1
        for name, (fits, rule) in RULES.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name}: must be {rule}")
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        for contradicts, message in CONTRADICTIONS:
            if contradicts(self):
                raise ValueError(message)

    @classmethod
    def from_json(cls, content: object) -> "Fault":
        """Return the fault that a JSON object describes.

        Raises:
            ValueError: a field is missing, unknown or wrong.

        """
        given = content if isinstance(content, Mapping) else {}
        known = {field.name for field in fields(cls)}
        for name in given:
            if name not in known:
                raise ValueError(f"{name}: is none of {', '.join(sorted(known))}")
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        """Return the fault as `/_sandbox/faults` lists it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _snake_case(operation: object) -> Any:  # noqa: ANN401 - what is no string is left for the rules to refuse
    if not isinstance(operation, str):
        return operation
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_delay(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_DELAY


RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "operation": (lambda value: value is None or value in OPERATIONS, f"one of {', '.join(OPERATIONS)}"),
    "status": (lambda value: value is None or (_is_integer(value) and 400 <= value < 600), "from 400 to 599"),  # noqa: PLR2004 - as the text says
    "error_code": (lambda value: value is None or isinstance(value, str), "a string"),
    "retry_after": (
        lambda value: value is None or (_is_number(value) and 0 <= value < inf),
        "a number of seconds",
    ),
    "delay": (_is_delay, f"a number of seconds, 0 to {LONGEST_DELAY}"),
    "drip": (_is_delay, f"a number of seconds, 0 to {LONGEST_DELAY}"),
    "drop": (
        lambda value: value in (None, "before", "after", "late", "overtaken"),
        '"before", "after", "late", "overtaken" or true',
    ),
    "body": (lambda value: value in (None, "html", "empty", "truncated"), '"html", "empty" or "truncated"'),
    "duplicate": (lambda value: isinstance(value, bool), "true or false"),
    "count": (
        lambda value: value is None or (_is_integer(value) and value >= 1),
        "an integer of at least 1",
    ),
    "probability": (
        lambda value: value is None or (_is_number(value) and 0 < value <= 1),
        "a number above 0, up to 1",
    ),
    "seed": (lambda value: value is None or _is_integer(value), "an integer"),
}
CONTRADICTIONS: Final[tuple[tuple[Callable[[Fault], object], str], ...]] = (
    (lambda fault: fault.drop and fault.status, "drop: a dropped connection has no status"),
    (lambda fault: fault.drop and fault.drip, "drip: a dropped connection has no body"),
    (lambda fault: fault.drop and fault.body, "body: a dropped connection has none"),
    (lambda fault: fault.error_code and not fault.status, "error_code: needs a status"),
    (
        lambda fault: fault.error_code and fault.body in ("html", "empty"),
        "error_code: needs a body that is JSON",
    ),
    (
        lambda fault: fault.retry_after is not None and fault.status != HTTPStatus.TOO_MANY_REQUESTS,
        "retry_after: needs the status 429",
    ),
    (lambda fault: fault.drop == "late" and not fault.delay, "delay: needed to be late"),
    (
        lambda fault: fault.drop == "overtaken" and fault.delay,
        "delay: an overtaken request waits for the next one",
    ),
    (
        lambda fault: fault.duplicate and (fault.status or fault.drop not in (None, "after")),
        "duplicate: nothing is done that could be done twice",
    ),
    (lambda fault: fault.seed is not None and fault.probability is None, "seed: needs a probability"),
    (
        lambda fault: (
            not any((fault.status, fault.delay, fault.drip, fault.drop, fault.body, fault.duplicate))
        ),
        "status: one of status, delay, drip, drop, body and duplicate is needed",
    ),
)


class Faults:
    """Keep the pending faults in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pending: list[tuple[Fault, Random]] = []

    def add(self, fault: Fault) -> None:
        """Append a copy of a fault: its counts are used up, which must not show in the caller's own."""
        self._pending.append((replace(fault), Random(fault.seed or 0)))  # noqa: S311 - chance, not secrecy

    def take(self, operation: str) -> Fault | None:
        """Return the first fault that strikes a call of an operation, and use up one of its counts."""
        struck = next((fault for fault, random in self._pending if _strikes(fault, random, operation)), None)
        if struck and struck.count:
            struck.count -= 1
            self._pending = [(fault, random) for fault, random in self._pending if fault.count != 0]
        return struck

    def clear(self) -> None:
        """Forget all faults."""
        self._pending = []

    def pending(self) -> list[Fault]:
        """Return copies of the faults still to come, the next one first."""
        return [replace(fault) for fault, _random in self._pending]


def _strikes(fault: Fault, random: Random, operation: str) -> bool:
    if fault.operation not in (None, operation):
        return False
    return fault.probability is None or random.random() < fault.probability

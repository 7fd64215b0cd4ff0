"""Faults: answers that go wrong on request."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any, Final

from django_klarna.sandbox.calls import OPERATIONS

LONGEST_DELAY: Final = 3600


@dataclass(slots=True, kw_only=True)
class Fault:
    """Describe what happens to the next calls of an operation, or of any when it is None.

    `status` answers with that error instead of doing what was asked; `error_code` overrides its code, and
    `retry_after` is the `X-Ratelimit-Reset` of a 429 (1 when it is None). `delay` holds the answer back for so
    many seconds. `drop` cuts the connection without an answer, `"before"` or `"after"` doing what was asked, and
    True means after. What is asked is done when the request arrives, not after the delay, but for `"late"`: the
    connection is cut at once, and the request is done when `delay` seconds have passed on the sandbox's clock, as
    by a server that goes on working for a client that gave up. `count` is how many calls it befalls.

    Raises:
        ValueError: a value that makes no sense; the message begins with the name of the field.

    """

    operation: str | None = None
    status: int | None = None
    error_code: str | None = None
    retry_after: float | None = None
    delay: float = 0
    drop: str | bool | None = None
    count: int = 1

    def __post_init__(self) -> None:
        self.operation = _snake_case(self.operation)
        if isinstance(self.drop, bool):
            self.drop = "after" if self.drop else None
        for name, (fits, rule) in RULES.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name}: must be {rule}")
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        if self.drop and self.status:
            raise ValueError("drop: a dropped connection has no status")
        if self.error_code and not self.status:
            raise ValueError("error_code: needs a status")
        if self.retry_after is not None and self.status != 429:  # noqa: PLR2004  as the text says
            raise ValueError("retry_after: needs the status 429")
        if self.drop == "late" and not self.delay:
            raise ValueError("delay: needed to be late")
        if not (self.status or self.delay or self.drop):
            raise ValueError("status: one of status, delay and drop is needed")

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


def _snake_case(operation: object) -> Any:  # noqa: ANN401  what is no string is left for the rules to refuse
    if not isinstance(operation, str):
        return operation
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "operation": (lambda value: value is None or value in OPERATIONS, f"one of {', '.join(OPERATIONS)}"),
    "status": (lambda value: value is None or (_is_integer(value) and 400 <= value < 600), "from 400 to 599"),  # noqa: PLR2004  as the text says
    "error_code": (lambda value: value is None or isinstance(value, str), "a string"),
    "retry_after": (
        lambda value: value is None or (_is_number(value) and 0 <= value < inf),
        "a number of seconds",
    ),
    "delay": (
        lambda value: _is_number(value) and 0 <= value <= LONGEST_DELAY,
        f"a number of seconds, 0 to {LONGEST_DELAY}",
    ),
    "drop": (lambda value: value in (None, "before", "after", "late"), '"before", "after", "late" or true'),
    "count": (lambda value: _is_integer(value) and value >= 1, "an integer of at least 1"),
}


class Faults:
    """Keep the pending faults in the order in which they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Append a copy of a fault: its counts are used up, which must not show in the caller's own."""
        self._pending.append(replace(fault))

    def take(self, operation: str) -> Fault | None:
        """Return the first fault for an operation and use up one of its counts."""
        for fault in self._pending:
            if fault.operation in (None, operation):
                fault.count -= 1
                self._pending = [other for other in self._pending if other.count]
                return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        self._pending = []

    def pending(self) -> list[Fault]:
        """Return copies of the faults still to come, the next one first."""
        return [replace(fault) for fault in self._pending]

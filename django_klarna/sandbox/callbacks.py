"""Callbacks: what Klarna tells the merchant's server, and when it tries again.

Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/authorization-callback
and https://docs.klarna.com/payments/after-payments/order-management/more-actions/pending-orders
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Condition
from typing import Final, Literal, overload

from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.sending import is_reachable

KINDS: Final = ("authorization", "notification", "push")
MODES: Final = ("deliver", "drop", "duplicate")
LONGEST_DELAY: Final = 3600
# Exponential from one second, three attempts in all; assumed for a push, of which nothing is documented.
WAITS: Final = (timedelta(seconds=1), timedelta(seconds=2))
NOTIFICATIONS_EVERY: Final = timedelta(minutes=10)
NOTIFICATIONS_FOR: Final = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class Callback:
    """Record one callback.

    `attempts` are the statuses that came back, None where no answer came. `state` is `waiting` for an attempt,
    `delivered`, `failed` after the last one, `dropped` on request, or `not_sent`: no server runs, or its address is
    none of this machine. While it waits, `due` is the moment of the next attempt; from `gives_up` on there is none.
    """

    kind: str
    url: str
    body: dict[str, str] | None
    attempts: list[int | None]
    state: Literal["waiting", "delivered", "failed", "dropped", "not_sent"]
    due: datetime
    gives_up: datetime

    def as_json(self) -> dict[str, object]:
        """Return the callback as `/_sandbox/callbacks` lists it."""
        return {name: getattr(self, name) for name in ("kind", "url", "body", "attempts", "state")}


class Callbacks(Sequence[Callback]):
    """Keep the callbacks, oldest first, and know which is due; `changed` is told when one may be."""

    def __init__(self, clock: Clock, changed: Condition) -> None:
        self._clock = clock
        self._changed = changed
        self._made: list[Callback] = []
        self._modes: dict[str, tuple[str, float]] = {}
        self.are_sent = False
        self.reset()

    @overload
    def __getitem__(self, index: int) -> Callback: ...

    @overload
    def __getitem__(self, index: slice) -> list[Callback]: ...

    def __getitem__(self, index: int | slice) -> Callback | list[Callback]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._made)

    def set_mode(self, mode: str, delay: object, kind: str | None) -> None:
        """Say what becomes of the callbacks to come, of one kind or of all.

        Raises:
            ValueError: there is no such mode or kind, or the delay is none.

        """
        if mode not in MODES:
            raise ValueError(f"mode: must be one of {', '.join(MODES)}")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= LONGEST_DELAY:
            raise ValueError(f"delay: must be a number of seconds, 0 to {LONGEST_DELAY}")
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind: must be one of {', '.join(KINDS)}, or left out for all")
        self._modes |= dict.fromkeys([kind] if kind else KINDS, (mode, delay))

    def record(self, kind: str, url: str | None, body: dict[str, str] | None) -> None:
        """Make a callback, or two, for a merchant who has given a URL for it."""
        if not url:
            return
        mode, delay = self._modes[kind]
        copies = 2 if mode == "duplicate" else 1
        self._made += [self._callback(kind, url, body, mode, delay) for _ in range(copies)]
        self._changed.notify_all()

    def due(self) -> Callback | None:
        """Return the callback whose time came first, if any has come."""
        now = self._clock.now()
        waiting = (one for one in self._made if one.state == "waiting" and one.due <= now)
        return min(waiting, key=lambda one: one.due, default=None)

    def seconds_to_next(self) -> float | None:
        """Return how long nothing is due, unless the clock is moved; None while nothing waits."""
        times = (one.due for one in self._made if one.state == "waiting")
        first = min(times, default=None)
        return None if first is None else max((first - self._clock.now()).total_seconds(), 0)

    def note(self, callback: Callback, status: int | None) -> None:
        """Write down what came of an attempt, and when the next one is due."""
        callback.attempts.append(status)
        if _is_accepted(callback.kind, status):
            callback.state = "delivered"
        elif callback.state == "waiting":
            self._put_off(callback)
        elif callback.state != "delivered":
            callback.state = "failed"

    def reset(self) -> None:
        """Forget the callbacks and how they were to be treated."""
        self._made = []
        self.set_mode("deliver", 0, None)

    def _callback(
        self, kind: str, url: str, body: dict[str, str] | None, mode: str, delay: float
    ) -> Callback:
        due = self._clock.now() + timedelta(seconds=delay)
        will_be_sent: Literal["waiting", "not_sent"] = (
            "waiting" if self.are_sent and is_reachable(url) else "not_sent"
        )
        return Callback(
            kind=kind,
            url=url,
            body=body,
            attempts=[],
            state="dropped" if mode == "drop" else will_be_sent,
            due=due,
            gives_up=due + NOTIFICATIONS_FOR,
        )

    def _put_off(self, callback: Callback) -> None:
        wait = _wait(callback)
        callback.due = self._clock.now() + wait if wait else callback.gives_up
        if callback.due >= callback.gives_up:
            callback.state = "failed"


def _is_accepted(kind: str, status: int | None) -> bool:
    if kind == "notification":
        return status == HTTPStatus.OK
    return status is not None and status // 100 == 2  # noqa: PLR2004 - any 2xx


def _wait(callback: Callback) -> timedelta | None:
    if callback.kind == "notification":
        return NOTIFICATIONS_EVERY
    tried = len(callback.attempts)
    return WAITS[tried - 1] if tried <= len(WAITS) else None

"""How requests reach Klarna and how answers come back, when a fault is in the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.calls import Route
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.faults import Fault
from django_klarna.sandbox.messages import Drop, Response

DAMAGES: Final[dict[str | None, Callable[[Response], Response]]] = {
    None: lambda answer: answer,
    "html": answers.gateway_page,
    "empty": answers.without_body,
    "truncated": lambda answer: replace(answer, truncated=True),
}


@dataclass(frozen=True, slots=True)
class Errand:
    """Hold what a request asks for, and how it is done: as it came, and as a copy of it would be."""

    asked: Route
    do: Callable[[], Response]
    repeat: Callable[[], object]


class Delivery:
    """Let requests arrive at once, late, twice, behind the next one or never."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: list[tuple[datetime, Errand]] = []
        self._overtaken: list[Errand] = []

    def deliver(self, errand: Errand, fault: Fault) -> Response | Drop:
        """Return what the client gets."""
        if fault.drop == "before":
            return Drop(delay=fault.delay)
        if fault.drop == "late":
            self._late.append((self._clock.now() + timedelta(seconds=fault.delay), errand))
            return Drop()
        if fault.drop == "overtaken":
            self._overtaken.append(errand)
            return Drop()
        answer = self._answer(errand, fault)
        return Drop(delay=fault.delay) if fault.drop else _damaged(answer, fault)

    def arrive(self, errand: Errand) -> Response:
        """Do what is asked, and then what this request has overtaken."""
        answer = errand.do()
        overtaken = [other for other in self._overtaken if other.asked == errand.asked]
        self._overtaken = [other for other in self._overtaken if other.asked != errand.asked]
        for other in overtaken:
            other.do()
        return answer

    def do_what_is_due(self) -> None:
        """Do the late requests whose time has come: no timer, for they show only to who looks."""
        now = self._clock.now()
        due = sorted((late for late in self._late if late[0] <= now), key=itemgetter(0))
        self._late = [late for late in self._late if late[0] > now]
        for _moment, errand in due:
            errand.do()

    def reset(self) -> None:
        """Forget the requests that are under way."""
        self._late.clear()
        self._overtaken.clear()

    def _answer(self, errand: Errand, fault: Fault) -> Response:
        if fault.status is not None:
            return answers.for_status(fault.status, fault.error_code, fault.retry_after)
        answer = self.arrive(errand)
        if fault.duplicate:
            errand.repeat()
        return answer


def _damaged(answer: Response, fault: Fault) -> Response:
    return replace(DAMAGES[fault.body](answer), delay=fault.delay, drip=fault.drip)

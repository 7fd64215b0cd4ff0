"""One run of a repair over the sessions that staff chose, and what they are told about it."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.utils.translation import ngettext

from django_klarna.audit import ERROR_CODE, matching
from django_klarna.exceptions import KlarnaAPIError, KlarnaConfigurationError, KlarnaError
from django_klarna.models import KlarnaSession

logger = logging.getLogger("django_klarna")

#: Seconds after which a run begins no further session.
LONGEST_RUN = 15.0


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One thing that staff can have done to sessions; ``service`` tells whether it did it."""

    name: str
    title: Any
    question: Any
    done: Any
    service: Callable[[int], bool]

    @property
    def permission(self) -> str:
        """The permission that it needs."""
        return f"django_klarna.{self.name}_klarnasession"


@dataclass
class Outcome:
    """How a run ended, by session."""

    done: list[KlarnaSession] = field(default_factory=list)
    left_alone: list[KlarnaSession] = field(default_factory=list)
    not_tried: list[KlarnaSession] = field(default_factory=list)
    failed: dict[KlarnaSession, str] = field(default_factory=dict)


def run(repair: Repair, sessions: Iterable[KlarnaSession]) -> Outcome:
    """Repair one session after the other; what goes wrong with one is no matter of the next."""
    outcome, end = Outcome(), time.monotonic() + LONGEST_RUN
    for session in sessions:
        if time.monotonic() >= end:
            outcome.not_tried.append(session)
            continue
        try:
            is_done = repair.service(session.pk)
        except Exception as error:  # noqa: BLE001 - the adapter is the shop's and may raise anything
            outcome.failed[session] = explained(error)
        else:
            (outcome.done if is_done else outcome.left_alone).append(session)
    return outcome


def explained(error: Exception) -> str:
    """Say for staff what went wrong: Klarna's sentences may repeat what we sent, and a stranger's text anything."""
    match error:
        case KlarnaAPIError():
            code = matching(ERROR_CODE, error.error_code) or type(error).__name__
            return f"{error.status_code} {code} (correlation id {error.correlation_id})"
        case KlarnaError() | KlarnaConfigurationError():
            return str(error)
        case _:
            logger.error("A session could not be repaired", exc_info=error)
            return f"{type(error).__name__}, see the log"


def told(repair: Repair, outcome: Outcome) -> Iterable[tuple[int, str]]:
    """Give the messages about a run, with their levels."""
    if outcome.done:
        yield messages.SUCCESS, repair.done % {"count": len(outcome.done)}
    if outcome.left_alone:
        yield messages.WARNING, left_alone(len(outcome.left_alone))
    if outcome.not_tried:
        yield messages.WARNING, not_tried(len(outcome.not_tried))
    if outcome.failed:
        reasons = "; ".join(f"{session.key}: {reason}" for session, reason in outcome.failed.items())
        yield messages.ERROR, f"{failed(len(outcome.failed))} {reasons}"


def left_alone(count: int) -> str:
    """Say that sessions were no longer what they need to be."""
    return ngettext(
        "%(count)d session was left alone: it is not open, or being worked on.",
        "%(count)d sessions were left alone: they are not open, or being worked on.",
        count,
    ) % {"count": count}


def not_tried(count: int) -> str:
    """Say that a run took too long."""
    return ngettext(
        "Klarna is slow: %(count)d session was not tried. Choose it again.",
        "Klarna is slow: %(count)d sessions were not tried. Choose them again.",
        count,
    ) % {"count": count}


def failed(count: int) -> str:
    """Say how many failed."""
    return ngettext("%(count)d session failed.", "%(count)d sessions failed.", count) % {"count": count}

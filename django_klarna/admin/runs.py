"""One run of a repair over the rows that staff chose, and what they are told about it."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.utils.translation import ngettext

from django_klarna.audit import ERROR_CODE, matching
from django_klarna.exceptions import KlarnaAPIError, KlarnaConfigurationError, KlarnaError

logger = logging.getLogger("django_klarna")

#: Seconds after which a run begins no further row.
LONGEST_RUN = 15.0
#: Rows of one run. Each may take as long as its service, and the web server waits for all of them.
MOST = 20


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One thing that staff can have done to rows, with a permission and an address of its own.

    ``service`` gets the key of a row, and what was entered in the ``form``, and tells whether it did it; ``result``
    says in a few words how the row is then.
    """

    name: str
    permission: str
    title: Any
    question: Any
    done: Any
    left_alone: Any
    service: Callable[..., bool]
    result: Callable[[int], Any] = lambda _pk: ""
    form: type[forms.Form] = forms.Form
    most: int = MOST

    @property
    def verb(self) -> str:
        """What the admin's method for the permission is called after: ``has_<verb>_permission``."""
        return self.permission.partition(".")[2].partition("_")[0]


@dataclass
class Outcome:
    """How a run ended, by row."""

    done: dict[Any, Any] = field(default_factory=dict)
    left_alone: dict[Any, Any] = field(default_factory=dict)
    failed: dict[Any, str] = field(default_factory=dict)
    not_tried: list[Any] = field(default_factory=list)


def run(repair: Repair, rows: Iterable[Any], entered: Mapping[str, Any]) -> Outcome:
    """Repair one row after the other; what goes wrong with one is no matter of the next."""
    outcome, end = Outcome(), time.monotonic() + LONGEST_RUN
    for row in rows:
        if time.monotonic() >= end:
            outcome.not_tried.append(row)
            continue
        try:
            is_done = repair.service(row.pk, **entered)
            (outcome.done if is_done else outcome.left_alone)[row] = repair.result(row.pk)
        except Exception as error:  # noqa: BLE001 - the adapter is the shop's and may raise anything
            outcome.failed[row] = explained(error)
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
            logger.error("A repair has failed", exc_info=error)
            return f"{type(error).__name__}, see the log"


def told(repair: Repair, outcome: Outcome) -> Iterable[tuple[int, str]]:
    """Give the messages about a run, with their levels."""
    if outcome.done:
        yield messages.SUCCESS, counted(repair.done, outcome.done)
    if outcome.left_alone:
        yield messages.WARNING, counted(repair.left_alone, outcome.left_alone)
    if outcome.not_tried:
        yield messages.WARNING, not_tried(len(outcome.not_tried))
    if outcome.failed:
        yield messages.ERROR, counted(failed(len(outcome.failed)), outcome.failed)


def counted(sentence: Any, rows: Mapping[Any, Any]) -> str:  # noqa: ANN401 - lazy, and plural by its count
    """Give a sentence with the number of rows, and what is to be said about each."""
    details = "; ".join(f"{row.key}: {detail}" for row, detail in rows.items() if detail)
    return f"{sentence % {'count': len(rows)}} {details}".rstrip()


def not_tried(count: int) -> str:
    """Say that a run took too long."""
    return ngettext(
        "Klarna is slow: %(count)d was not tried. Choose it again.",
        "Klarna is slow: %(count)d were not tried. Choose them again.",
        count,
    ) % {"count": count}


def failed(count: int) -> str:
    """Say how many failed."""
    return ngettext("%(count)d failed.", "%(count)d failed.", count)

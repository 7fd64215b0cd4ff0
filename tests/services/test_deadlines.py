import time

import pytest

from django_klarna.exceptions import KlarnaBusyError, KlarnaConnectionError, KlarnaRateLimitError
from django_klarna.services.deadlines import RETRY_AFTER, Deadline


def limited(retry_after: float) -> KlarnaRateLimitError:
    return KlarnaRateLimitError("create", status_code=429, retry_after=retry_after)


def test_a_limit_that_is_lifted_at_once_is_no_reason_to_hurry() -> None:
    deadline = Deadline(60)
    start = time.monotonic()

    for _number in range(3):
        deadline.back_off(limited(0.0))

    assert time.monotonic() - start > 0.4


def test_klarna_is_given_the_time_it_asks_for() -> None:
    start = time.monotonic()

    Deadline(60).back_off(limited(0.5))

    assert time.monotonic() - start >= 0.5


def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    start = time.monotonic()

    with pytest.raises(KlarnaBusyError) as busy:
        Deadline(1).back_off(limited(30.0))

    assert time.monotonic() - start < 0.5
    assert busy.value.retry_after == 30.0


def test_a_page_is_told_when_to_ask_again() -> None:
    deadline = Deadline(0.05)

    with pytest.raises(KlarnaBusyError) as busy:
        deadline.back_off(KlarnaConnectionError("create", sent=False))

    assert busy.value.retry_after == RETRY_AFTER


def test_no_call_is_begun_when_time_is_up() -> None:
    deadline = Deadline(0.01)
    time.sleep(0.02)

    with pytest.raises(KlarnaBusyError):
        deadline.left()

"""One clock for everything that one call of a service does."""

import random
import time

from django_klarna.exceptions import KlarnaAPIError, KlarnaBusyError, KlarnaError

#: Seconds after which a page that got no session may ask again.
RETRY_AFTER = 5.0
LONGEST_RETRY_AFTER = 300.0
POLL = 0.05
LONGEST_PAUSE = 1.0
#: A call with less time than this would only put the session in doubt.
SHORTEST_CALL = 0.25


class Deadline:
    """Seconds that are left, and pauses that respect them."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._shortest_call = min(SHORTEST_CALL, seconds / 4)
        self._pause = POLL

    @property
    def remaining(self) -> float:
        """Seconds left; 0 when time is up."""
        return max(0.0, self._end - time.monotonic())

    def left(self) -> float:
        """Give the seconds for one call; `KlarnaBusyError` when there are too few."""
        remaining = self.remaining
        if remaining > self._shortest_call:
            return remaining
        raise busy()

    def poll(self) -> None:
        """Wait a moment for another worker; `KlarnaBusyError` when time is up."""
        time.sleep(min(POLL, self.left()))

    def back_off(self, error: KlarnaError) -> None:
        """Wait before another try after ``error``: twice as long as the time before, or longer if Klarna asks for it.

        A wait that the deadline does not allow is not begun: `KlarnaBusyError` at once.
        """
        self._wait(asked_pause(error))

    def slow_down(self) -> None:
        """Wait before another round that no error asked for; `KlarnaBusyError` when time is up."""
        self._wait(0.0)

    def _wait(self, asked: float) -> None:
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        # A limit that is lifted at once (a reset of 0) must not make us try without a pause.
        pause = max(asked, self._pause * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries
        if pause >= self.remaining:
            raise busy(asked)
        time.sleep(pause)


def asked_pause(error: KlarnaError) -> float:
    """Give the seconds that Klarna asked us to wait."""
    return (error.retry_after or 0.0) if isinstance(error, KlarnaAPIError) else 0.0


def busy(asked: float = 0.0) -> KlarnaBusyError:
    """Make the error for a page that has waited long enough."""
    return KlarnaBusyError(
        "Klarna did not answer in time", retry_after=min(max(asked, RETRY_AFTER), LONGEST_RETRY_AFTER)
    )

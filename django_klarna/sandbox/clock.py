"""The sandbox's own clock."""

from datetime import UTC, datetime, timedelta

TEN_YEARS = timedelta(days=3650)


class Clock:
    """Run with the real time, ahead of it by what it was advanced."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the sandbox's time in UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ValueError: less than nothing or more than ten years.

        """
        if not 0 <= seconds <= TEN_YEARS.total_seconds():
            raise ValueError("advance: must be from 0 to ten years of seconds")
        self._ahead += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Go back to the real time."""
        self._ahead = timedelta()


def iso(moment: datetime) -> str:
    """Return a moment as Klarna writes one: ISO 8601, UTC, milliseconds, a final Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

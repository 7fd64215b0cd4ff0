"""Klarna's rate limits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from django_klarna.sandbox import Sandbox
from django_klarna.sandbox.answers import RefusedError
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.limits import RateLimits
from tests.sandbox.conftest import Client

CREATE, READ, UPDATE = "create_credit_session", "read_credit_session", "update_credit_session"


class StoppedClock(Clock):
    """So that no second ends by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = datetime(2030, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def taken(limits: RateLimits, caller: str, operation: str) -> int:
    """How many calls are taken until one is refused."""
    for count in range(1000):
        try:
            limits.spend(caller, operation)
        except RefusedError:
            return count
    return 1000


@pytest.mark.parametrize(("environment", "creates", "others"), [("live", 40, 200), ("playground", 5, 50)])
def test_each_merchant_has_a_second_of_its_own(environment: str, creates: int, others: int) -> None:
    clock = StoppedClock()
    limits = RateLimits(environment, clock)
    for caller in ("K1", "K2"):
        assert taken(limits, caller, CREATE) == creates
        assert taken(limits, caller, READ) == others
        assert taken(limits, caller, UPDATE) == 0
    clock.moment += timedelta(seconds=1)
    assert taken(limits, "K1", UPDATE) == others
    limits.reset()
    assert taken(limits, "K1", UPDATE) == others


def test_headers_tell_what_is_left() -> None:
    limits = RateLimits("playground", StoppedClock())
    assert limits.spend("K1", CREATE) == {
        "X-Ratelimit-Limit": "5",
        "X-Ratelimit-Remaining": "4",
        "X-Ratelimit-Reset": "1",
    }


def test_refusal_tells_that_nothing_is_left() -> None:
    limits = RateLimits("playground", StoppedClock())
    taken(limits, "K1", CREATE)
    with pytest.raises(RefusedError) as caught:
        limits.spend("K1", CREATE)
    response = caught.value.response
    assert (response.status, response.headers["X-Ratelimit-Remaining"]) == (429, "0")


def test_there_are_none_unless_asked_for(client: Client, cart: dict[str, Any]) -> None:
    assert taken(RateLimits(None, StoppedClock()), "K1", CREATE) == 1000
    assert "X-Ratelimit-Limit" not in client.create(cart).headers


def test_answers_and_refusals_carry_them(cart: dict[str, Any]) -> None:
    client = Client(Sandbox(rate_limits="live"))
    for response in (client.create(cart), client.create({})):
        assert response.headers["X-Ratelimit-Limit"] == "40"
        assert response.headers["Klarna-Correlation-Id"]


def test_unknown_environment_is_refused() -> None:
    with pytest.raises(ValueError, match="rate_limits: must be one of live, playground"):
        Sandbox(rate_limits="test")

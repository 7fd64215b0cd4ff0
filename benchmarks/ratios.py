"""Two ways to do the same thing, timed in turns, so that a busy machine slows both."""

import random
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Call = Callable[[], object]
#: Prepares one call, which is not timed, and returns it.
Way = Callable[[], Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Our way and the one it is compared to; `goal` is the most that ours may take of the other's time."""

    name: str
    goal: float
    ours: Way
    theirs: Way
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One ratio, ours to theirs, for each round."""

    name: str
    goal: float
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the ratio that is compared to the goal."""
        return statistics.median(self.ratios)

    @property
    def least(self) -> float:
        """Return the ratio of our best round."""
        return min(self.ratios)

    @property
    def most(self) -> float:
        """Return the ratio of our worst round."""
        return max(self.ratios)

    @property
    def met(self) -> bool:
        """Say whether the goal is met, at the two decimals that are shown."""
        return round(self.median, 2) <= self.goal


def measured(cases: Iterable[Case], *, rounds: int) -> list[Result]:
    """Run all cases once in each round, in an order that is shuffled anew, and return their ratios."""
    cases = list(cases)
    ratios: dict[str, list[float]] = {case.name: [] for case in cases}
    shuffled = random.Random(1)  # noqa: S311 - an order, not a secret
    _round(cases)  # opens the connections and fills the caches
    for _ in range(rounds):
        shuffled.shuffle(cases)
        for name, ratio in _round(cases):
            ratios[name].append(ratio)
    goals = {case.name: case.goal for case in cases}
    return [Result(name=name, goal=goals[name], ratios=tuple(found)) for name, found in ratios.items()]


def _round(cases: Iterable[Case]) -> list[tuple[str, float]]:
    return [(case.name, _ratio(case)) for case in cases]


def _ratio(case: Case) -> float:
    ours, theirs = [], []
    for _ in range(case.calls):
        theirs.append(_seconds(case.theirs()))
        ours.append(_seconds(case.ours()))
    # Whatever else the machine does can only add to a time.
    return min(ours) / min(theirs)


def _seconds(call: Call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def table(results: Iterable[Result]) -> str:
    """Return the results as text, one line each."""
    lines = [f"{'case':<40}{'goal':>6}{'median':>8}{'min':>7}{'max':>7}  met"]
    lines += [
        f"{result.name:<40}{result.goal:>6.2f}{result.median:>8.2f}{result.least:>7.2f}{result.most:>7.2f}"
        f"  {'yes' if result.met else 'NO'}"
        for result in results
    ]
    return "\n".join(lines) + "\n"

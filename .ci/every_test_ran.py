"""Fail if a test was skipped in every run: ``every_test_ran.py DIRECTORY`` with the JUnit files of all runs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET


def outcomes(report: Path) -> Iterator[tuple[str, str]]:
    """Give each test of a run, and why it was skipped; an empty reason means that it ran."""
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own files
        skipped = case.find("skipped")
        reason = "" if skipped is None else skipped.get("message", "no reason given")
        # A module that was skipped as a whole has no class: its name stands for its tests.
        yield "::".join(filter(None, (case.get("classname"), case.get("name")))), reason


def never_ran(reports: list[Path]) -> dict[str, str]:
    """Give the tests and modules of which no run has run anything, and one of the reasons."""
    seen = [outcome for report in reports for outcome in outcomes(report)]
    ran = {test for test, reason in seen if not reason}
    ran |= {test.partition("::")[0] for test in ran}
    return {test: reason for test, reason in seen if test not in ran}


def main(directory: str) -> int:
    """Print what never ran; the exit status says whether there is any."""
    reports = sorted(Path(directory).glob("*.xml"))
    missing = never_ran(reports)
    for test, reason in sorted(missing.items()):
        print(f"{test} never ran: {reason}")
    print(f"{len(reports)} runs, {len(missing)} tests that never ran")
    return 1 if missing or not reports else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

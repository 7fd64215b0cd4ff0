"""Measure, and exit with 1 when a goal is missed: `python -m benchmarks NAME [--quick] [--json FILE]`."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import client, lines
from benchmarks.ratios import Result, table

BENCHMARKS = {"client": client.results, "lines": lines.results}


def main() -> int:
    """Measure, show a table, and say whether every goal is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument(
        "--quick", action="store_true", help="a few rounds: does it run, and roughly how fast"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    arguments = parser.parse_args()
    results = BENCHMARKS[arguments.benchmark](quick=arguments.quick)
    sys.stdout.write(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps([_row(result) for result in results], indent=2) + "\n")
    return 0 if all(result.met for result in results) else 1


def _row(result: Result) -> dict[str, object]:
    return {
        "case": result.name,
        "goal": result.goal,
        "median": result.median,
        "min": result.least,
        "max": result.most,
        "rounds": len(result.ratios),
        "met": result.met,
    }


if __name__ == "__main__":
    sys.exit(main())

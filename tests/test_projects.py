"""The journey of tests/projects in each project: a process of its own, with databases of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = ROOT / "tests" / "projects"
NAMES = sorted(path.parent.name for path in PROJECTS.glob("*/settings.py"))
OPTIONS = (
    f"--confcutdir={PROJECTS}",
    "-pno:cacheprovider",
    # A test that hangs shows where, and ends the process.
    "-ofaulthandler_timeout=60",
    "-ofaulthandler_exit_on_timeout=true",
)

Run = subprocess.CompletedProcess[str]


def environment(project: str) -> dict[str, str]:
    """The environment without what was meant for the run around, and with other databases on the same server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    if url := kept.get("DATABASE_URL"):
        server_and_name, *options = url.split("?")
        kept["DATABASE_URL"] = "?".join([f"{server_and_name}_{project}", *options])
    return kept


def run(project: str) -> Run:
    """Make the journey in one project, and what the project adds to it."""
    tests = [PROJECTS / "journey.py", PROJECTS / "schema.py", *(PROJECTS / project).glob("journey.py")]
    settings = f"--ds=tests.projects.{project}.settings"
    return subprocess.run(
        [sys.executable, "-m", "pytest", settings, *OPTIONS, *map(str, tests)],
        cwd=ROOT,
        env=environment(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Run]]]:
    """The journeys that are asked for, as many at a time as there are processors."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    names = [str(test.callspec.params["project"]) for test in tests if test.function is test_the_journey]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        yield {name: workers.submit(run, name) for name in names}


@pytest.mark.parametrize("project", NAMES)
def test_the_journey(project: str, runs: dict[str, Future[Run]]) -> None:
    journey = runs[project].result()

    assert journey.returncode == 0, journey.stdout

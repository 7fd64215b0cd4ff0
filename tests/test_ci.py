"""CI is one list of steps: what GitHub runs, what runs before a commit and what the documentation names."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def listed() -> list[str]:
    done = subprocess.run([".ci/run", "--list"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def named(path: str, pattern: str = r"\.ci/run ([\w ]+)") -> list[str]:
    return [step for steps in re.findall(pattern, (ROOT / path).read_text()) for step in steps.split()]


def test_github_runs_the_same_steps_in_the_same_order() -> None:
    assert named(".github/workflows/ci.yml") == listed()


@pytest.mark.parametrize("path", [".pre-commit-config.yaml", "Makefile"])
def test_what_runs_before_a_commit_is_part_of_them(path: str) -> None:
    steps = named(path)
    assert steps
    assert set(steps) <= set(listed())


def test_each_planted_fault_names_its_step() -> None:
    steps = named("CONTRIBUTING.md", r"\| `(\w+)` \|")
    assert steps
    assert set(steps) <= set(listed())


def test_tools_are_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = project["optional-dependencies"]["dev"]
    assert [tool for tool in tools if "==" not in tool] == ["django-klarna[browser,test]"]

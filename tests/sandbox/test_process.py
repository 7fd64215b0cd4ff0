"""The sandbox as a program."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

MODULE = [sys.executable, "-m", "django_klarna.sandbox"]
# The command wants nothing of a project, so none is set up.
COMMAND = """
import sys
import time
from django.conf import settings
from django_klarna.management.commands.klarna_sandbox import Command

settings.configure()
Command().run_from_argv(["manage.py", "klarna_sandbox", *sys.argv[1:]])
"""
PROGRAMS = {"module": MODULE, "command": [sys.executable, "-c", COMMAND]}


@contextmanager
def running(program: list[str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    pipe = subprocess.PIPE
    command = [*program, "--port", "0", *options]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline()
        finally:
            process.kill()


def pestered(process: subprocess.Popen[str]) -> int:
    """Send signals until the process has ended, however it did."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.0005)
    return process.wait(1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_until_a_signal(name: str, number: signal.Signals) -> None:
    with running(PROGRAMS[name]) as (process, line):
        assert line.startswith("Klarna sandbox ready at http://127.0.0.1:")
        assert requests.get(f"{line.split()[-1]}/_sandbox/calls", timeout=5).json() == []
        process.send_signal(number)
        assert pestered(process) == 0
        assert process.communicate() == ("", "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_stands_in_for_the_host_of_a_region(name: str) -> None:
    with running(PROGRAMS[name], "--region", "na") as (_process, line):
        url = line.split()[-1]
        for region, status in (("eu", 401), ("na", 400)):
            merchant = {"user": region, "region": region}
            requests.post(f"{url}/_sandbox/merchants", json=merchant, timeout=5).raise_for_status()
            asked = requests.post(f"{url}/payments/v1/sessions", json={}, auth=(region, "x"), timeout=5)
            assert asked.status_code == status


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_makes_serving_impossible_is_told_in_one_line(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments in (["--port", port], ["--port", "99999"], ["--host", "0.0.0.0"], ["--region", "us"]):
            done = subprocess.run(
                [*PROGRAMS[name], *arguments], capture_output=True, text=True, timeout=20, check=False
            )
            assert done.returncode == 1
            (line,) = done.stderr.splitlines()
            assert "The sandbox cannot serve on" in line


@pytest.mark.parametrize("missing", ["jsonschema", "jwt"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_missing_extra_is_told_in_one_line(tmp_path: Path, name: str, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('none', name='{missing}')")
    done = subprocess.run(
        PROGRAMS[name],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"needs {missing}: pip install 'django-klarna[sandbox]'" in line

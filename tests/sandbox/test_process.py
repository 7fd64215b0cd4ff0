"""The sandbox as a program."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

MODULE = [sys.executable, "-m", "django_klarna.sandbox"]
# The command wants nothing of a project, so none is set up.
COMMAND = """
import sys
from django.conf import settings
from django_klarna.management.commands.klarna_sandbox import Command

settings.configure()
Command().run_from_argv(["manage.py", "klarna_sandbox", *sys.argv[1:]])
"""
PROGRAMS = {"module": MODULE, "command": [sys.executable, "-c", COMMAND]}


@contextmanager
def running(program: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([*program, "--port", "0"], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_until_a_signal(name: str, number: signal.Signals) -> None:
    with running(PROGRAMS[name]) as (process, line):
        assert line.startswith("Klarna sandbox ready at http://127.0.0.1:")
        assert requests.get(f"{line.split()[-1]}/_sandbox/calls", timeout=5).json() == []
        process.send_signal(number)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.communicate() == ("", "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_taken_port_and_foreign_host_are_told_in_one_line(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments in (["--port", port], ["--port", "99999"], ["--host", "0.0.0.0"]):
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

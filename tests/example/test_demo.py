"""The one command: how it starts, what it keeps, and how it ends."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.example.conftest import ROOT, Start, environment, is_open

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="finds the children in /proc")


def test_sigterm_stops_all(start: Start) -> None:
    demo = start().wait_until_ready()
    assert is_open(demo.port)
    assert is_open(demo.sandbox_port)
    for line in (
        f"http://127.0.0.1:{demo.port}/checkout/",
        f"http://127.0.0.1:{demo.sandbox_port}/",
        "staff / staff-demo",
    ):
        assert line in demo.said
    demo.process.terminate()
    assert demo.end() == 0
    assert not is_open(demo.port)
    assert not is_open(demo.sandbox_port)
    assert "Traceback" not in demo.said


@LINUX
def test_second_start_keeps_the_data_and_ends_when_the_sandbox_dies(start: Start) -> None:
    first = start().wait_until_ready()
    first.process.send_signal(signal.SIGINT)
    assert first.end() == 0
    with sqlite3.connect(first.database) as database:
        database.execute("UPDATE shop_product SET price = 777 WHERE slug = 'mug'")
    database.close()
    second = start().wait_until_ready()
    assert "777,00" in requests.get(f"http://127.0.0.1:{second.port}/", timeout=10).text
    os.kill(second.child("klarna_sandbox"), signal.SIGKILL)
    assert second.end() == 1
    assert "The sandbox has stopped by itself" in second.said
    assert not is_open(second.port)


@LINUX
def test_credentials_take_the_place_of_the_sandbox_and_the_demo_ends_when_the_shop_dies(start: Start) -> None:
    demo = start(KLARNA_USERNAME="K123_abc", KLARNA_PASSWORD="playground-password").wait_until_ready()
    assert not is_open(demo.sandbox_port)
    page = requests.get(f"http://127.0.0.1:{demo.port}/", timeout=10)
    assert page.status_code == 200
    assert "playground-password" not in demo.said
    os.kill(demo.child("runserver"), signal.SIGKILL)
    assert demo.end() == 1
    assert "The shop has stopped by itself" in demo.said


@LINUX
def test_reconciler_runs_beside_them_and_the_demo_ends_when_it_dies(start: Start) -> None:
    demo = start().wait_until_ready()
    assert "klarna_reconcile --watch" in demo.said
    os.kill(demo.child("klarna_reconcile"), signal.SIGKILL)
    assert demo.end() == 1
    assert "The reconciler has stopped by itself" in demo.said
    assert not is_open(demo.port)
    assert not is_open(demo.sandbox_port)


@LINUX
def test_nothing_is_left_when_the_demo_is_killed(start: Start) -> None:
    demo = start().wait_until_ready()
    demo.process.kill()
    demo.end()
    deadline = time.monotonic() + 10
    while is_open(demo.port) or is_open(demo.sandbox_port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("part", "variable"), [("--port", "PORT"), ("--sandbox-port", "SANDBOX_PORT")])
def test_port_in_use_is_one_line_that_names_the_variable(tmp_path: Path, part: str, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "example_project.demo", f"{part}={port}"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(tmp_path / "db.sqlite3"),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert f" {variable}={port + 1}" in done.stderr


@pytest.mark.parametrize(
    "command", [("check", "--deploy", "--fail-level=WARNING"), ("makemigrations", "--check", "--dry-run")]
)
def test_project_is_in_order(tmp_path: Path, command: tuple[str, ...]) -> None:
    production = {
        "DEBUG": "False",
        "SECRET_KEY": "of fifty characters and more, as Django's check wants to see it",
        "CACHE_URL": "redis://127.0.0.1:6379/1",
        "KLARNA_BASE_URL": "https://shop.example",
        "KLARNA_ENVIRONMENT": "live",
        "KLARNA_USERNAME": "K1",
        "KLARNA_PASSWORD": "secret-of-k1",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment(tmp_path / "db.sqlite3", **production),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr

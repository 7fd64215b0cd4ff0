import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C stops everything."
PATIENCE = 60.0


def environment(database, **more):
    """The environment of a fresh machine: without the suite's settings, and deaf to a developer's .env."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    nothing = dict.fromkeys(("KLARNA_USERNAME", "KLARNA_PASSWORD", "KLARNA_API_KEY"), "")
    fixed = {"DATABASE_URL": f"sqlite:///{database}", "KLARNA_ACCOUNTS": "default", "DEBUG": "True"}
    return {**kept, **nothing, **fixed, **more}


def free_ports(number):
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Demo:
    """``python -m example_project.demo`` on ports of its own."""

    def __init__(self, directory, **more):
        self.port, self.sandbox_port = free_ports(2)
        self.database = directory / "db.sqlite3"
        self.log = directory / f"log-{self.port}.txt"
        command = [sys.executable, "-m", "example_project.demo"]
        command += [f"--port={self.port}", f"--sandbox-port={self.sandbox_port}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(self.database, **more),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self):
        return self.log.read_text()

    def wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE
        while READY not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self

    def child(self, word):
        """The process id of the child with ``word`` in its command line."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and word in command:
                return int(entry.name)
        raise AssertionError(f"no child runs {word}")

    def end(self):
        """Wait for the end and give the exit status."""
        return self.process.wait(PATIENCE)


class Shopper:
    """A browser without scripts."""

    def __init__(self, demo):
        self.shop, self.sandbox = f"http://127.0.0.1:{demo.port}", f"http://127.0.0.1:{demo.sandbox_port}"
        self.http = requests.Session()

    def get(self, path):
        return self.http.get(self.shop + path)

    def submit(self, path, page, /, *, headers=None, **fields):
        """Send a form of ``page`` as a browser would."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page).text)[1]
        return self.http.post(self.shop + path, {"csrfmiddlewaretoken": token, **fields}, headers=headers)

    def add(self, slug):
        action = re.search(rf'id="{slug}">.*?action="([^"]+)"', self.get("/").text, re.DOTALL)[1]
        return self.submit(action, "/")

    def change(self, page, number=0, *, headers=None, **fields):
        actions = re.findall(r'action="(/cart/lines/\d+/)"', self.get(page).text)
        return self.submit(actions[number], page, headers=headers, page=page.strip("/"), **fields)

    def ask_for_session(self):
        """Do what the module of the widget does."""
        found = re.search(r'<script type="application/json">(.+?)</script>', self.get("/checkout/").text)
        config = json.loads(found[1]) if found else self.config
        self.config = config
        return self.http.post(
            self.shop + config["session_url"], json={}, headers={config["csrf_header"]: config["csrf_token"]}
        )

    def calls(self):
        return self.http.get(f"{self.sandbox}/_sandbox/calls").json()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        yield demo.wait_until_ready()
    finally:
        demo.process.terminate()
        demo.end()


@pytest.fixture
def start(tmp_path):
    """Start demonstrations that share one database."""
    started = []

    def start(**more):
        started.append(Demo(tmp_path, **more))
        return started[-1]

    yield start
    for demo in started:
        demo.process.terminate()
        demo.end()


@pytest.fixture
def shopper(demo):
    shopper = Shopper(demo)
    shopper.http.post(f"{shopper.sandbox}/_sandbox/reset", json={})
    with shopper.http:
        yield shopper

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C stops everything."
PATIENCE = 60.0


def environment(database: Path, **more: str) -> dict[str, str]:
    """The environment of a fresh machine: without the suite's settings, and deaf to a developer's .env."""
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    nothing = dict.fromkeys(("KLARNA_USERNAME", "KLARNA_PASSWORD", "KLARNA_API_KEY"), "")
    fixed = {"DATABASE_URL": f"sqlite:///{database}", "KLARNA_ACCOUNTS": "default", "DEBUG": "True"}
    return {**kept, **nothing, **fixed, **more}


def free_ports(number: int) -> list[int]:
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Demo:
    """``python -m example_project.demo`` on ports of its own."""

    def __init__(self, directory: Path, **more: str) -> None:
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
    def said(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> Self:
        deadline = time.monotonic() + PATIENCE
        while READY not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self

    def child(self, word: str) -> int:
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

    def end(self) -> int:
        """Wait for the end and give the exit status."""
        return self.process.wait(PATIENCE)


Start = Callable[..., Demo]


def first(pattern: str, page: str) -> str:
    """What the group of the pattern matches first."""
    found = re.search(pattern, page, re.DOTALL)
    assert found, f"no {pattern} in {page}"
    return found[1]


class Shopper:
    """A browser without scripts."""

    def __init__(self, demo: Demo) -> None:
        self.shop, self.sandbox = f"http://127.0.0.1:{demo.port}", f"http://127.0.0.1:{demo.sandbox_port}"
        self.http = requests.Session()
        self.config: dict[str, Any] = {}

    def get(self, path: str) -> requests.Response:
        return self.http.get(self.shop + path)

    def submit(
        self, path: str, page: str, /, *, headers: dict[str, str] | None = None, **fields: object
    ) -> requests.Response:
        """Send a form of ``page`` as a browser would."""
        token = first(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page).text)
        return self.http.post(self.shop + path, {"csrfmiddlewaretoken": token, **fields}, headers=headers)

    def add(self, slug: str) -> requests.Response:
        action = first(rf'id="{slug}">.*?action="([^"]+)"', self.get("/").text)
        return self.submit(action, "/")

    def change(
        self, page: str, number: int = 0, *, headers: dict[str, str] | None = None, **fields: object
    ) -> requests.Response:
        actions = re.findall(r'action="(/cart/lines/\d+/)"', self.get(page).text)
        return self.submit(actions[number], page, headers=headers, page=page.strip("/"), **fields)

    def ask_for_session(self) -> requests.Response:
        """Do what the module of the widget does."""
        found = re.search(r'<script type="application/json">(.+?)</script>', self.get("/checkout/").text)
        self.config = json.loads(found[1]) if found else self.config
        return self.tell("session")

    def tell(self, endpoint: str, **content: object) -> requests.Response:
        """Send what the module of the widget sends."""
        config = self.config
        headers = {config["csrf_header"]: config["csrf_token"]}
        return self.http.post(self.shop + config[f"{endpoint}_url"], json=content, headers=headers)

    def authorize(self, decision: str = "approve") -> dict[str, str]:
        """Press the button and one of Klarna's; gives what the page can tell of it."""
        self.ask_for_session()
        attempt = self.tell("attempt").json()
        session_id = self.calls()[-1]["session_id"]
        decided = {"session_id": session_id, "data": attempt["data"], "decision": decision}
        result = self.http.post(f"{self.sandbox}/_sandbox/authorize", json=decided).json()
        return {"attempt": attempt["attempt"], "authorization_token": result["authorization_token"]}

    def buy(self, decision: str = "approve") -> str:
        """Pay for the cart; gives the page after Klarna's."""
        answer = self.tell("authorization", **self.authorize(decision))
        assert answer.status_code == 200, answer.text
        return self.http.get(answer.json()["redirect_url"]).text

    def calls(self) -> Any:
        return self.http.get(f"{self.sandbox}/_sandbox/calls").json()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        yield demo.wait_until_ready()
    finally:
        demo.process.terminate()
        demo.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start demonstrations that share one database."""
    started = []

    def start(**more: str) -> Demo:
        started.append(Demo(tmp_path, **more))
        return started[-1]

    yield start
    for demo in started:
        demo.process.terminate()
        demo.end()


@pytest.fixture
def shopper(demo: Demo) -> Iterator[Shopper]:
    shopper = Shopper(demo)
    shopper.http.post(f"{shopper.sandbox}/_sandbox/reset", json={})
    with shopper.http:
        yield shopper

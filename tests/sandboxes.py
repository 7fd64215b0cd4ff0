"""Klarna for the tests of any shop: one sandbox behind a real socket, as fresh as new for each test."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from pytest_django import Settings

from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox, SandboxServer, SandboxSession

Operations = Callable[[], list[str]]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def klarna(sandbox_server: SandboxServer, settings: Settings) -> Sandbox:
    """A fresh Klarna at the end of a real socket; stopped by a test, it comes back for the next one."""
    sandbox_server.start()
    sandbox_server.sandbox.reset()
    account = {
        "USERNAME": "K1",
        "PASSWORD": "secret-of-k1",
        "ENVIRONMENT": "sandbox",
        "BASE_URL": sandbox_server.url,
    }
    settings.KLARNA = {"default": account, "norway": {**account, "USERNAME": "K2"}}
    cache.clear()
    return sandbox_server.sandbox


@pytest.fixture
def operations(klarna: Sandbox) -> Operations:
    """What Klarna was asked, oldest first, in one word each."""
    return lambda: [call.operation.partition("_")[0] for call in klarna.calls]


def at_klarna(klarna: Sandbox, session: KlarnaSession) -> SandboxSession:
    """What Klarna holds for a session of ours."""
    assert session.session_id
    return klarna.sessions[session.session_id]

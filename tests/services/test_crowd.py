"""Eight workers ask for the first session of one cart at the same moment: one live row, one create."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from django.conf import settings as project
from django.db import connection
from pytest_django import Settings

from django_klarna import services
from django_klarna.models import KlarnaSession
from django_klarna.sandbox import Sandbox
from tests.services.crowd import PATIENCE
from tests.services.threads import in_thread
from tests.shop.models import Cart

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 8


def threads(cart: Cart) -> list[int]:
    """Ask from threads; gives the primary key that each was given."""
    together, found = threading.Barrier(WORKERS), list[int]()

    def ask() -> None:
        together.wait(PATIENCE)
        found.append(services.ensure_session(cart=cart).pk)

    workers = [threading.Thread(target=in_thread(ask)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


def processes(cart: Cart) -> list[int]:
    """Ask from processes; gives the primary key that each was given."""
    order = {
        "database": str(connection.settings_dict["NAME"]),
        "accounts": project.KLARNA,
        "cart": cart.pk,
        "number": WORKERS,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.services.crowd"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("ask", [threads, processes])
def test_a_crowd_makes_one_session(
    klarna: Sandbox, cart: Cart, settings: Settings, ask: Callable[[Cart], list[int]]
) -> None:
    settings.KLARNA_ENSURE_TIMEOUT = PATIENCE
    klarna.fail_next("create_credit_session", delay=0.3)

    found = ask(cart)

    row = KlarnaSession.objects.get()
    assert found == [row.pk] * WORKERS
    assert row.live
    assert [call.operation for call in klarna.calls] == ["create_credit_session"]

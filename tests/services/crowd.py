"""Many processes that ask for the session of one cart at the same moment.

Reads ``{"database", "accounts", "cart", "number"}`` as JSON and writes the primary keys that they were given.
"""

import json
import multiprocessing
import sys
from multiprocessing.context import ForkContext
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import Any

import django
from django.db import connection
from django.test import override_settings

#: Seconds; eight processes on a busy machine take their time, and this is not about speed.
PATIENCE = 30


def ask(cart_pk: int, together: Barrier, found: "SimpleQueue[int]") -> None:
    """Ask as a worker of a web server would, with a connection and a client of its own."""
    from django_klarna import services  # noqa: PLC0415 - needs django.setup()
    from tests.shop.models import Cart  # noqa: PLC0415 - needs django.setup()

    cart = Cart.objects.get(pk=cart_pk)
    together.wait(PATIENCE)
    found.put(services.ensure_session(cart=cart).pk)


def ask_all(context: ForkContext, cart: int, number: int) -> list[int]:
    together, found = context.Barrier(number), context.SimpleQueue()
    workers = [context.Process(target=ask, args=(cart, together, found)) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed = [worker.exitcode for worker in workers if worker.exitcode]
    if failed:
        raise SystemExit(f"{len(failed)} of {number} workers failed")
    return [found.get() for _ in workers]


def main(order: dict[str, Any]) -> None:
    django.setup()
    connection.settings_dict["NAME"] = order["database"]
    with override_settings(KLARNA=order["accounts"], KLARNA_ENSURE_TIMEOUT=PATIENCE):
        found = ask_all(multiprocessing.get_context("fork"), order["cart"], order["number"])
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(json.load(sys.stdin))

"""Callbacks: which there are, when they are sent again, and a real socket that gets them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from django_klarna.sandbox import Sandbox, SandboxServer
from tests.sandbox.conftest import Client, parsed

MINUTES = 60
HOURS = 3600


@dataclass
class Shop:
    """Whatever was POSTed to a shop, and what it answers, the last one for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    got: list[tuple[str, Any]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, body: bytes) -> int:
        self.got.append((path, json.loads(body) if body else None))
        self.hold.wait(10)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    shop.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(shop.answer(self.path, body))
            self.send_header("Location", shop.url)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shop.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield shop
        shop.hold.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def served(server: SandboxServer) -> Client:
    return Client(server.sandbox)


def eventually(fact: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def session(client: Client, cart: dict[str, Any], base: str, *kinds: str) -> str:
    urls = {kind: f"{base}/{kind}?o={{order.id}}&s={{session.id}}" for kind in kinds}
    return str(client.created(cart | {"merchant_urls": urls})["session_id"])


def states(sandbox: Sandbox) -> list[str]:
    return [callback.state for callback in sandbox.callbacks]


def attempts(sandbox: Sandbox) -> list[list[int | None]]:
    return [callback.attempts for callback in sandbox.callbacks]


def are_tried(sandbox: Sandbox, statuses: list[int]) -> bool:
    return attempts(sandbox) == [statuses]


# What is recorded


def test_each_kind_has_its_moment_and_its_words(client: Client, cart: dict[str, Any]) -> None:
    kinds = ("authorization", "notification", "push", "confirmation")
    session_id = session(client, cart, "https://shop.example", *kinds)
    token = client.token(session_id, decision="pending")
    order_id = client.placed(token, cart)["order_id"]
    client.sandbox.decide(order_id, "ACCEPTED")
    ids = f"o={order_id}&s={session_id}"
    assert [(one.kind, one.url, one.body) for one in client.sandbox.callbacks] == [
        (
            "authorization",
            "https://shop.example/authorization?o={order.id}&s={session.id}",
            {"authorization_token": token, "session_id": session_id},
        ),
        ("push", f"https://shop.example/push?{ids}", None),
        (
            "notification",
            f"https://shop.example/notification?{ids}",
            {"order_id": order_id, "event_type": "FRAUD_RISK_ACCEPTED"},
        ),
    ]
    assert states(client.sandbox) == ["not_sent"] * 3
    assert client.control("GET", "callbacks") == (
        200,
        [
            {"kind": one.kind, "url": one.url, "body": one.body, "attempts": [], "state": "not_sent"}
            for one in client.sandbox.callbacks
        ],
    )


def test_rejection_is_told_too(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(session(client, cart, "https://shop.example", "notification"), decision="pending")
    client.sandbox.decide(client.placed(token, cart)["order_id"], "REJECTED")
    (callback,) = client.sandbox.callbacks
    assert callback.body
    assert callback.body["event_type"] == "FRAUD_RISK_REJECTED"


def test_no_url_no_callback(client: Client, cart: dict[str, Any]) -> None:
    token = client.token(session(client, cart, "https://shop.example"), decision="pending")
    client.sandbox.authorize(client.created(cart)["session_id"], decision="decline")
    client.sandbox.decide(client.placed(token, cart)["order_id"], "ACCEPTED")
    assert client.sandbox.callbacks == []


def test_reset_forgets_callbacks_and_modes(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.callback_mode("drop")
    client.token(session(client, cart, "https://shop.example", "authorization"))
    client.sandbox.reset()
    assert client.sandbox.callbacks == []
    client.token(session(client, cart, "https://shop.example", "authorization"))
    assert states(client.sandbox) == ["not_sent"]


# Sent by a server


def test_server_sends_them(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    session_id = session(served, cart, shop.url, "authorization", "push", "notification")
    token = served.token(session_id, decision="pending")
    order_id = served.placed(token, cart)["order_id"]
    shop.answers = [200]
    served.sandbox.decide(order_id, "ACCEPTED")
    eventually(lambda: states(served.sandbox) == ["delivered"] * 3)
    ids = f"o={order_id}&s={session_id}"
    assert shop.got == [
        (
            "/authorization?o=%7Border.id%7D&s=%7Bsession.id%7D",
            {"authorization_token": token, "session_id": session_id},
        ),
        (f"/push?{ids}", None),
        (f"/notification?{ids}", {"order_id": order_id, "event_type": "FRAUD_RISK_ACCEPTED"}),
    ]


def test_sandbox_answers_while_it_sends(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    shop.hold.clear()
    session_id = session(served, cart, shop.url, "authorization")
    served.token(session_id)
    eventually(lambda: shop.got)
    assert served.read(session_id).status == 200
    assert states(served.sandbox) == ["waiting"]
    shop.hold.set()
    eventually(lambda: states(served.sandbox) == ["delivered"])


def test_three_attempts_later_and_later(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    shop.answers = [500]
    served.token(session(served, cart, shop.url, "authorization"))
    eventually(lambda: attempts(served.sandbox) == [[500]])
    (callback,) = served.sandbox.callbacks
    assert 0 < (callback.due - served.sandbox.now).total_seconds() <= 1
    served.sandbox.advance(1)
    eventually(lambda: attempts(served.sandbox) == [[500, 500]])
    assert 1 < (callback.due - served.sandbox.now).total_seconds() <= 2
    served.sandbox.advance(2)
    eventually(lambda: states(served.sandbox) == ["failed"])
    assert (attempts(served.sandbox), len(shop.got)) == ([[500, 500, 500]], 3)


def test_time_passes_by_itself(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    served.sandbox.callback_mode("deliver", delay=0.2)
    served.token(session(served, cart, shop.url, "authorization"))
    assert states(served.sandbox) == ["waiting"]
    eventually(lambda: states(served.sandbox) == ["delivered"])


@pytest.mark.parametrize("status", [302, 404, 503])
def test_second_attempt_may_succeed(served: Client, cart: dict[str, Any], shop: Shop, status: int) -> None:
    shop.answers = [status, 202]
    served.token(session(served, cart, shop.url, "authorization"))
    eventually(lambda: attempts(served.sandbox) == [[status]])
    served.sandbox.advance(1)
    eventually(lambda: states(served.sandbox) == ["delivered"])
    assert attempts(served.sandbox) == [[status, 202]]


def test_nobody_there(served: Client, cart: dict[str, Any]) -> None:
    served.token(session(served, cart, "http://127.0.0.1:1", "authorization"))
    eventually(lambda: attempts(served.sandbox) == [[None]])


def test_notification_is_repeated_until_200(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    shop.answers = [204, 500, 200]
    token = served.token(session(served, cart, shop.url, "notification"), decision="pending")
    served.sandbox.decide(served.placed(token, cart)["order_id"], "ACCEPTED")
    for tried in ([204], [204, 500], [204, 500, 200]):
        eventually(partial(are_tried, served.sandbox, tried))
        served.sandbox.advance(10 * MINUTES)
    assert states(served.sandbox) == ["delivered"]


def test_notification_is_given_up_after_a_day(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    shop.answers = [500]
    token = served.token(session(served, cart, shop.url, "notification"), decision="pending")
    served.sandbox.decide(served.placed(token, cart)["order_id"], "ACCEPTED")
    eventually(lambda: attempts(served.sandbox) == [[500]])
    served.sandbox.advance(23.5 * HOURS)
    eventually(lambda: attempts(served.sandbox) == [[500, 500]])
    assert states(served.sandbox) == ["waiting"]
    served.sandbox.advance(20 * MINUTES)
    eventually(lambda: states(served.sandbox) == ["failed"])
    assert attempts(served.sandbox) == [[500, 500, 500]]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "http://shop.example/x",
        "http://192.0.2.1/x",
        "http://127.0.0.1:99999/x",
        "http://[/x",
        "//127.0.0.1/x",
        "nowhere",
    ],
)
def test_to_other_machines_nothing_is_sent(served: Client, cart: dict[str, Any], url: str) -> None:
    urls = {"authorization": url}
    served.token(served.created(cart | {"merchant_urls": urls})["session_id"])
    (callback,) = served.sandbox.callbacks
    assert (callback.url, callback.state) == (url, "not_sent")
    assert served.sandbox.deliver(0).attempts == []


@pytest.mark.parametrize(("path", "target"), [("", "/"), ("?a=%2F&b", "/?a=%2F&b")])
def test_url_is_sent_as_it_is(
    served: Client, cart: dict[str, Any], shop: Shop, path: str, target: str
) -> None:
    urls = {"authorization": f"{shop.url}{path}"}
    served.token(served.created(cart | {"merchant_urls": urls})["session_id"])
    eventually(lambda: states(served.sandbox) == ["delivered"])
    assert shop.got[0][0] == target


def test_url_cannot_end_the_request_line(served: Client, cart: dict[str, Any], shop: Shop) -> None:
    urls = {"authorization": f"{shop.url}/å b\x00\x7f#fragment"}
    served.token(served.created(cart | {"merchant_urls": urls})["session_id"])
    eventually(lambda: states(served.sandbox) == ["delivered"])
    assert shop.got[0][0] == "/%C3%A5%20b%00%7F"


def test_stopped_server_sends_nothing_until_it_is_back(cart: dict[str, Any], shop: Shop) -> None:
    server = SandboxServer()
    client = Client(server.sandbox)
    with server:
        server.sandbox.callback_mode("deliver", delay=60)
        client.token(session(client, cart, shop.url, "authorization"))
    server.sandbox.advance(60)
    server.sandbox.callback_mode("deliver")
    client.token(session(client, cart, shop.url, "authorization"))
    assert (states(server.sandbox), shop.got) == (["waiting", "not_sent"], [])
    with server:
        eventually(lambda: states(server.sandbox) == ["delivered", "not_sent"])


# Steering


def test_callbacks_may_be_dropped_doubled_and_delayed(
    served: Client, cart: dict[str, Any], shop: Shop
) -> None:
    status, _ = served.control("POST", "callbacks", {"mode": "drop", "kind": "authorization"})
    assert status == 200
    served.control("POST", "callbacks", {"mode": "duplicate", "kind": "push", "delay": 60})
    session_id = session(served, cart, shop.url, "authorization", "push")
    served.placed(served.token(session_id), cart)
    assert states(served.sandbox) == ["dropped", "waiting", "waiting"]
    assert shop.got == []
    served.sandbox.advance(60)
    eventually(lambda: states(served.sandbox) == ["dropped", "delivered", "delivered"])
    assert len(shop.got) == 2


def test_mode_for_all_kinds(client: Client, cart: dict[str, Any]) -> None:
    client.sandbox.callback_mode("drop")
    session_id = session(client, cart, "https://shop.example", "authorization", "push")
    client.placed(client.token(session_id), cart)
    assert states(client.sandbox) == ["dropped", "dropped"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({}, "mode"),
        ({"mode": "perhaps"}, "mode"),
        ({"mode": ["drop"]}, "mode"),
        ({"mode": "drop", "delay": -1}, "delay"),
        ({"mode": "drop", "delay": 3601}, "delay"),
        ({"mode": "drop", "delay": "1"}, "delay"),
        ({"mode": "drop", "delay": True}, "delay"),
        ({"mode": "drop", "kind": "confirmation"}, "kind"),
        ({"mode": "drop", "knid": "push"}, "knid"),
    ],
)
def test_bad_mode_is_refused_by_the_name_of_its_field(
    client: Client, content: dict[str, object], name: str
) -> None:
    status, answer = client.control("POST", "callbacks", content)
    assert status == 400
    assert answer["error"].startswith(f"{name}: ")


def test_callback_is_sent_again_on_request(client: Client, cart: dict[str, Any], shop: Shop) -> None:
    client.token(session(client, cart, shop.url, "authorization"))
    assert states(client.sandbox) == ["not_sent"]
    shop.answers = [500, 204, 500]
    assert (client.sandbox.deliver(0).state, len(shop.got)) == ("failed", 1)
    status, answer = client.control("POST", "callbacks/deliver", {"index": 0})
    assert (status, answer["state"], answer["attempts"]) == (200, "delivered", [500, 204])
    assert client.sandbox.deliver(0).state == "delivered"
    assert attempts(client.sandbox) == [[500, 204, 500]]


@pytest.mark.parametrize("index", [None, "0", True, 1, -1])
def test_callback_that_there_is_not(client: Client, cart: dict[str, Any], index: object) -> None:
    client.token(session(client, cart, "https://shop.example", "authorization"))
    status, answer = client.control("POST", "callbacks/deliver", {"index": index})
    assert (status, answer["error"]) == (400, "index: must be that of a callback")
    for number in (-1, 1):
        with pytest.raises(IndexError):
            client.sandbox.deliver(number)


def test_whoever_is_called_may_ask_the_sandbox(server: SandboxServer, cart: dict[str, Any]) -> None:
    """Even the callback that is sent on request is sent without the lock."""
    client = Client(server.sandbox)
    url = f"{server.url}/_sandbox/clock"
    session_id = client.created(cart | {"merchant_urls": {"authorization": url}})["session_id"]
    server.sandbox.callback_mode("drop")
    client.token(session_id)
    assert parsed(client.send("POST", "/_sandbox/callbacks/deliver", {"index": 0}))["attempts"] == [400]

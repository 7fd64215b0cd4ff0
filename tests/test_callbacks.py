"""Klarna's own POSTs to us, and those of whoever pretends to be Klarna."""

import json
import threading
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from django_klarna import callbacks, links, services
from django_klarna.models import Attempt, KlarnaAuthorization, KlarnaOrder, KlarnaSession, State
from django_klarna.sandbox import Sandbox
from tests.services.purchases import approve, authorize, call_back, session_of
from tests.services.threads import in_thread
from tests.shop.models import Cart, Order

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = (links.AUTHORIZATION, links.NOTIFICATION, links.PUSH)
TOLD = {"authorization_token": "6f4f6a05-5b0c-4a4d-8a6c-c9b3c1f6a001", "session_id": "s", "order_id": "o"}


def url_of(kind: str, secret: str) -> str:
    return reverse(f"klarna:{kind}-callback", args=[secret])


def post(client: Client, url: str, body: object) -> Any:
    return client.post(url, body, content_type="application/json")


def told_of(session: KlarnaSession) -> dict[str, str]:
    return {**TOLD, "session_id": str(session.session_id)}


def test_klarna_is_told_an_address_for_each_session(klarna: Sandbox, make_cart: Any) -> None:
    first, second = (services.ensure_session(cart=make_cart()) for _number in range(2))
    urls = [klarna.sessions[str(one.session_id)].content["merchant_urls"] for one in (first, second)]

    for kind in KINDS:
        secrets = [url[kind].partition("?")[0].rstrip("/").rpartition("/")[2] for url in urls]
        assert [links.key_of(kind, secret) for secret in secrets] == [first.key, second.key]
        assert all(url[kind].startswith("https://shop.example/klarna/callbacks/") for url in urls)
    assert json.dumps([first.payload, second.payload]).count("callbacks") == 0


def test_replaced_and_updated_sessions_have_addresses_of_their_own(klarna: Sandbox, cart: Cart) -> None:
    services.ensure_session(cart=cart)
    cart.lines.update(quantity=2)
    updated = services.ensure_session(cart=cart)
    KlarnaSession.objects.update(in_doubt=True)
    replaced = services.ensure_session(cart=cart)

    assert updated.key != replaced.key
    for row in (updated, replaced):
        url = klarna.sessions[str(row.session_id)].content["merchant_urls"]["authorization"]
        assert url == links.link(links.AUTHORIZATION, row.key)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "forge",
    [
        lambda _kind, key: key,
        lambda _kind, key: f"{key}:",
        lambda _kind, key: f"{key}:{'A' * 43}",
        lambda kind, key: links.signed(kind, key)[:-1],
        lambda kind, key: links.signed(kind, key) + "A" * 200,
        lambda kind, key: "x" + links.signed(kind, key),
        lambda kind, key: links.signed(KINDS[KINDS.index(kind) - 1], key),
        lambda _kind, key: Signer(salt="another").sign(key),
        lambda _kind, _key: "\N{SNOWMAN}",
    ],
)
def test_forged_addresses_run_no_query_and_learn_nothing(
    klarna: Sandbox, cart: Cart, client: Client, kind: str, forge: Any
) -> None:
    session = services.ensure_session(cart=cart)
    before = len(klarna.calls)

    with CaptureQueriesContext(connection) as queries:
        answer = post(client, url_of(kind, forge(kind, session.key)), told_of(session))

    assert (answer.status_code, answer.content, len(queries)) == (404, b"", 0)
    assert not KlarnaAuthorization.objects.exists()
    assert len(klarna.calls) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff",
        b"[" * 100_000,
        b"{}",
        json.dumps({"session_id": "s"}).encode(),
        json.dumps({**TOLD, "authorization_token": 7, "order_id": 7}).encode(),
        json.dumps({**TOLD, "authorization_token": "", "order_id": ""}).encode(),
        json.dumps({**TOLD, "authorization_token": "x" * 256, "order_id": "x" * 256}).encode(),
        json.dumps({**TOLD, "authorization_token": "a\0b", "order_id": "a\nb"}).encode(),
        json.dumps({**TOLD, "authorization_token": "\ud83d", "order_id": "\ud83d"}).encode(),
        json.dumps({**TOLD, "padding": "x" * callbacks.MAX_BYTES}).encode(),
    ],
    ids=lambda body: body[:24],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bodies_that_say_nothing_run_no_query(
    klarna: Sandbox, cart: Cart, client: Client, kind: str, body: bytes
) -> None:
    session = services.ensure_session(cart=cart)

    with CaptureQueriesContext(connection) as queries:
        answer = post(client, url_of(kind, links.signed(kind, session.key)), body)

    assert (answer.status_code, answer.content, len(queries)) == (400, b"", 0)


def test_body_that_breaks_off_is_refused(klarna: Sandbox, cart: Cart, rf: RequestFactory) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the connection is gone")

    session = services.ensure_session(cart=cart)
    secret = links.signed(links.AUTHORIZATION, session.key)
    request = rf.post(url_of(links.AUTHORIZATION, secret), b"{}", content_type="application/json")
    request.environ["wsgi.input"] = request._stream = Broken()

    assert callbacks.authorization(request, secret).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_only_posts_are_taken(client: Client, kind: str) -> None:
    assert client.get(url_of(kind, links.signed(kind, "k"))).status_code == 405


def test_callback_needs_no_csrf_token_and_no_login(klarna: Sandbox, cart: Cart) -> None:
    approve(klarna, cart)

    assert call_back(klarna, Client(enforce_csrf_checks=True)).status_code == 204


def test_callback_of_another_session_changes_nothing(klarna: Sandbox, make_cart: Any, client: Client) -> None:
    mine, stranger = (services.ensure_session(cart=make_cart()) for _number in range(2))
    url = url_of(links.AUTHORIZATION, links.signed(links.AUTHORIZATION, stranger.key))

    answer = post(client, url, told_of(mine))

    assert (answer.status_code, answer.content) == (404, b"")
    assert not KlarnaAuthorization.objects.exists()


def test_token_of_another_session_changes_nothing(klarna: Sandbox, make_cart: Any, client: Client) -> None:
    token = authorize(klarna, make_cart()).token
    stranger = services.ensure_session(cart=make_cart())
    url = url_of(links.AUTHORIZATION, links.signed(links.AUTHORIZATION, stranger.key))

    answer = post(client, url, {**told_of(stranger), "authorization_token": token})

    assert answer.status_code == 404
    assert KlarnaAuthorization.objects.get().session_id != stranger.pk


def test_callback_may_come_any_number_of_times(klarna: Sandbox, cart: Cart, client: Client) -> None:
    approve(klarna, cart)
    for _time in range(3):
        assert call_back(klarna, client).status_code == 204
    received = KlarnaAuthorization.objects.get()
    services.place_order(received.pk)
    for _time in range(2):
        assert call_back(klarna, client).status_code == 204

    services.place_order(received.pk)

    assert KlarnaAuthorization.objects.get().state == Attempt.PLACED
    assert len(klarna.orders) == Order.objects.count() == 1


def test_callback_calls_nobody_and_takes_few_queries(klarna: Sandbox, cart: Cart, client: Client) -> None:
    approve(klarna, cart)
    before = len(klarna.calls)

    with CaptureQueriesContext(connection) as queries:
        call_back(klarna, client)

    assert len(klarna.calls) == before
    assert len([query for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))]) <= 8


def test_late_callback_of_a_replaced_session_is_kept_and_given_back(
    klarna: Sandbox, cart: Cart, client: Client
) -> None:
    approve(klarna, cart)
    KlarnaSession.objects.update(in_doubt=True)
    services.ensure_session(cart=cart)

    assert call_back(klarna, client).status_code == 204
    received = services.place_order(KlarnaAuthorization.objects.get().pk)

    assert received.state == Attempt.CANCELLED
    assert session_of(cart).state == "open"


def test_callback_of_a_session_that_never_had_an_attempt_is_given_back(
    klarna: Sandbox, cart: Cart, client: Client
) -> None:
    session = services.ensure_session(cart=cart)
    klarna.authorize(str(session.session_id))
    call_back(klarna, client)

    assert services.place_order(KlarnaAuthorization.objects.get().pk).state == Attempt.CANCELLED
    assert not klarna.orders


def test_callbacks_outlive_the_secret_key(
    klarna: Sandbox, cart: Cart, client: Client, settings: Settings
) -> None:
    attempt, token = approve(klarna, cart)
    services.receive_authorization(cart=cart, attempt=attempt, token=token)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one"

    assert call_back(klarna, client).status_code == 204
    assert KlarnaAuthorization.objects.count() == 1  # the token is recognised

    settings.SECRET_KEY_FALLBACKS = []
    assert call_back(klarna, client).status_code == 404


@pytest.mark.parametrize("kind", [links.NOTIFICATION, links.PUSH])
def test_unknown_orders_are_accepted_and_change_nothing(
    klarna: Sandbox, cart: Cart, client: Client, kind: str
) -> None:
    services.place_order(authorize(klarna, cart).pk)
    before = KlarnaOrder.objects.values().get()

    answer = post(client, url_of(kind, links.signed(kind, session_of(cart).key)), {"order_id": "unknown"})

    assert answer.status_code == 200
    assert KlarnaOrder.objects.values().get() == before


def test_notification_of_another_session_is_not_looked_at(
    klarna: Sandbox, make_cart: Any, client: Client
) -> None:
    cart = make_cart()
    services.place_order(authorize(klarna, cart, "pending").pk)
    due = KlarnaOrder.objects.get().retry_at
    stranger = services.ensure_session(cart=make_cart())
    url = url_of(links.NOTIFICATION, links.signed(links.NOTIFICATION, stranger.key))

    post(client, url, {"order_id": KlarnaOrder.objects.get().order_id})

    assert KlarnaOrder.objects.get().retry_at == due


def test_word_that_can_be_no_token_is_not_kept(klarna: Sandbox, cart: Cart, client: Client) -> None:
    session = services.ensure_session(cart=cart)
    url = url_of(links.AUTHORIZATION, links.signed(links.AUTHORIZATION, session.key))

    assert post(client, url, {**told_of(session), "authorization_token": "../sessions?x"}).status_code == 404
    assert not KlarnaAuthorization.objects.exists()


def test_callback_waits_neither_for_klarna_nor_for_a_worker(
    klarna: Sandbox, cart: Cart, client: Client
) -> None:
    received = authorize(klarna, cart)
    klarna.fail_next("create_order", delay=3)
    worker = threading.Thread(target=in_thread(lambda: services.place_order(received.pk)))
    worker.start()
    wait_for(lambda: session_of(cart).state == State.PLACING)

    began = time.monotonic()
    answer = call_back(klarna, client)
    took = time.monotonic() - began

    worker.join()
    assert (answer.status_code, took < 1) == (204, True)
    assert len(klarna.orders) == 1


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)

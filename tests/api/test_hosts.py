"""All six hosts of Klarna and both ways to authenticate, over TLS, by way of a proxy that answers for them."""

import base64
import itertools
import socket
import ssl
from pathlib import Path
from typing import Any, get_args

import pytest

from django_klarna.api import Environment, Region
from tests.api.conftest import Behaviour, MakeClient, Peer, answer
from tests.api.payloads import CREATED, session_create

CERTIFICATE = Path(__file__).with_name("klarna-hosts.pem")
HOSTS = {
    ("eu", "live"): "api.klarna.com",
    ("na", "live"): "api-na.klarna.com",
    ("oc", "live"): "api-oc.klarna.com",
    ("eu", "playground"): "api.playground.klarna.com",
    ("na", "playground"): "api-na.playground.klarna.com",
    ("oc", "playground"): "api-oc.playground.klarna.com",
}
CREDENTIALS: tuple[tuple[dict[str, Any], bytes], ...] = (
    ({"username": "PK1_a", "password": "sh:ared"}, base64.b64encode(b"PK1_a:sh:ared")),
    (
        {"username": "3fa8-uuid", "password": "klarna_test_api_x"},
        base64.b64encode(b"3fa8-uuid:klarna_test_api_x"),
    ),
    ({"api_key": "klarna_live_api_x"}, b"klarna_live_api_x"),
)


def answers_over_tls(seen: list[tuple[str, bytes]]) -> Behaviour:
    """Behave as a proxy and, inside its tunnel, as the host that is asked for by SNI."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    names: list[str] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def behave(connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as inside:
            received = b""
            while not received.endswith(session_create().to_json()):
                received += inside.recv(65_536)
            seen.append((names[0], received))
            inside.sendall(answer(200, CREATED))
        return False

    return behave


def test_no_host_is_missing() -> None:
    assert HOSTS.keys() == set(itertools.product(get_args(Region), get_args(Environment)))


@pytest.mark.parametrize(("credentials", "sent"), CREDENTIALS, ids=["mid", "uuid", "api-key"])
@pytest.mark.parametrize(("place", "host"), HOSTS.items(), ids=HOSTS.values())
def test_every_host_gets_either_kind_of_credentials(
    place: tuple[Region, Environment],
    host: str,
    credentials: dict[str, Any],
    sent: bytes,
    peer: Peer,
    make_client: MakeClient,
) -> None:
    seen: list[tuple[str, bytes]] = []
    peer.behaves(answers_over_tls(seen))
    client = make_client(
        base_url=None,
        region=place[0],
        environment=place[1],
        proxies={"https": peer.url},
        verify=str(CERTIFICATE),
        **{"username": None, "password": None, "api_key": None, **credentials},
    )
    assert client.sessions.create_credit_session(session_create()).session_id == "0b1d9815"
    assert peer.requests[0].startswith(f"CONNECT {host}:443 ".encode())
    # What is secret goes to Klarna alone.
    assert b"uthorization" not in peer.requests[0]
    ((name, request),) = seen
    assert name == host
    assert f"\r\nHost: {host}\r\n".encode() in request
    assert b"\r\nAuthorization: Basic " + sent + b"\r\n" in request

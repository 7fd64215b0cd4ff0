"""What Klarna would refuse for its size is refused before it is sent."""

import pytest

from django_klarna.api import KlarnaClient, KlarnaConnectionError, KlarnaValidationError, Session
from django_klarna.api.connections import MAX_HEAD_BYTES, MAX_HEADER_BYTES
from django_klarna.api.transport import MAX_BODY_BYTES
from tests.api.conftest import MakeClient, Peer, answer
from tests.api.payloads import CREATED, order_line, session_create


def of_size(size: int) -> Session:
    """A session whose JSON has so many bytes."""
    session = Session(design="")
    return session.replace(design="x" * (size - len(session.to_json())))


def test_a_body_of_the_greatest_size_is_sent(peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client.sessions.update_credit_session("s", of_size(MAX_BODY_BYTES))
    assert peer.requests[0].endswith(b'xxx"}')


def test_a_larger_body_is_refused(peer: Peer, klarna_client: KlarnaClient) -> None:
    with pytest.raises(KlarnaValidationError, match="fewer order lines") as caught:
        klarna_client.sessions.update_credit_session("s", of_size(MAX_BODY_BYTES + 1))
    (violation,) = caught.value.violations
    assert (violation.rule, violation.expected) == ("max_bytes", MAX_BODY_BYTES)
    assert violation.actual == MAX_BODY_BYTES + 1
    assert peer.connections == 0


def test_a_thousand_ordinary_lines_are_well_below(peer: Peer, klarna_client: KlarnaClient) -> None:
    peer.behaves(answer(200, CREATED))
    lines = [order_line(name="Ö" * 100, product_url="https://shop.example/" + "x" * 80)] * 1000
    klarna_client.sessions.create_credit_session(session_create(order_lines=lines))
    assert len(peer.requests) == 1


@pytest.mark.parametrize("option", ["api_key", "user_agent"])
def test_an_option_that_makes_a_header_too_long_is_refused(option: str, make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match=f"longer than {MAX_HEADER_BYTES} bytes"):
        make_client(**{"api_key": "k", option: "planted" * 1000})
    with pytest.raises(ValueError, match="Authorization"):
        make_client(password="planted" * 1000)


@pytest.mark.parametrize(
    "added",
    [
        {"Baggage": "x" * MAX_HEADER_BYTES},
        {f"X-{number}": "x" * 4000 for number in range(1 + MAX_HEAD_BYTES // 4000)},
    ],
    ids=["one", "all"],
)
def test_headers_that_a_tracing_library_adds_may_be_too_long(
    added: dict[str, str], peer: Peer, klarna_client: KlarnaClient
) -> None:
    # Such libraries add their headers to the prepared request, behind the client's back.
    klarna_client._transport._template("POST").headers.update(added)
    with pytest.raises(KlarnaConnectionError, match=r"\(HeadTooLargeError\); nothing was sent") as caught:
        klarna_client.sessions.update_credit_session("s", Session())
    assert caught.value.sent is False
    assert peer.requests == []


def test_headers_that_just_fit_are_sent(peer: Peer, klarna_client: KlarnaClient) -> None:
    klarna_client._transport._template("POST").headers["Baggage"] = "x" * (MAX_HEADER_BYTES - len("Baggage"))
    for _ in range(4):
        klarna_client.sessions.update_credit_session("s", Session())
    assert (peer.connections, len(peer.requests)) == (1, 4)

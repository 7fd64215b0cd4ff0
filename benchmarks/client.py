"""The client, against `requests.Session` with bare dicts: what a shop would write without it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from benchmarks import payloads, server
from benchmarks.ratios import Call, Case, Result, Way, measured
from django_klarna.api import KlarnaClient, MerchantUrls, OrderLine, SessionCreate

_ROUNDS: Final = 41
_FEW_ROUNDS: Final = 7


@dataclass(frozen=True, kw_only=True)
class _Size:
    """A cart of so many lines, and the most that each operation may take of the time of requests."""

    lines: int
    ready: float
    plain: float
    read: float
    calls: int
    """So many in one round, of which the quickest counts."""


_SIZES: Final = (
    _Size(lines=1, ready=0.8, plain=0.8, read=0.8, calls=20),
    _Size(lines=10, ready=0.8, plain=0.8, read=0.8, calls=20),
    _Size(lines=100, ready=1.0, plain=1.2, read=1.2, calls=10),
    _Size(lines=1000, ready=1.4, plain=2.0, read=2.1, calls=5),
)


def results(*, quick: bool) -> list[Result]:
    """Measure each operation at each size."""
    answers = {
        f"POST {payloads.PATH}": payloads.created(),
        **{f"GET {payloads.PATH}/{size.lines}": payloads.read(size.lines) for size in _SIZES},
    }
    with (
        server.running(answers) as url,
        KlarnaClient(api_key="k", base_url=url) as client,
        requests.Session() as bare,
    ):
        ways = _Ways(client, bare, url + payloads.PATH)
        cases = [case for size in _SIZES for case in _cases(size, ways)]
        return measured(cases, rounds=_FEW_ROUNDS if quick else _ROUNDS)


class _Ways:
    """The ways to make each call, ours and theirs."""

    def __init__(self, client: KlarnaClient, bare: requests.Session, url: str) -> None:
        self._sessions = client.sessions
        self._bare = bare
        self._url = url

    def post(self, data: Mapping[str, Any]) -> Way:
        return lambda: lambda: self._bare.post(self._url, json=data).json()

    def get(self, lines: int) -> Way:
        return lambda: lambda: self._bare.get(f"{self._url}/{lines}").json()

    def create_from_objects(self, data: Mapping[str, Any]) -> Way:
        def prepare() -> Call:
            session = _objects(data)
            return lambda: self._sessions.create_credit_session(session)

        return prepare

    def create_from_plain_data(self, data: Mapping[str, Any]) -> Way:
        return lambda: lambda: self._sessions.create_credit_session(SessionCreate.from_dict(data))

    def read(self, lines: int) -> Way:
        return lambda: lambda: self._sessions.read_credit_session(str(lines))


def _objects(data: Mapping[str, Any]) -> SessionCreate:
    # Made for each call: what was checked once is not checked again.
    lines = [OrderLine(**line) for line in data["order_lines"]]
    urls = MerchantUrls(**data["merchant_urls"])
    return SessionCreate(**{**data, "order_lines": lines, "merchant_urls": urls})


def _cases(size: _Size, ways: _Ways) -> Iterator[Case]:
    data = payloads.create(size.lines)
    post, get = ways.post(data), ways.get(size.lines)
    for name, goal, ours, theirs in (
        ("create, objects ready", size.ready, ways.create_from_objects(data), post),
        ("create, from plain data", size.plain, ways.create_from_plain_data(data), post),
        ("read", size.read, ways.read(size.lines), get),
    ):
        yield Case(name=f"{name}, {size.lines}", goal=goal, ours=ours, theirs=theirs, calls=size.calls)

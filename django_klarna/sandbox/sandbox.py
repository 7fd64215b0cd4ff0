"""The local Klarna as a state machine: a request goes in, a response comes out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from threading import RLock
from typing import Unpack

from django_klarna.sandbox import answers
from django_klarna.sandbox.calls import Call, Route, route
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.control import control
from django_klarna.sandbox.credentials import owner
from django_klarna.sandbox.delivery import Delivery, Errand
from django_klarna.sandbox.faults import Fault, Faults, HowItFails
from django_klarna.sandbox.limits import RateLimits
from django_klarna.sandbox.merchants import REGIONS, Merchant, Merchants
from django_klarna.sandbox.messages import Drop, Request, Response, method_not_allowed, parse_json
from django_klarna.sandbox.sdk import browser_file, widget_session
from django_klarna.sandbox.sessions import Sessions, merchant_session, session_read
from django_klarna.sandbox.tokens import ClientTokens
from django_klarna.sandbox.updates import UpdateReading

# Klarna writes "1 MB"; which megabyte is meant is assumed.
MAX_BODY_BYTES = 1024 * 1024


class Sandbox:
    """Answer as Klarna Payments would, from sessions, faults and a clock of its own; safe between threads.

    `base_url` is the address under which a browser reaches this sandbox; a server sets it when it starts.
    `region` is that of the host which it stands in for: `eu`, `na` or `oc`. `merchants` says, by user name or API
    key, who is not at home there or may not do everything. `wrong_passwords` are the passwords and API keys that
    get a 401; any other not empty is accepted. `rate_limits` are those of `live` or of the `playground`, None for
    no limits. `update_extends_expiry`, `update_merges_objects` and `update_clears_null` choose a reading where
    Klarna leaves one open, as `UpdateReading` describes.

    Raises:
        ValueError: an unknown region or environment.

    """

    def __init__(  # noqa: PLR0913 - one keyword for each switch
        self,
        *,
        base_url: str = "http://127.0.0.1:8100",
        region: str = "eu",
        merchants: Mapping[str, Merchant] | None = None,
        wrong_passwords: Collection[str] = ("wrong",),
        rate_limits: str | None = None,
        update_extends_expiry: bool = False,
        update_merges_objects: bool = False,
        update_clears_null: bool = False,
    ) -> None:
        if region not in REGIONS:
            raise ValueError(f"region: must be one of {', '.join(REGIONS)}")
        self.base_url = base_url
        self.merchants = Merchants(merchants or {})
        self._region = region
        self._wrong_passwords = frozenset(wrong_passwords)
        self._lock = RLock()
        self._clock = Clock()
        self._tokens = ClientTokens()
        self._calls: list[Call] = []
        self._faults = Faults()
        self._limits = RateLimits(rate_limits, self._clock)
        self._delivery = Delivery(self._clock)
        self._sessions = Sessions(
            clock=self._clock,
            tokens=self._tokens,
            merchants=self.merchants,
            reading=UpdateReading(
                extends_expiry=update_extends_expiry,
                merges_objects=update_merges_objects,
                clears_null=update_clears_null,
            ),
        )

    def handle(self, request: Request) -> Response | Drop:
        """Return the answer to a request; waiting for its delay is left to the caller."""
        with self._lock:
            self._delivery.do_what_is_due()
            if request.path.startswith("/_sandbox/"):
                return control(self, request)
            if request.path == "/kp/lib/v1/session":
                return widget_session(request, self._sessions, self._tokens)
            return browser_file(request) or self._klarna(request)

    @property
    def sessions(self) -> Sessions:
        """Return the sessions by id."""
        with self._lock:
            self._delivery.do_what_is_due()
            return self._sessions

    @property
    def calls(self) -> list[Call]:
        """Return the calls of Klarna's API received so far, oldest first."""
        with self._lock:
            self._delivery.do_what_is_due()
            return list(self._calls)

    @property
    def faults(self) -> list[Fault]:
        """Return the pending faults, the next one first."""
        with self._lock:
            return self._faults.pending()

    @property
    def now(self) -> datetime:
        """Return the sandbox's time in UTC."""
        return self._clock.now()

    def fail_next(self, operation: str | None = None, **how: Unpack[HowItFails]) -> None:
        """Make the next calls of an operation, or of any, go wrong as `Fault` describes.

        Raises:
            ValueError: the arguments make no fault.

        """
        self.add_fault(Fault(operation=operation, **how))

    def add_fault(self, fault: Fault) -> None:
        """Append a fault to those pending."""
        with self._lock:
            self._faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the pending faults."""
        with self._lock:
            self._faults.clear()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward.

        Raises:
            ValueError: less than nothing or more than ten years.

        """
        with self._lock:
            self._clock.advance(seconds)

    def complete(self, session_id: str) -> None:
        """Close a session as placing an order does.

        Raises:
            KeyError: there is no session of this id.

        """
        with self._lock:
            self.sessions[session_id].status = "complete"

    def reset(self) -> None:
        """Forget all that was sent and set, and go back to the real time and the merchants given."""
        with self._lock:
            self._delivery.reset()
            self._limits.reset()
            self._sessions.clear()
            self._calls.clear()
            self._faults.clear()
            self.merchants.reset()
            self._clock.reset()

    def _klarna(self, request: Request) -> Response | Drop:
        asked = route(request.method, request.path)
        call = self._record(asked, request)
        errand = Errand(
            asked,
            do=partial(self._perform, request, asked, call),
            repeat=lambda: self._perform(request, asked, self._record(asked, request)),
        )
        fault = self._faults.take(asked.operation)
        answer = self._delivery.deliver(errand, fault) if fault else self._delivery.arrive(errand)
        if isinstance(answer, Response):
            call.status = answer.status
        return answer

    def _record(self, asked: Route, request: Request) -> Call:
        body = parse_json(request.body) if len(request.body) <= MAX_BODY_BYTES else None
        call = Call(operation=asked.operation, body=body, at=self.now, session_id=asked.session_id)
        self._calls.append(call)
        return call

    def _perform(self, request: Request, asked: Route, call: Call) -> Response:
        if not asked.allowed:
            return answers.not_found("No such resource")
        if asked.operation not in self._operations:
            return method_not_allowed(asked.allowed)
        caller = owner(request.header("Authorization"), self._wrong_passwords)
        if caller is None or self.merchants[caller].region not in (None, self._region):
            return answers.unauthorized()
        left: Mapping[str, str] = {}
        try:
            left = self._limits.spend(caller, asked.operation)
            answer = self._admitted(request, caller, call)
        except answers.RefusedError as refused:
            answer = refused.response
        return replace(answer, headers={**left, **answer.headers})

    def _admitted(self, request: Request, caller: str, call: Call) -> Response:
        if not self.merchants[caller].active:
            raise answers.RefusedError(answers.inactive())
        if len(request.body) > MAX_BODY_BYTES:
            raise answers.RefusedError(answers.too_large())
        return self._operations[call.operation](caller, call)

    @property
    def _operations(self) -> dict[str, Callable[[str, Call], Response]]:
        return {
            "create_credit_session": self._create,
            "read_credit_session": self._read,
            "update_credit_session": self._update,
        }

    def _create(self, caller: str, call: Call) -> Response:
        session = self._sessions.create(caller, _object(call.body), self.base_url)
        call.session_id = session.session_id
        return answers.ok(merchant_session(session, self._sessions.categories(session), self.base_url))

    def _read(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        return answers.ok(session_read(session, self._sessions.categories(session), self.base_url))

    def _update(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        self._sessions.merge(session, _object(call.body))
        return answers.no_content()


def _object(body: object) -> dict[str, object]:
    if not isinstance(body, dict):
        raise answers.RefusedError(answers.bad_request())
    return body

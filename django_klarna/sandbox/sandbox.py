"""The local Klarna as a state machine: a request goes in, a response comes out."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from threading import RLock

from django_klarna.sandbox import answers
from django_klarna.sandbox.calls import Call, Route, route
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.control import control
from django_klarna.sandbox.credentials import owner
from django_klarna.sandbox.faults import Fault, Faults
from django_klarna.sandbox.messages import Drop, Request, Response, method_not_allowed, parse_json
from django_klarna.sandbox.sdk import browser_file, widget_session
from django_klarna.sandbox.sessions import Sessions, merchant_session, session_read
from django_klarna.sandbox.tokens import ClientTokens

# Klarna writes "1 MB"; which megabyte is meant is assumed.
MAX_BODY_BYTES = 1024 * 1024


class Sandbox:
    """Answer as Klarna Payments would, from sessions, faults and a clock of its own; safe between threads.

    `base_url` is the address under which a browser reaches this sandbox; a server sets it when it starts.
    `update_extends_expiry` counts the 48 hours of a session from its last update (Klarna's guides disagree).
    `wrong_passwords` are the passwords and API keys that get a 401; any other not empty is accepted.
    """

    def __init__(
        self,
        *,
        base_url: str = "http://127.0.0.1:8100",
        update_extends_expiry: bool = False,
        wrong_passwords: Collection[str] = ("wrong",),
    ) -> None:
        self.base_url = base_url
        self._wrong_passwords = frozenset(wrong_passwords)
        self._lock = RLock()
        self._clock = Clock()
        self._tokens = ClientTokens()
        self._calls: list[Call] = []
        self._faults = Faults()
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._sessions = Sessions(
            clock=self._clock, tokens=self._tokens, update_extends_expiry=update_extends_expiry
        )

    def handle(self, request: Request) -> Response | Drop:
        """Return the answer to a request; waiting for its delay is left to the caller."""
        with self._lock:
            self._do_what_is_due()
            if request.path.startswith("/_sandbox/"):
                return control(self, request)
            if request.path == "/kp/lib/v1/session":
                return widget_session(request, self._sessions, self._tokens)
            return browser_file(request) or self._klarna(request)

    @property
    def sessions(self) -> Sessions:
        """Return the sessions by id."""
        with self._lock:
            self._do_what_is_due()
            return self._sessions

    @property
    def calls(self) -> list[Call]:
        """Return the calls of Klarna's API received so far, oldest first."""
        with self._lock:
            self._do_what_is_due()
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

    def fail_next(  # noqa: PLR0913  one keyword for each field of a fault
        self,
        operation: str | None = None,
        *,
        status: int | None = None,
        error_code: str | None = None,
        retry_after: float | None = None,
        delay: float = 0,
        drop: str | bool | None = None,
        count: int = 1,
    ) -> None:
        """Make the next calls of an operation, or of any, go wrong as `Fault` describes.

        Raises:
            ValueError: the arguments make no fault.

        """
        self.add_fault(
            Fault(
                operation=operation,
                status=status,
                error_code=error_code,
                retry_after=retry_after,
                delay=delay,
                drop=drop,
                count=count,
            )
        )

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
        """Forget sessions, calls, faults and late requests, and go back to the real time."""
        with self._lock:
            self._late.clear()
            self._sessions.clear()
            self._calls.clear()
            self._faults.clear()
            self._clock.reset()

    def _klarna(self, request: Request) -> Response | Drop:
        asked = route(request.method, request.path)
        body = parse_json(request.body) if len(request.body) <= MAX_BODY_BYTES else None
        call = Call(operation=asked.operation, body=body, at=self.now, session_id=asked.session_id)
        self._calls.append(call)
        answer = self._faulty(request, asked, call)
        if isinstance(answer, Response):
            call.status = answer.status
        return answer

    def _faulty(self, request: Request, asked: Route, call: Call) -> Response | Drop:
        fault = self._faults.take(asked.operation)
        if fault is None:
            return self._perform(request, asked, call)
        if fault.drop == "before":
            return Drop(delay=fault.delay)
        if fault.drop == "late":
            due = self.now + timedelta(seconds=fault.delay)
            self._late.append((due, partial(self._perform, request, asked, call)))
            return Drop()
        if fault.status is not None:
            response = answers.for_status(fault.status, fault.error_code, fault.retry_after)
        else:
            response = self._perform(request, asked, call)
        return Drop(delay=fault.delay) if fault.drop else replace(response, delay=fault.delay)

    def _do_what_is_due(self) -> None:
        # No timer: a late request shows only to who looks, so it is done before anyone does.
        now = self.now
        due = sorted((late for late in self._late if late[0] <= now), key=itemgetter(0))
        self._late = [late for late in self._late if late[0] > now]
        for _moment, perform in due:
            perform()

    def _perform(self, request: Request, asked: Route, call: Call) -> Response:
        if not asked.allowed:
            return answers.not_found("No such resource")
        operation = self._operations.get(asked.operation)
        if operation is None:
            return method_not_allowed(asked.allowed)
        caller = owner(request.header("Authorization"), self._wrong_passwords)
        if caller is None:
            return answers.unauthorized()
        if len(request.body) > MAX_BODY_BYTES:
            return answers.too_large()
        try:
            return operation(caller, call)
        except answers.RefusedError as refused:
            return refused.response

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
        return answers.ok(merchant_session(session, self.base_url))

    def _read(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        return answers.ok(session_read(session, self.base_url))

    def _update(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        self._sessions.merge(session, _object(call.body))
        return answers.no_content()


def _object(body: object) -> dict[str, object]:
    if not isinstance(body, dict):
        raise answers.RefusedError(answers.bad_request())
    return body

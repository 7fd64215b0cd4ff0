"""Klarna's gateway: each call is recorded, may go wrong, and has to be let in."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial

from django_klarna.sandbox import answers
from django_klarna.sandbox.calls import UNKNOWN, Call, Route, route
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.credentials import owner
from django_klarna.sandbox.delivery import Delivery, Errand
from django_klarna.sandbox.faults import Faults
from django_klarna.sandbox.limits import RateLimits
from django_klarna.sandbox.merchants import Merchants
from django_klarna.sandbox.messages import Drop, Request, Response, method_not_allowed, parse_json
from django_klarna.sandbox.operations import Operations

# Klarna writes "1 MB"; which megabyte is meant is assumed.
MAX_BODY_BYTES = 1024 * 1024


class Gateway:
    """Keep the calls and the faults to come, and pass on what is let in."""

    def __init__(  # noqa: PLR0913 - all that decides who is let in
        self,
        *,
        clock: Clock,
        operations: Operations,
        merchants: Merchants,
        region: str,
        wrong_passwords: Collection[str],
        rate_limits: str | None,
    ) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.delivery = Delivery(clock)
        self._clock = clock
        self._operations = operations
        self._merchants = merchants
        self._region = region
        self._wrong_passwords = frozenset(wrong_passwords)
        self._limits = RateLimits(rate_limits, clock)

    def handle(self, request: Request) -> Response | Drop:
        """Return the answer to a request, or what becomes of it."""
        asked = route(request.method, request.path)
        call = self._record(asked, request)
        errand = Errand(
            asked,
            do=partial(self._perform, request, asked, call),
            repeat=lambda: self._perform(request, asked, self._record(asked, request)),
        )
        fault = self.faults.take(asked.operation)
        answer = self.delivery.deliver(errand, fault) if fault else self.delivery.arrive(errand)
        if isinstance(answer, Response):
            call.status = answer.status
        return answer

    def reset(self) -> None:
        """Forget the calls, the faults, what is under way and what was spent."""
        self.calls.clear()
        self.faults.clear()
        self.delivery.reset()
        self._limits.reset()

    def _record(self, asked: Route, request: Request) -> Call:
        body = parse_json(request.body) if len(request.body) <= MAX_BODY_BYTES else None
        call = Call(
            operation=asked.operation,
            body=body,
            at=self._clock.now(),
            session_id=asked.session_id,
            authorization_token=asked.authorization_token,
            order_id=asked.order_id,
        )
        self.calls.append(call)
        return call

    def _perform(self, request: Request, asked: Route, call: Call) -> Response:
        if not asked.allowed:
            return answers.not_found("No such resource")
        if asked.operation == UNKNOWN:
            return method_not_allowed(asked.allowed)
        caller = owner(request.header("Authorization"), self._wrong_passwords)
        if caller is None or self._merchants[caller].region not in (None, self._region):
            return answers.unauthorized()
        left: Mapping[str, str] = {}
        try:
            left = self._limits.spend(caller, asked.operation)
            answer = self._admitted(request, caller, call)
        except answers.RefusedError as refused:
            answer = refused.response
        return replace(answer, headers={**left, **answer.headers})

    def _admitted(self, request: Request, caller: str, call: Call) -> Response:
        if not self._merchants[caller].active:
            raise answers.RefusedError(answers.inactive())
        if len(request.body) > MAX_BODY_BYTES:
            raise answers.RefusedError(answers.too_large())
        return self._operations.perform(caller, call)

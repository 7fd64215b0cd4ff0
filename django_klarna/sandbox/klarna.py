"""Klarna's parts, put together."""

from collections.abc import Collection
from threading import Condition

from django_klarna.sandbox.authorizations import Authorizations
from django_klarna.sandbox.callbacks import Callbacks
from django_klarna.sandbox.checkout import Checkout
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.gateway import Gateway
from django_klarna.sandbox.merchants import Merchants
from django_klarna.sandbox.messages import Drop, Request, Response
from django_klarna.sandbox.operations import Operations
from django_klarna.sandbox.orders import Orders, confirmation
from django_klarna.sandbox.sdk import browser_file, widget_call
from django_klarna.sandbox.sessions import Sessions
from django_klarna.sandbox.switches import Switches
from django_klarna.sandbox.tokens import ClientTokens
from django_klarna.sandbox.updates import UpdateReading


class Klarna:
    """Hold what a sandbox consists of; whoever uses it holds the lock of `changed`."""

    def __init__(  # noqa: PLR0913 - one keyword for each thing that is chosen
        self,
        *,
        switches: Switches,
        changed: Condition,
        region: str,
        merchants: Merchants,
        wrong_passwords: Collection[str],
        rate_limits: str | None,
        reading: UpdateReading,
    ) -> None:
        self.clock = clock = Clock()
        self.callbacks = callbacks = Callbacks(clock, changed)
        self._tokens = tokens = ClientTokens()
        self.sessions = Sessions(clock=clock, tokens=tokens, merchants=merchants, reading=reading)
        self.authorizations = Authorizations(clock=clock, sessions=self.sessions, switches=switches)
        self.checkout = Checkout(self.sessions, self.authorizations, callbacks)
        self.orders = Orders(
            clock=clock,
            sessions=self.sessions,
            authorizations=self.authorizations,
            callbacks=callbacks,
            merchants=merchants,
            switches=switches,
        )
        self.gateway = Gateway(
            clock=clock,
            operations=Operations(self.sessions, self.authorizations, self.orders, switches),
            merchants=merchants,
            region=region,
            wrong_passwords=wrong_passwords,
            rate_limits=rate_limits,
        )

    def arrive(self) -> None:
        """Do the late requests whose time has come."""
        self.gateway.delivery.do_what_is_due()

    def handle(self, request: Request) -> Response | Drop:
        """Return the answer to a request of a browser or a merchant."""
        if request.path.startswith("/kp/redirect/"):
            return confirmation(request, self.orders)
        found = widget_call(request, self.checkout, self._tokens) or browser_file(request)
        return found or self.gateway.handle(request)

    def reset(self) -> None:
        """Forget all that was sent, and go back to the real time."""
        self.gateway.reset()
        self.sessions.clear()
        self.authorizations.clear()
        self.orders.clear()
        self.callbacks.reset()
        self.clock.reset()

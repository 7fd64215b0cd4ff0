"""The local Klarna as a state machine: a request goes in, a response comes out."""

from collections.abc import Collection, Mapping
from datetime import datetime
from threading import Condition, RLock
from typing import Any, Unpack

from django_klarna.sandbox.authorizations import Authorizations
from django_klarna.sandbox.callbacks import Callback
from django_klarna.sandbox.calls import Call
from django_klarna.sandbox.control import control
from django_klarna.sandbox.courier import Courier
from django_klarna.sandbox.faults import Fault, HowItFails
from django_klarna.sandbox.klarna import Klarna
from django_klarna.sandbox.merchants import REGIONS, Merchant, Merchants
from django_klarna.sandbox.messages import Drop, Request, Response
from django_klarna.sandbox.orders import Orders
from django_klarna.sandbox.sessions import Sessions
from django_klarna.sandbox.switches import Switches
from django_klarna.sandbox.updates import UpdateReading


class Sandbox(Switches):
    """Answer as Klarna Payments would, from sessions, orders, faults and a clock of its own; safe between threads.

    `base_url` is the address under which a browser reaches this sandbox; a server sets it when it starts.
    `region` is that of the host which it stands in for: `eu`, `na` or `oc`. `merchants` says, by user name or API
    key, who is not at home there or may not do everything. `wrong_passwords` are the passwords and API keys that
    get a 401; any other not empty is accepted. `rate_limits` are those of `live` or of the `playground`, None for
    no limits. `update_extends_expiry`, `update_merges_objects` and `update_clears_null` choose a reading where
    Klarna leaves one open, as `UpdateReading` describes; `read_shows_authorization_token`,
    `update_voids_authorization` and `replayed_order` do, as `Switches` describes, and may be set at any time.

    Raises:
        ValueError: an unknown region, environment or reading.

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
        read_shows_authorization_token: bool = True,
        update_voids_authorization: bool = True,
        replayed_order: str = "order",
    ) -> None:
        if region not in REGIONS:
            raise ValueError(f"region: must be one of {', '.join(REGIONS)}")
        super().__init__(
            base_url=base_url,
            read_shows_authorization_token=read_shows_authorization_token,
            update_voids_authorization=update_voids_authorization,
            replayed_order=replayed_order,
        )
        self.merchants = Merchants(merchants or {})
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._klarna = Klarna(
            switches=self,
            changed=self._changed,
            region=region,
            merchants=self.merchants,
            wrong_passwords=wrong_passwords,
            rate_limits=rate_limits,
            reading=UpdateReading(
                extends_expiry=update_extends_expiry,
                merges_objects=update_merges_objects,
                clears_null=update_clears_null,
            ),
        )
        self.courier = Courier(self._klarna.callbacks, self._changed)

    def handle(self, request: Request) -> Response | Drop:
        """Return the answer to a request; waiting for its delay is left to the caller."""
        with self._lock:
            self._klarna.arrive()
            if not request.path.startswith("/_sandbox/"):
                return self._klarna.handle(request)
        # Without the lock, for steering may mean to send a callback, and who gets it may ask the sandbox.
        return control(self, request)

    @property
    def sessions(self) -> Sessions:
        """Return the sessions by id."""
        with self._lock:
            self._klarna.arrive()
            return self._klarna.sessions

    @property
    def authorizations(self) -> Authorizations:
        """Return the authorizations by token, oldest first."""
        with self._lock:
            self._klarna.arrive()
            return self._klarna.authorizations

    @property
    def orders(self) -> Orders:
        """Return the orders by id, oldest first."""
        with self._lock:
            self._klarna.arrive()
            return self._klarna.orders

    @property
    def callbacks(self) -> list[Callback]:
        """Return the callbacks to the merchants' servers, oldest first."""
        with self._lock:
            self._klarna.arrive()
            return list(self._klarna.callbacks)

    @property
    def calls(self) -> list[Call]:
        """Return the calls of Klarna's API received so far, oldest first."""
        with self._lock:
            self._klarna.arrive()
            return list(self._klarna.gateway.calls)

    @property
    def faults(self) -> list[Fault]:
        """Return the pending faults, the next one first."""
        with self._lock:
            return self._klarna.gateway.faults.pending()

    @property
    def now(self) -> datetime:
        """Return the sandbox's time in UTC."""
        return self._klarna.clock.now()

    def fail_next(self, operation: str | None = None, **how: Unpack[HowItFails]) -> None:
        """Make the next calls of an operation, or of any, go wrong as `Fault` describes.

        Raises:
            ValueError: the arguments make no fault.

        """
        self.add_fault(Fault(operation=operation, **how))

    def add_fault(self, fault: Fault) -> None:
        """Append a fault to those pending."""
        with self._lock:
            self._klarna.gateway.faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the pending faults."""
        with self._lock:
            self._klarna.gateway.faults.clear()

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward.

        Raises:
            ValueError: less than nothing or more than ten years.

        """
        with self._lock:
            self._klarna.clock.advance(seconds)
            self._changed.notify_all()

    def complete(self, session_id: str) -> None:
        """Close a session as placing an order does.

        Raises:
            KeyError: there is no session of this id.

        """
        with self._lock:
            self.sessions[session_id].status = "complete"

    def authorize(
        self, session_id: str, data: Mapping[str, object] | None = None, *, decision: str = "approve"
    ) -> dict[str, Any]:
        """Authorize a session as the SDK does when the shopper has decided, and return what its callback gets.

        `data` are merged into the session as an update is. `approve` gives a token, `decline` and `close` none;
        with `pending` and `fraud` the order will have that fraud status (`PENDING`, `REJECTED`), with `reject` it
        will be refused.

        Raises:
            KeyError: there is no session of this id.
            ValueError: there is no such decision.

        """
        with self._lock:
            return self._klarna.checkout.authorize(self.sessions[session_id].session_id, data, decision)

    def decide(self, order_id: str, fraud_status: str) -> None:
        """End the review of a pending order with `ACCEPTED` or `REJECTED`, and notify the merchant.

        Raises:
            KeyError: there is no order of this id.
            ValueError: it is not pending, or there is no such decision.

        """
        with self._lock:
            self.orders.decide(order_id, fraud_status)

    def callback_mode(self, mode: str, *, delay: float = 0, kind: str | None = None) -> None:
        """Say what becomes of callbacks until the next reset: `deliver`, `drop` or `duplicate`.

        They begin `delay` seconds later on the sandbox's clock. `kind` is `authorization`, `notification` or
        `push`; None stands for all.

        Raises:
            ValueError: there is no such mode or kind, or the delay is none.

        """
        with self._lock:
            self._klarna.callbacks.set_mode(mode, delay, kind)

    def deliver(self, index: int) -> Callback:
        """Send the callback at this place of `callbacks` now, once more if it was sent, and return it.

        To another machine nothing is sent.

        Raises:
            IndexError: there is none.

        """
        with self._lock:
            if index < 0:
                raise IndexError(index)
            callback = self.callbacks[index]
        self.courier.deliver(callback)
        return callback

    def reset(self) -> None:
        """Forget all that was sent and set, and go back to the real time and what was given at the start."""
        with self._lock:
            self._klarna.reset()
            self.merchants.reset()
            self.reset_switches()

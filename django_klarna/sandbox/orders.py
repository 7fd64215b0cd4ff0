"""Orders: placed once for each session, with the token of an authorization.

Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/step-3-create-an-order
That a failed answer is given again for the same token is reported by one of Klarna's engineers:
https://github.com/krokedil/klarna-payments-for-woocommerce/issues/31
"""

from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from django_klarna.sandbox import answers
from django_klarna.sandbox.authorizations import Authorizations, SandboxAuthorization
from django_klarna.sandbox.callbacks import Callbacks
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.contract import ORDER, writable
from django_klarna.sandbox.matching import order_mismatches
from django_klarna.sandbox.merchants import Merchants
from django_klarna.sandbox.messages import Request, Response, method_not_allowed
from django_klarna.sandbox.sessions import Sessions
from django_klarna.sandbox.switches import Switches
from django_klarna.sandbox.validation import checked

# What becomes of the order, by what was decided before the widget; None: it is refused.
FRAUD_STATUSES: Final = {"approve": "ACCEPTED", "pending": "PENDING", "fraud": "REJECTED", "reject": None}
DECIDED: Final = ("ACCEPTED", "REJECTED")


@dataclass(slots=True, kw_only=True)
class SandboxOrder:
    """Hold one order: what the merchant sent, and what Klarna added.

    `merchant_urls` are those of the order, and of its session where the order names none.
    """

    order_id: str
    session_id: str
    authorization_token: str
    owner: str
    body: dict[str, Any]
    fraud_status: str
    created_at: datetime
    merchant_urls: dict[str, str]
    status: Literal["AUTHORIZED"] = "AUTHORIZED"

    def with_ids(self, kind: str) -> str | None:
        """Return one of the merchant's URLs with the ids in their places.

        Source: the fields of `merchant_urls` in the contract, for all of them but `authorization`.
        """
        url = self.merchant_urls.get(kind)
        return url and url.replace("{order.id}", self.order_id).replace("{session.id}", self.session_id)

    def as_json(self) -> dict[str, object]:
        """Return the order as `/_sandbox/orders` lists it."""
        names = ("order_id", "session_id", "authorization_token", "body", "fraud_status", "status")
        return {name: getattr(self, name) for name in names}


class Orders(UserDict[str, SandboxOrder]):
    """Keep the orders by id, oldest first."""

    def __init__(  # noqa: PLR0913 - all that an order touches
        self,
        *,
        clock: Clock,
        sessions: Sessions,
        authorizations: Authorizations,
        callbacks: Callbacks,
        merchants: Merchants,
        switches: Switches,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._sessions = sessions
        self._authorizations = authorizations
        self._callbacks = callbacks
        self._merchants = merchants
        self._switches = switches

    def place(self, owner: str, token: str, sent: Mapping[str, object]) -> SandboxOrder:
        """Place the order of an authorized session, or return the one that was placed with this very body.

        Raises:
            RefusedError: the token or the body is no good, or Klarna does not approve.

        """
        body = writable(sent, ORDER)
        authorization = self._authorizations.owned(owner, token)
        if authorization.order_id is not None:
            return self._placed_before(self[authorization.order_id], body)
        self._authorizations.valid(owner, token)
        if authorization.failure is not None:
            raise answers.RefusedError(authorization.failure)
        return self._made(authorization, body, self._fraud_status(authorization, body))

    def decide(self, order_id: str, fraud_status: str) -> None:
        """End the review of a pending order, and notify the merchant.

        Raises:
            KeyError: there is no order of this id.
            ValueError: the order is not pending, or the status is not one that ends it.

        """
        order = self[order_id]
        if fraud_status not in DECIDED:
            raise ValueError(f"fraud_status: must be one of {', '.join(DECIDED)}")
        if order.fraud_status != "PENDING":
            raise ValueError("order_id: must be that of an order that is pending")
        order.fraud_status = fraud_status
        body = {"order_id": order_id, "event_type": f"FRAUD_RISK_{fraud_status}"}
        self._callbacks.record("notification", order.with_ids("notification"), body)

    def _placed_before(self, order: SandboxOrder, body: dict[str, Any]) -> SandboxOrder:
        refusals = {"consumed": answers.consumed, "completed": answers.session_completed}
        if body != order.body:
            raise answers.RefusedError(answers.completed_differently())
        if self._switches.replayed_order in refusals:
            raise answers.RefusedError(refusals[self._switches.replayed_order]())
        return order

    def _fraud_status(self, authorization: SandboxAuthorization, body: dict[str, Any]) -> str:
        try:
            return self._approved(authorization, body)
        except answers.RefusedError as refused:
            authorization.failure = refused.response
            raise

    def _approved(self, authorization: SandboxAuthorization, body: dict[str, Any]) -> str:
        checked(body, self._merchants[authorization.owner], ORDER)
        if authorization.content.get("intent") == "tokenize":
            raise answers.RefusedError(answers.invalid_operation("No order can be placed with this intent"))
        differing = list(order_mismatches(authorization.content, body))
        if differing:
            raise answers.RefusedError(answers.not_matching(differing))
        fraud_status = FRAUD_STATUSES[authorization.decision]
        if fraud_status is None:
            raise answers.RefusedError(answers.rejected())
        return fraud_status

    def _made(
        self, authorization: SandboxAuthorization, body: dict[str, Any], fraud_status: str
    ) -> SandboxOrder:
        urls = authorization.content.get("merchant_urls", {}) | body.get("merchant_urls", {})
        order = SandboxOrder(
            order_id=str(uuid4()),
            session_id=authorization.session_id,
            authorization_token=authorization.authorization_token,
            owner=authorization.owner,
            body=body,
            fraud_status=fraud_status,
            created_at=self._clock.now(),
            merchant_urls=urls,
        )
        self[order.order_id] = order
        authorization.state = "consumed"
        authorization.order_id = order.order_id
        self._sessions[order.session_id].status = "complete"
        self._callbacks.record("push", order.with_ids("push"), None)
        return order


def placed_order(order: SandboxOrder, base_url: str) -> dict[str, Any]:
    """Return what Klarna answers to a create; without a confirmation URL there is nowhere to redirect to."""
    answer = {
        "order_id": order.order_id,
        "fraud_status": order.fraud_status,
        "authorized_payment_method": {"type": "invoice"},
    }
    if order.merchant_urls.get("confirmation"):
        answer["redirect_url"] = f"{base_url}/kp/redirect/{order.order_id}"
    return answer


def confirmation(request: Request, orders: Mapping[str, SandboxOrder]) -> Response:
    """Return the redirect from a page of Klarna's to the merchant's confirmation; Klarna's sets a cookie there."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    order = orders.get(request.path.rpartition("/")[2])
    url = order and order.with_ids("confirmation")
    return answers.found(url) if url else answers.not_found("No such page")

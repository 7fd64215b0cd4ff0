"""The operations of Klarna's APIs, each for a call that was let in."""

from collections.abc import Callable
from typing import Any

from django_klarna.sandbox import answers
from django_klarna.sandbox.authorizations import Authorizations
from django_klarna.sandbox.calls import Call
from django_klarna.sandbox.customer_tokens import purchase_token
from django_klarna.sandbox.management import order_read, owned_order
from django_klarna.sandbox.messages import Response
from django_klarna.sandbox.orders import Orders, placed_order
from django_klarna.sandbox.sessions import Sessions, merchant_session, session_read
from django_klarna.sandbox.switches import Switches

Operation = Callable[[str, Call], Response]


class Operations:
    """Do what a call asks for, and note in it which session and order that was about."""

    def __init__(
        self, sessions: Sessions, authorizations: Authorizations, orders: Orders, switches: Switches
    ) -> None:
        self._sessions = sessions
        self._authorizations = authorizations
        self._orders = orders
        self._switches = switches
        self._by_name: dict[str, Operation] = {
            "create_credit_session": self._create,
            "read_credit_session": self._read,
            "update_credit_session": self._update,
            "create_order": self._create_order,
            "cancel_authorization": self._cancel,
            "purchase_token": self._purchase_token,
            "get_order": self._get_order,
        }

    def perform(self, caller: str, call: Call) -> Response:
        """Return the answer to a call of these credentials.

        Raises:
            RefusedError: what is asked for cannot be done.

        """
        authorization = self._authorizations.get(call.authorization_token or "")
        if authorization is not None:
            call.session_id = authorization.session_id
        return self._by_name[call.operation](caller, call)

    def _create(self, caller: str, call: Call) -> Response:
        base_url = self._switches.base_url
        session = self._sessions.create(caller, _object(call.body), base_url)
        call.session_id = session.session_id
        return answers.ok(merchant_session(session, self._sessions.categories(session), base_url))

    def _read(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        categories = self._sessions.categories(session)
        token = self._authorizations.readable_token(session)
        return answers.ok(session_read(session, categories, self._switches.base_url, token))

    def _update(self, caller: str, call: Call) -> Response:
        session = self._sessions.owned(caller, str(call.session_id))
        self._authorizations.change(session, _object(call.body))
        return answers.no_content()

    def _create_order(self, caller: str, call: Call) -> Response:
        token = str(call.authorization_token)
        self._authorizations.owned(caller, token)
        order = self._orders.place(caller, token, _object(call.body))
        call.order_id = order.order_id
        return answers.ok(placed_order(order, self._switches.base_url))

    def _cancel(self, caller: str, call: Call) -> Response:
        self._authorizations.cancel(caller, str(call.authorization_token))
        return answers.no_content()

    def _purchase_token(self, caller: str, call: Call) -> Response:
        authorization = self._authorizations.valid(caller, str(call.authorization_token))
        return answers.ok(purchase_token(authorization, _object(call.body)))

    def _get_order(self, caller: str, call: Call) -> Response:
        return answers.ok(order_read(owned_order(self._orders, caller, str(call.order_id))))


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise answers.RefusedError(answers.bad_request())
    return body

"""What the shopper's browser does with a session: pass data on, and have Klarna decide.

Source: https://docs.klarna.com/payments/web-payments/additional-resources/klarna-payments-sdk-reference
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.authorizations import Authorizations
from django_klarna.sandbox.callbacks import Callbacks
from django_klarna.sandbox.markets import DEFAULT_LOCALE
from django_klarna.sandbox.orders import FRAUD_STATUSES
from django_klarna.sandbox.sessions import SandboxSession, Sessions

# Whether Klarna may still be offered after what was no approval.
SHOWN_AFTER: Final = {"decline": False, "close": True}
DECISIONS: Final = (*FRAUD_STATUSES, *SHOWN_AFTER)


class Checkout:
    """Change and authorize sessions as the SDK does."""

    def __init__(self, sessions: Sessions, authorizations: Authorizations, callbacks: Callbacks) -> None:
        self._sessions = sessions
        self._authorizations = authorizations
        self._callbacks = callbacks

    def open_session(self, session_id: str) -> SandboxSession:
        """Return a session with which something can still be bought.

        Raises:
            RefusedError: it is unknown, expired or completed.

        """
        session = self._sessions.live(session_id)
        if session.status == "complete":
            raise answers.RefusedError(answers.session_completed())
        return session

    def change(self, session_id: str, data: object) -> SandboxSession:
        """Merge the data of a load() or an authorize() into a session, and return the session.

        Raises:
            RefusedError: the session is over, or the data would not pass in an update.
            ValueError: the data are no object.

        """
        if data is not None and not isinstance(data, Mapping):
            raise ValueError("data: must be an object")
        session = self.open_session(session_id)
        if data:
            self._authorizations.change(session, data)
        return session

    def authorize(self, session_id: str, data: object, decision: object) -> dict[str, Any]:
        """Let Klarna decide, and return what the callback of the SDK's method gets.

        Raises:
            ValueError: there is no such decision, or the data are no object.

        """
        if decision not in DECISIONS:
            raise ValueError(f"decision: must be one of {', '.join(DECISIONS)}")
        try:
            session = self.change(session_id, data)
        except answers.RefusedError as refused:
            return _refusal(refused)
        return self._decided(session, str(decision))

    def widget(self, session: SandboxSession) -> dict[str, object]:
        """Return what the widget shows of a session."""
        content = session.content
        return {
            "order_amount": content["order_amount"],
            "purchase_currency": content["purchase_currency"].upper(),
            "locale": content.get("locale", DEFAULT_LOCALE),
            "quantity": sum(line["quantity"] for line in content["order_lines"] if _is_goods(line)),
            "payment_method_categories": self._sessions.categories(session),
        }

    def _decided(self, session: SandboxSession, decision: str) -> dict[str, Any]:
        if decision in SHOWN_AFTER:
            return {"approved": False, "show_form": SHOWN_AFTER[decision]}
        token = self._authorizations.grant(session, decision).authorization_token
        body = {"authorization_token": token, "session_id": session.session_id}
        url = session.content.get("merchant_urls", {}).get("authorization")
        self._callbacks.record("authorization", url, body)
        return {"approved": True, "show_form": True, "authorization_token": token}


def problem(refused: answers.RefusedError) -> dict[str, Any]:
    """Return the error of an answer as the SDK gives it, with the fields that the shopper can mend."""
    content: dict[str, Any] = json.loads(refused.response.body)
    return content | ({"invalid_fields": list(refused.invalid_fields)} if refused.invalid_fields else {})


def _refusal(refused: answers.RefusedError) -> dict[str, Any]:
    return {"approved": False, "show_form": bool(refused.invalid_fields), "error": problem(refused)}


def _is_goods(line: dict[str, object]) -> bool:
    return line.get("type", "physical") in ("physical", "digital")

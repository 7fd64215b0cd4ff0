"""Authorizations: what the shopper agreed to, and the token that an order is placed with.

Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/step-3-create-an-order
and https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/cancel-an-authorization
"""

from collections import UserDict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from django_klarna.sandbox import answers
from django_klarna.sandbox.clock import Clock
from django_klarna.sandbox.messages import Response
from django_klarna.sandbox.sessions import SandboxSession, Sessions
from django_klarna.sandbox.switches import Switches

LIFETIME: Final = timedelta(minutes=60)


@dataclass(slots=True, kw_only=True)
class SandboxAuthorization:
    """Hold one authorization: the session as it was authorized, and what became of the token.

    `decision` is what was decided before the widget. `order_id` and `token_id` tell what the token was used for,
    `failure` is the answer to an order that was refused.
    """

    authorization_token: str
    session_id: str
    owner: str
    content: dict[str, Any]
    decision: str
    created_at: datetime
    state: Literal["open", "consumed", "cancelled", "superseded"] = "open"
    order_id: str | None = None
    token_id: str | None = None
    failure: Response | None = None


class Authorizations(UserDict[str, SandboxAuthorization]):
    """Keep the authorizations by token, oldest first."""

    def __init__(self, *, clock: Clock, sessions: Sessions, switches: Switches) -> None:
        super().__init__()
        self._clock = clock
        self._sessions = sessions
        self._switches = switches

    def grant(self, session: SandboxSession, decision: str) -> SandboxAuthorization:
        """Authorize a session as it is now; an older token of it ends."""
        self._supersede(session)
        granted = SandboxAuthorization(
            authorization_token=str(uuid4()),
            session_id=session.session_id,
            owner=session.owner,
            content=deepcopy(session.content),
            decision=decision,
            created_at=self._clock.now(),
        )
        self[granted.authorization_token] = granted
        session.authorization_token = granted.authorization_token
        return granted

    def change(self, session: SandboxSession, sent: Mapping[str, object]) -> None:
        """Merge what was sent into a session, which may end its token.

        Raises:
            RefusedError: as `Sessions.merge()`.

        """
        self._sessions.merge(session, sent)
        if self._switches.update_voids_authorization:
            self._supersede(session)

    def owned(self, owner: str, token: str) -> SandboxAuthorization:
        """Return an authorization of these credentials that is open or consumed, however old.

        Raises:
            RefusedError: there is none, or it was cancelled or superseded.

        """
        found = self.get(token)
        if found is None or found.owner != owner or found.state in ("cancelled", "superseded"):
            raise answers.RefusedError(answers.invalid_token())
        return found

    def valid(self, owner: str, token: str) -> SandboxAuthorization:
        """Return an authorization as `owned()` does whose time, and whose session's, is not over.

        Raises:
            RefusedError: there is none, or its session is completed and not by it.

        """
        found = self.owned(owner, token)
        if self._has_expired(found):
            raise answers.RefusedError(answers.invalid_token())
        if found.state == "open" and self._sessions[found.session_id].status == "complete":
            raise answers.RefusedError(answers.session_completed())
        return found

    def cancel(self, owner: str, token: str) -> None:
        """Give up an authorization that was not used; the session may be authorized again.

        Raises:
            RefusedError: there is none, it was used, or its time is over.

        """
        found = self.owned(owner, token)
        if found.state == "consumed" or self._has_expired(found):
            raise answers.RefusedError(answers.invalid_token())
        found.state = "cancelled"

    def readable_token(self, session: SandboxSession) -> str | None:
        """Return the token that a read of the session shows: the one that can be used, if any."""
        found = self.get(session.authorization_token or "")
        if found is None or found.state != "open" or self._has_expired(found):
            return None
        return found.authorization_token if self._switches.read_shows_authorization_token else None

    def _supersede(self, session: SandboxSession) -> None:
        latest = self.get(session.authorization_token or "")
        if latest is not None and latest.state == "open":
            latest.state = "superseded"

    def _has_expired(self, authorization: SandboxAuthorization) -> bool:
        session = self._sessions[authorization.session_id]
        end = min(authorization.created_at + LIFETIME, session.expires_at)
        return end <= self._clock.now()

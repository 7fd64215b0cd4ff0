"""Payment sessions: made, read, changed, expired and completed."""

from collections import UserDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from django_klarna.sandbox import answers
from django_klarna.sandbox.categories import available, payment_method_categories
from django_klarna.sandbox.clock import Clock, iso
from django_klarna.sandbox.contract import readable, writable
from django_klarna.sandbox.markets import DEFAULT_LOCALE
from django_klarna.sandbox.merchants import Merchants
from django_klarna.sandbox.tokens import ClientTokens
from django_klarna.sandbox.updates import UpdateReading, merged, with_customer_type_of
from django_klarna.sandbox.validation import checked

LIFETIME: Final = timedelta(hours=48)
# Klarna gives these back only once the shopper has authorized.
PERSONAL_FIELDS: Final = frozenset(("customer", "billing_address", "shipping_address"))
# The guide's examples of a read show no authorization URL.
READABLE_URLS: Final = frozenset(("confirmation", "notification", "push"))


@dataclass(slots=True, kw_only=True)
class SandboxSession:
    """Hold one session as Klarna would: what the merchant sent, and what Klarna added."""

    session_id: str
    owner: str
    content: dict[str, Any]
    client_token: str
    expires_at: datetime
    status: Literal["incomplete", "complete"] = "incomplete"
    # The last one that was given out, whatever became of it.
    authorization_token: str | None = None


class Sessions(UserDict[str, SandboxSession]):
    """Keep the sessions by id and hold them to Klarna's rules."""

    def __init__(
        self, *, clock: Clock, tokens: ClientTokens, merchants: Merchants, reading: UpdateReading
    ) -> None:
        super().__init__()
        self._clock = clock
        self._tokens = tokens
        self._merchants = merchants
        self._reading = reading

    def create(self, owner: str, sent: Mapping[str, object], base_url: str) -> SandboxSession:
        """Make a session from a request body.

        Raises:
            RefusedError: the body breaks the contract or Klarna's arithmetic.

        """
        content = checked(writable(sent), self._merchants[owner])
        session_id = str(uuid4())
        claims = {
            "session_id": session_id,
            "base_url": base_url,
            "language": content.get("locale", DEFAULT_LOCALE),
            "purchase_country": content["purchase_country"],
        }
        self[session_id] = SandboxSession(
            session_id=session_id,
            owner=owner,
            content=content,
            client_token=self._tokens.sign(claims),
            expires_at=self._clock.now() + LIFETIME,
        )
        return self[session_id]

    def live(self, session_id: str) -> SandboxSession:
        """Return a session that has not expired.

        Raises:
            RefusedError: there is none of this id, or its time is over.

        """
        session = self.get(session_id)
        if session is None or session.expires_at <= self._clock.now():
            raise answers.RefusedError(answers.not_found())
        return session

    def owned(self, owner: str, session_id: str) -> SandboxSession:
        """Return a live session of these credentials.

        Raises:
            RefusedError: there is none of this id that is theirs.

        """
        session = self.live(session_id)
        if session.owner != owner:
            raise answers.RefusedError(answers.not_found())
        return session

    def merge(self, session: SandboxSession, sent: Mapping[str, object]) -> None:
        """Merge a request body into a session.

        The merged whole has to pass as a new session would, and a refused update changes nothing. Source:
        https://docs.klarna.com/payments/web-payments/additional-resources/error-handling-and-validations/validations-in-kp

        Raises:
            RefusedError: the session is completed, or the merged whole is wrong.

        """
        if session.status == "complete":
            raise answers.RefusedError(answers.session_completed())
        whole = merged(session.content, writable(sent), self._reading)
        checked(whole, self._merchants[session.owner])
        session.content = with_customer_type_of(session.content, whole)
        if self._reading.extends_expiry:
            session.expires_at = self._clock.now() + LIFETIME

    def categories(self, session: SandboxSession) -> list[str]:
        """Return the identifiers of the payment method categories that a session offers now."""
        return available(self._merchants[session.owner].categories, session.content["purchase_country"])


def merchant_session(session: SandboxSession, categories: Iterable[str], base_url: str) -> dict[str, Any]:
    """Return what Klarna answers to a create."""
    return {
        "session_id": session.session_id,
        "client_token": session.client_token,
        "payment_method_categories": payment_method_categories(categories, base_url),
    }


def session_read(
    session: SandboxSession, categories: Iterable[str], base_url: str, authorization_token: str | None
) -> dict[str, Any]:
    """Return what Klarna answers to a read: neither the session's id nor, before authorization, a person.

    Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/check-the-details-of-a-payment-session
    """
    token = {} if authorization_token is None else {"authorization_token": authorization_token}
    return {
        "locale": DEFAULT_LOCALE,
        **_shown(session),
        **token,
        "client_token": session.client_token,
        "expires_at": iso(session.expires_at),
        "payment_method_categories": payment_method_categories(categories, base_url),
        "status": session.status,
    }


def _shown(session: SandboxSession) -> dict[str, Any]:
    hidden = PERSONAL_FIELDS if session.authorization_token is None else frozenset[str]()
    shown = {key: value for key, value in session.content.items() if key not in hidden}
    if "merchant_urls" in shown:
        urls = shown["merchant_urls"].items()
        shown["merchant_urls"] = {key: url for key, url in urls if key in READABLE_URLS}
    if "customer" in shown:
        shown["customer"] = readable(shown["customer"], "customer_read")
    return shown

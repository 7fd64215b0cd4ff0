"""The operations on payment sessions."""

from typing import Final

from django_klarna.api.paths import id_part
from django_klarna.api.schemas import MerchantSession, Session, SessionCreate, SessionRead
from django_klarna.api.transport import Operation, Transport

_PATH: Final = "/payments/v1/sessions"
_CREATE: Final = Operation(name="create_credit_session", method="POST")
_READ: Final = Operation(name="read_credit_session", method="GET")
_UPDATE: Final = Operation(name="update_credit_session", method="POST")


class Sessions:
    """Create, read and update payment sessions.

    Each operation takes `timeout`, the seconds for the whole call; without it that of the client holds.
    Each raises KlarnaConnectionError or KlarnaTimeoutError when no answer came, KlarnaResponseError when it
    cannot be read, and the KlarnaAPIError of its status when Klarna refuses.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create_credit_session(
        self, session: SessionCreate, *, timeout: float | None = None
    ) -> MerchantSession:
        """Create a payment session for an order.

        Raises KlarnaValidationError, before anything is sent, when the session breaks the contract.
        Source: https://docs.klarna.com/klarna-payments/api-call-descriptions/create-session/
        """
        if not isinstance(session, SessionCreate):
            raise TypeError(
                "create_credit_session takes a SessionCreate; SessionCreate.from_dict() makes one"
            )
        session.check()
        answer = self._transport.call(_CREATE, _PATH, payload=session, timeout=timeout)
        return answer.parse(MerchantSession)

    def read_credit_session(self, session_id: str, *, timeout: float | None = None) -> SessionRead:
        """Read what Klarna knows about a payment session.

        Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/
        check-the-details-of-a-payment-session
        """
        answer = self._transport.call(_READ, _session_path(session_id), timeout=timeout)
        return answer.parse(SessionRead)

    def update_credit_session(
        self, session_id: str, session: Session, *, timeout: float | None = None
    ) -> None:
        """Change a payment session: what is absent stays, `order_lines` are replaced as a whole.

        Raises KlarnaValidationError, before anything is sent, when the session breaks the contract.
        Source: https://docs.klarna.com/klarna-payments/api-call-descriptions/update-session/
        """
        if not isinstance(session, Session):
            raise TypeError("update_credit_session takes a Session; SessionCreate.to_session() makes one")
        session.check()
        self._transport.call(_UPDATE, _session_path(session_id), payload=session, timeout=timeout)


def _session_path(session_id: str) -> str:
    return f"{_PATH}/{id_part('session id', session_id)}"

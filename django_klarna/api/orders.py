"""The operations on authorizations: what the shopper approved becomes an order or a token, or is given back."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

from django_klarna.api.connections import HIDDEN_PART
from django_klarna.api.order_schemas import (
    CreateOrderRequest,
    CustomerTokenCreationRequest,
    CustomerTokenCreationResponse,
    Order,
)
from django_klarna.api.paths import token_part
from django_klarna.api.transport import Operation, Transport

_PATH: Final = f"/payments/v1/authorizations/{HIDDEN_PART}"
_CREATE: Final = Operation(name="create_order", method="POST")
_CANCEL: Final = Operation(name="cancel_authorization", method="DELETE")
_TOKEN: Final = Operation(name="purchase_token", method="POST")

_MethodT = TypeVar("_MethodT", bound=Callable[..., object])


def _without_token_in_frames(method: _MethodT) -> _MethodT:
    """Raise what a method raises without its frames: debug pages show their variables, and there is the token."""

    @wraps(method)
    def call(*args: Any, **options: Any) -> object:
        try:
            return method(*args, **options)
        except Exception as error:  # noqa: BLE001 - whatever it is, its frames hold the token
            problem = error.with_traceback(None)
        del args, options
        raise problem

    return cast("_MethodT", call)


class Orders:
    """Place the order of an authorization, make a token of it, or cancel it.

    An `authorization_token` is what Klarna gives after the shopper approved; it holds for 60 minutes. It is seen in
    no log, error or frame of the client. One that cannot be a token is a ValueError or TypeError, which does not
    repeat it.

    Each operation takes `timeout`, the seconds for the whole call; without it that of the client holds.
    Each raises KlarnaConnectionError or KlarnaTimeoutError when no answer came, KlarnaResponseError when it
    cannot be read, and the KlarnaAPIError of its status when Klarna refuses.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @_without_token_in_frames
    def create_order(
        self, authorization_token: str, order: CreateOrderRequest, *, timeout: float | None = None
    ) -> Order:
        """Place an order; equal orders are sent as equal bytes.

        An order that may have been sent is not tried again here. After KlarnaConnectionError with `sent`,
        KlarnaResponseError or KlarnaServerError it may have been placed: only the very same order with the same
        token may be repeated. KlarnaRateLimitError changed nothing. Any other refusal is final for the token: the
        shopper has to authorize again.

        Raises KlarnaValidationError, before anything is sent, when the order breaks the contract.
        Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/integrate-via-sdk/
        step-3-create-an-order
        """
        if not isinstance(order, CreateOrderRequest):
            raise TypeError("create_order takes a CreateOrderRequest; SessionCreate.to_order() makes one")
        order.check()
        order.canonical()
        answer = self._transport.call(
            _CREATE, f"{_PATH}/order", secret=token_part(authorization_token), payload=order, timeout=timeout
        )
        return answer.parse(Order)

    @_without_token_in_frames
    def cancel_authorization(self, authorization_token: str, *, timeout: float | None = None) -> None:
        """Give an authorization back that no order was made of: it holds some of the shopper's credit.

        One that is used up or too old cannot be cancelled: KlarnaAuthenticationError or KlarnaNotFoundError.
        Source: https://docs.klarna.com/payments/web-payments/integrate-with-klarna-payments/other-actions/
        cancel-an-authorization
        """
        self._transport.call(_CANCEL, _PATH, secret=token_part(authorization_token), timeout=timeout)

    @_without_token_in_frames
    def purchase_token(
        self, authorization_token: str, request: CustomerTokenCreationRequest, *, timeout: float | None = None
    ) -> CustomerTokenCreationResponse:
        """Make a customer token, with which the shopper can be charged again.

        The session's intent must be tokenize or buy_and_tokenize. The error may tell `fraud_status`, `reason` and
        `authorized_payment_method`. Raises KlarnaValidationError, before anything is sent, when the request
        breaks the contract.
        Source: https://docs.klarna.com/acquirer/klarna/web-payments/integrate-with-klarna-payments/
        tokenized-payments/customer-token/
        """
        if not isinstance(request, CustomerTokenCreationRequest):
            raise TypeError("purchase_token takes a CustomerTokenCreationRequest; its from_dict() makes one")
        request.check()
        answer = self._transport.call(
            _TOKEN,
            f"{_PATH}/customer-token",
            secret=token_part(authorization_token),
            payload=request,
            timeout=timeout,
        )
        return answer.parse(CustomerTokenCreationResponse)

"""The operations on orders that have been placed, which are Klarna's Order Management API."""

from typing import Final

from django_klarna.api.order_schemas import ManagedOrder
from django_klarna.api.paths import id_part
from django_klarna.api.transport import Operation, Transport

_PATH: Final = "/ordermanagement/v1/orders"
_READ: Final = Operation(name="get_order", method="GET")


class OrderManagement:
    """Look at orders.

    Each operation takes `timeout`, the seconds for the whole call; without it that of the client holds.
    Each raises KlarnaConnectionError or KlarnaTimeoutError when no answer came, KlarnaResponseError when it
    cannot be read, and the KlarnaAPIError of its status when Klarna refuses.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_order(self, order_id: str, *, timeout: float | None = None) -> ManagedOrder:
        """Read what Klarna knows about an order; it can be read for three years.

        Source: https://docs.klarna.com/payments/after-payments/order-management/manage-orders-with-the-api/
        """
        path = f"{_PATH}/{id_part('order id', order_id)}"
        return self._transport.call(_READ, path, timeout=timeout).parse(ManagedOrder)

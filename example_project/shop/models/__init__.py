"""Products, carts and orders: the shop's own models, which know nothing of Klarna but the id of its order."""

from example_project.shop.models.carts import (
    FREE_SHIPPING_FROM,
    MAX_QUANTITY,
    SHIPPING_TAX_RATE,
    Cart,
    CartLine,
    Product,
)
from example_project.shop.models.orders import Order, OrderLine, Status, number_in, order_url

__all__ = (
    "FREE_SHIPPING_FROM",
    "MAX_QUANTITY",
    "SHIPPING_TAX_RATE",
    "Cart",
    "CartLine",
    "Order",
    "OrderLine",
    "Product",
    "Status",
    "number_in",
    "order_url",
)

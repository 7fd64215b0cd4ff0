"""A shop as its developer would have written it, before Klarna."""

from django.db import models
from django.http import HttpRequest

from tests.shop.abstract import AbstractCart, AbstractCartLine, AbstractProduct


class Product(AbstractProduct):
    pass


class CartQuerySet(models.QuerySet["Cart"]):
    def for_request(self, request: HttpRequest) -> "Cart | None":
        key = request.session.get("cart_id")
        return None if key is None else self.filter(pk=key).first()


class Cart(AbstractCart):
    objects = CartQuerySet.as_manager()


class CartLine(AbstractCartLine):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)


class Engraving(models.Model):
    """Two steps away from its cart."""

    line = models.ForeignKey(CartLine, on_delete=models.CASCADE)
    text = models.CharField(max_length=20)


class GiftLine(CartLine):
    class Meta:
        proxy = True


class OrderManager(models.Manager["Order"]):
    def create_from_cart(self, cart: Cart, *, klarna_order_id: str) -> "Order":
        return self.create(cart=cart, klarna_order_id=klarna_order_id)


class Order(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE)
    klarna_order_id = models.CharField(max_length=255)

    objects = OrderManager()

"""A shop as its developer would have written it, before Klarna."""

from decimal import Decimal

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)


class CartQuerySet(models.QuerySet["Cart"]):
    def for_request(self, request):
        return self.filter(pk=request.session.get("cart_id")).first()


class Cart(models.Model):
    country = models.CharField(max_length=2, default="SE")
    currency = models.CharField(max_length=3, default="SEK")
    shipping = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("49.00"))

    objects = CartQuerySet.as_manager()

    @property
    def total(self):
        return sum(
            (line.quantity * line.product.price for line in self.lines.select_related("product")),
            self.shipping,
        )


class CartLine(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.PositiveIntegerField(default=1)


class GiftLine(CartLine):
    class Meta:
        proxy = True


class OrderManager(models.Manager["Order"]):
    def create_from_cart(self, cart, *, klarna_order_id):
        return self.create(cart=cart, klarna_order_id=klarna_order_id)


class Order(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE)
    klarna_order_id = models.CharField(max_length=255)

    objects = OrderManager()

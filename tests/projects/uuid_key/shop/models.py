import uuid

from django.db import models

from tests.shop.abstract import AbstractCart, AbstractCartLine, AbstractProduct


class Product(AbstractProduct):
    pass


class Cart(AbstractCart):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class CartLine(AbstractCartLine):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)

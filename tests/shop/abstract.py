"""What the shops of the suite have in common; each has keys, relations and migrations of its own."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class AbstractProduct(models.Model):
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        abstract = True


class AbstractCart(models.Model):
    country = models.CharField(max_length=2, default="SE")
    currency = models.CharField(max_length=3, default="SEK")
    shipping = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("49.00"))

    lines: "RelatedManager[Any]"

    class Meta:
        abstract = True

    @property
    def total(self) -> Decimal:
        return sum(
            (line.quantity * line.product.price for line in self.lines.select_related("product")),
            self.shipping,
        )


class AbstractCartLine(models.Model):
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True

"""What was bought: a copy of the cart, which later prices do not change."""

from decimal import Decimal

from django.core.signing import BadSignature, Signer
from django.db import models, transaction
from django.urls import reverse

from example_project.shop.models.carts import Cart, Delivery

#: The page of an order can be found only with the link: it carries the signed number.
LINKS = Signer(salt="example_project.shop.order")


def order_url(number: str) -> str:
    """Give the page of the order with this number, which may be yet to come."""
    return reverse("thanks", args=[LINKS.sign(number)])


def number_in(signed: str) -> str | None:
    """Give the number that a link was made for, or None."""
    try:
        return LINKS.unsign(signed)
    except BadSignature:
        return None


class Status(models.TextChoices):
    """Whether there will be money."""

    PAID = "paid"
    PENDING = "pending"
    REJECTED = "rejected"


class OrderManager(models.Manager["Order"]):
    """Makes an order of a cart."""

    def create_from_cart(self, cart: Cart, *, klarna_order_id: str, status: Status) -> "Order":
        """Copy all that was chosen; the cart is closed by having an order."""
        with transaction.atomic():
            order = self.create(
                cart=cart,
                number=cart.order_number,
                status=status,
                klarna_order_id=klarna_order_id,
                subtotal=cart.subtotal,
                shipping=cart.shipping,
                tax=cart.tax,
                **cart.address,
            )
            OrderLine.objects.bulk_create(
                OrderLine(
                    order=order,
                    name=line.product.name,
                    quantity=line.quantity,
                    price=line.product.price,
                    tax_rate=line.product.tax_rate,
                )
                for line in cart.items
            )
        return order


class Order(Delivery):
    """One purchase; amounts are in SEK and include VAT."""

    cart = models.OneToOneField(Cart, models.SET_NULL, null=True, related_name="order")
    number = models.CharField(max_length=32, unique=True)
    status = models.CharField(max_length=16, choices=Status)
    klarna_order_id = models.CharField("Klarna's order", max_length=255, unique=True)
    subtotal = models.DecimalField("goods", max_digits=10, decimal_places=2)
    shipping = models.DecimalField("delivery", max_digits=10, decimal_places=2)
    tax = models.DecimalField("of which VAT", max_digits=10, decimal_places=2)
    created_at = models.DateTimeField("created", auto_now_add=True)

    objects = OrderManager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """Give the page that the shopper sees."""
        return order_url(self.number)

    @property
    def total(self) -> Decimal:
        """What the shopper pays."""
        return self.subtotal + self.shipping


class OrderLine(models.Model):
    """So many pieces of a product as it was when it was bought."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    name = models.CharField(max_length=100)
    quantity = models.PositiveSmallIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    tax_rate = models.DecimalField("VAT rate", max_digits=4, decimal_places=2)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.name}"

    @property
    def total(self) -> Decimal:
        """What the pieces cost together."""
        return self.quantity * self.price

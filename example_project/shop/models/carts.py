"""What there is to buy, and what a browser has chosen of it."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

CART_KEY = "cart"
MAX_QUANTITY = 99
SHIPPING = Decimal(49)
FREE_SHIPPING_FROM = Decimal(500)
SHIPPING_TAX_RATE = Decimal(25)
ORE = Decimal("0.01")
FIRST_NUMBER = 1001


def included_tax(amount: Decimal, tax_rate: Decimal) -> Decimal:
    """Give the VAT that is inside ``amount``."""
    return (amount * tax_rate / (100 + tax_rate)).quantize(ORE, ROUND_HALF_UP)


class Product(models.Model):
    """Something to buy; prices are in SEK and include VAT."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    tax_rate = models.DecimalField(
        "VAT rate", max_digits=4, decimal_places=2, default=25, help_text="Percent."
    )
    description = models.TextField(blank=True)
    image = models.CharField(max_length=100, help_text="A static file, such as shop/products/mug.svg.")

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the place of the product in the catalogue."""
        return f"{reverse('catalogue')}#{self.slug}"

    @property
    def image_url(self) -> str:
        """The path of the picture."""
        return static(self.image)


class Delivery(models.Model):
    """Where a parcel goes; whatever is missing, Klarna asks for."""

    given_name = models.CharField(max_length=99, blank=True)
    family_name = models.CharField(max_length=99, blank=True)
    street_address = models.CharField(max_length=99, blank=True)
    postal_code = models.CharField(max_length=10, blank=True)
    city = models.CharField(max_length=99, blank=True)
    email = models.EmailField("e-mail", max_length=99, blank=True)

    class Meta:
        abstract = True

    @property
    def address(self) -> dict[str, str]:
        """What is known of it, by field."""
        known = {field.name: getattr(self, field.name) for field in Delivery._meta.get_fields()}
        return {name: value for name, value in known.items() if value}


class CartManager(models.Manager["Cart"]):
    """Finds the cart of a browser by its session."""

    def last_for(self, request: HttpRequest) -> "Cart | None":
        """Give the newest cart of this browser, ordered or not, or None if nothing was ever put in one."""
        key = request.session.get(CART_KEY)
        return self.filter(pk=key).first() if key else None

    def for_request(self, request: HttpRequest) -> "Cart | None":
        """Give the cart of this browser, or None; one that has been ordered is nobody's any more."""
        cart = self.last_for(request)
        return None if cart is None or cart.is_ordered else cart

    def open_for(self, request: HttpRequest) -> "Cart":
        """Give the cart of this browser, a new one if need be."""
        cart = self.for_request(request)
        if cart is None:
            cart = self.create()
            request.session[CART_KEY] = cart.pk
        return cart


class Cart(Delivery):
    """What one browser has chosen so far."""

    created_at = models.DateTimeField("created", auto_now_add=True)

    objects = CartManager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Cart {self.pk}"

    @property
    def is_ordered(self) -> bool:
        """Whether an order was made of it."""
        return hasattr(self, "order")

    @property
    def order_number(self) -> str:
        """The number that its order has, or will have."""
        return f"FIKA-{FIRST_NUMBER + self.pk}"

    @cached_property
    def items(self) -> list["CartLine"]:
        """The lines with their products, read once."""
        return list(self.lines.all())

    @property
    def count(self) -> int:
        """The number of pieces."""
        return sum(line.quantity for line in self.items)

    @property
    def subtotal(self) -> Decimal:
        """What the pieces cost."""
        return sum((line.total for line in self.items), Decimal(0))

    @property
    def shipping(self) -> Decimal:
        """What the delivery costs."""
        return SHIPPING if 0 < self.subtotal < FREE_SHIPPING_FROM else Decimal(0)

    @property
    def to_free_shipping(self) -> Decimal:
        """What is missing until the delivery is free."""
        return max(FREE_SHIPPING_FROM - self.subtotal, Decimal(0))

    @property
    def total(self) -> Decimal:
        """What there is to pay."""
        return self.subtotal + self.shipping

    @property
    def tax(self) -> Decimal:
        """The VAT in the total."""
        return sum((line.tax for line in self.items), included_tax(self.shipping, SHIPPING_TAX_RATE))

    def add(self, product: Product) -> None:
        """Put one more piece of ``product`` in the cart."""
        with transaction.atomic():
            line = self.lines.filter(product=product).first() or CartLine(
                cart=self, product=product, quantity=0
            )
            line.quantity = min(line.quantity + 1, MAX_QUANTITY)
            line.save()


class CartLineManager(models.Manager["CartLine"]):
    """Reads the product of a line with it: without its price a line says nothing."""

    def get_queryset(self) -> models.QuerySet["CartLine"]:
        """Join the product."""
        return super().get_queryset().select_related("product")


class CartLine(models.Model):
    """So many pieces of a product."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )

    objects = CartLineManager()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("cart", "product"), name="shop_cart_product_once"),)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product}"

    @property
    def total(self) -> Decimal:
        """What the pieces cost together."""
        return self.quantity * self.product.price

    @property
    def tax(self) -> Decimal:
        """The VAT in the total."""
        return included_tax(self.total, self.product.tax_rate)

    def change(self, quantity: int) -> None:
        """Make it ``quantity`` pieces; none takes the line out of the cart."""
        if quantity < 1:
            self.delete()
            return
        self.quantity = min(quantity, MAX_QUANTITY)
        self.save()

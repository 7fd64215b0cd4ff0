"""What staff see of the shop."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from example_project.shop.models import Cart, CartLine, Order, OrderLine, Product
from example_project.shop.prices import kronor


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # cannot be subscripted at run time
    """Products; prices can be changed in the list."""

    list_display = ("name", "price", "tax_rate")
    list_editable = ("price",)
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 - Django wants a dict and does not change it


class CartLineInline(admin.TabularInline):  # type: ignore[type-arg] # cannot be subscripted at run time
    """The lines of a cart."""

    model = CartLine
    autocomplete_fields = ("product",)
    extra = 0


@admin.register(Cart)
class CartAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # cannot be subscripted at run time
    """Carts with their lines; a change here reaches Klarna like any other."""

    list_display = ("__str__", "created_at", "pieces", "total")
    inlines = (CartLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        """Read the lines of all carts of a page at once."""
        return super().get_queryset(request).prefetch_related("lines")

    @admin.display
    def pieces(self, cart: Cart) -> int:
        """The number of pieces."""
        return cart.count

    @admin.display
    def total(self, cart: Cart) -> str:
        """What there is to pay."""
        return kronor(cart.total)


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg] # cannot be subscripted at run time
    """The lines of an order."""

    model = OrderLine
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # cannot be subscripted at run time
    """Orders as they were bought; staff look and change nothing."""

    list_display = ("number", "created_at", "status", "amount", "klarna_order_id")
    list_filter = ("status",)
    search_fields = ("number", "klarna_order_id", "email")
    inlines = (OrderLineInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leave it to the checkout."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        """Leave it to Klarna."""
        return False

    @admin.display
    def amount(self, order: Order) -> str:
        """What the shopper pays."""
        return kronor(order.total)

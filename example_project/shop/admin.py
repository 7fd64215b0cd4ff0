"""What staff see of the shop."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from example_project.shop.models import Cart, CartLine, Product
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

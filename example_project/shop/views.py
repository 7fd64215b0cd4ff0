"""The pages of the shop, and the two changes a shopper makes; both answer a script with JSON."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from example_project.shop.forms import QuantityForm
from example_project.shop.models import FREE_SHIPPING_FROM, Cart, CartLine, Product
from example_project.shop.prices import kronor


def page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    """Render a page of the shop; each shows the cart in its header."""
    cart = Cart.objects.for_request(request)
    return render(
        request, f"shop/{name}.html", {"cart": cart, "free_shipping_from": FREE_SHIPPING_FROM, **context}
    )


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Show everything there is to buy."""
    return page(request, "catalogue", products=Product.objects.all())


@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """Show the cart, with quantities to change."""
    return page(request, "cart")


@never_cache
@require_safe
def summary(request: HttpRequest) -> JsonResponse:
    """Give the texts of the cart to a page that was in the background."""
    chosen = Cart.objects.for_request(request)
    return JsonResponse(texts(chosen) if chosen else {"count": 0, "lines": {}})


@require_safe
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the order and Klarna's widget."""
    chosen = Cart.objects.for_request(request)
    return page(request, "checkout") if chosen and chosen.items else redirect("cart")


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """Show the page on which a purchase ends."""
    return page(request, "thanks")


@require_POST
def add(request: HttpRequest, product_id: int) -> HttpResponse:
    """Put one more piece of a product in the cart."""
    product = get_object_or_404(Product, pk=product_id)
    chosen = Cart.objects.open_for(request)
    chosen.add(product)
    return changed(request, chosen, back="cart")


@require_POST
def change(request: HttpRequest, line_id: int) -> HttpResponse:
    """Change the quantity of a line of one's own cart."""
    form = QuantityForm(request.POST)
    with transaction.atomic():
        line = get_object_or_404(CartLine, pk=line_id, cart=Cart.objects.for_request(request))
        if form.is_valid():
            line.change(form.wanted())
    return changed(request, line.cart, back="checkout" if request.POST.get("page") == "checkout" else "cart")


def changed(request: HttpRequest, chosen: Cart, *, back: str) -> HttpResponse:
    """Answer a change: the new texts of the page for a script, else the page ``back``."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse(texts(chosen))
    return redirect(back)


def texts(chosen: Cart) -> dict[str, Any]:
    """Give what a page shows of a cart."""
    return {
        "count": chosen.count,
        "lines": {line.pk: {"quantity": line.quantity, "total": kronor(line.total)} for line in chosen.items},
        "subtotal": kronor(chosen.subtotal),
        "shipping": kronor(chosen.shipping) if chosen.shipping else "Free",
        "to_free_shipping": kronor(chosen.to_free_shipping) if chosen.to_free_shipping else "",
        "tax": kronor(chosen.tax),
        "total": kronor(chosen.total),
    }

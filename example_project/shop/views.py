"""The pages of the shop, and the changes a shopper makes; those answer a script with JSON."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from example_project.shop.forms import DeliveryForm, QuantityForm
from example_project.shop.models import FREE_SHIPPING_FROM, Cart, CartLine, Order, Product, number_in
from example_project.shop.prices import kronor

#: Seconds until a page that waits for its order looks again, by the number of its looks; at last once a minute.
WAITS = (1, 2, 4, 8, 16, 32, 60)


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
    """Show the order and the ways to pay."""
    chosen = Cart.objects.for_request(request)
    if chosen and chosen.items:
        return page(request, "checkout", delivery=DeliveryForm(instance=chosen))
    last = Cart.objects.last_for(request)
    return redirect(last.order if last and last.is_ordered else "cart")


@never_cache
@require_safe
def thanks(request: HttpRequest, signed: str) -> HttpResponse:
    """Show the order on whose number the link was made out, or wait for it."""
    number = number_in(signed)
    if number is None:
        raise Http404
    order = Order.objects.filter(number=number).first()
    looks = request.GET.get("looks")
    look = next((known for known in range(len(WAITS)) if str(known) == looks), 0)
    wait = {"seconds": WAITS[look], "looks": min(look + 1, len(WAITS) - 1)}
    return page(request, "thanks", order=order, number=number, wait=wait)


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


@require_POST
def deliver(request: HttpRequest) -> HttpResponse:
    """Note down where the parcel goes."""
    chosen = Cart.objects.for_request(request)
    if chosen is None:
        raise Http404
    form = DeliveryForm(request.POST, instance=chosen)
    if form.is_valid():
        form.save()
        return changed(request, chosen, back="checkout")
    return page(request, "checkout", delivery=form)


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

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.http import require_POST

from django_klarna.carts import get_adapter


@login_not_required
def thanks(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Thank you")


@login_not_required
def checkout(request: HttpRequest) -> HttpResponse:
    return render(request, "checkout.html")


@login_not_required
@require_POST
def change_cart(request: HttpRequest) -> HttpResponse:
    """Save what the shopper typed; a shop that is out of stock finds that out when it has saved."""
    cart = get_adapter().cart_for(request)
    if cart is None:
        raise Http404
    line = cart.lines.get()
    line.quantity = int(request.POST["quantity"])
    line.save()
    if line.quantity > 10:
        raise OutOfStockError
    return HttpResponse("Saved")


class OutOfStockError(Exception):
    pass


urlpatterns = [
    path("admin/", admin.site.urls),
    path("thanks/", thanks, name="thanks"),
    path("checkout/", checkout, name="checkout"),
    path("cart/", change_cart),
    path("klarna/", include("django_klarna.urls")),
]

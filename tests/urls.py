from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import include, path


def thanks(request):
    return HttpResponse("Thank you")


def checkout(request):
    return render(request, "checkout.html")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("thanks/", thanks, name="thanks"),
    path("checkout/", checkout, name="checkout"),
    path("klarna/", include("django_klarna.urls")),
]

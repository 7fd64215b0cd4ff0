"""The shop, Klarna's endpoints and the admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("example_project.shop.urls")),
    path("klarna/", include("django_klarna.urls")),
    path("admin/", admin.site.urls),
]

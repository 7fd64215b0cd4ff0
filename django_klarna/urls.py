"""``path("klarna/", include("django_klarna.urls"))``."""

from django.urls import path

from django_klarna.rest.views import SessionView
from django_klarna.services.transactions import without_transaction

app_name = "klarna"
urlpatterns = [
    path("session/", without_transaction(SessionView.as_view()), name="session"),
]

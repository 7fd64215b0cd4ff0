"""``path("klarna/", include("django_klarna.urls"))``."""

from django.db.transaction import non_atomic_requests
from django.urls import path

from django_klarna.rest.views import SessionView

app_name = "klarna"
urlpatterns = [
    # Under ATOMIC_REQUESTS a transaction would be open while we wait for Klarna.
    path("session/", non_atomic_requests(SessionView.as_view()), name="session"),
]

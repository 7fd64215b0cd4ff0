"""``path("klarna/", include("django_klarna.urls"))``."""

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.transaction import non_atomic_requests
from django.http import HttpResponseBase
from django.urls import path

from django_klarna.rest.views import SessionView


def without_transaction(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """Exempt a view from ATOMIC_REQUESTS of every database: it would be open while we wait for Klarna."""
    for alias in connections:
        view = non_atomic_requests(using=alias)(view)
    return view


app_name = "klarna"
urlpatterns = [
    path("session/", without_transaction(SessionView.as_view()), name="session"),
]

"""``path("klarna/", include("django_klarna.urls"))``."""

from django.urls import path

from django_klarna import callbacks
from django_klarna.links import AUTHORIZATION, NOTIFICATION, PUSH
from django_klarna.rest.purchases import AttemptView, AuthorizationView
from django_klarna.rest.views import SessionView
from django_klarna.services.transactions import without_transaction

app_name = "klarna"
urlpatterns = [
    path("session/", without_transaction(SessionView.as_view()), name="session"),
    path("attempt/", without_transaction(AttemptView.as_view()), name="attempt"),
    path("authorization/", without_transaction(AuthorizationView.as_view()), name="authorization"),
    path(
        "callbacks/authorization/<str:secret>/",
        without_transaction(callbacks.authorization),
        name=f"{AUTHORIZATION}-callback",
    ),
    path(
        "callbacks/notification/<str:secret>/",
        without_transaction(callbacks.notification),
        name=f"{NOTIFICATION}-callback",
    ),
    path("callbacks/push/<str:secret>/", without_transaction(callbacks.push), name=f"{PUSH}-callback"),
]

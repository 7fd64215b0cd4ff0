"""Checks of what a checkout page needs of the project around it."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution
from django.urls import NoReverseMatch, reverse

from django_klarna.links import AUTHORIZATION, NOTIFICATION, PUSH

REQUEST = "django.template.context_processors.request"
DJANGO_TEMPLATES = "django.template.backends.django.DjangoTemplates"
#: Each of our URLs, with as many arguments as it takes.
URLS: Mapping[str, tuple[str, ...]] = {
    "klarna:session": (),
    "klarna:attempt": (),
    "klarna:authorization": (),
    **{f"klarna:{kind}-callback": ("secret",) for kind in (AUTHORIZATION, NOTIFICATION, PUSH)},
}
SECURITY = "django.middleware.security.SecurityMiddleware"


def check_opener_policy(**kwargs: Any) -> list[CheckMessage]:
    """W004: the header cuts the link between Klarna's window and the page that opened it."""
    if SECURITY not in settings.MIDDLEWARE or settings.SECURE_CROSS_ORIGIN_OPENER_POLICY != "same-origin":
        return []
    return [
        Caution(
            "SECURE_CROSS_ORIGIN_OPENER_POLICY is 'same-origin' (Django's default): "
            "Klarna's window cannot talk to the checkout page that opened it",
            hint="SECURE_CROSS_ORIGIN_OPENER_POLICY = 'same-origin-allow-popups'",
            id="django_klarna.W004",
        )
    ]


def check_rest_framework(**kwargs: Any) -> list[CheckMessage]:
    """W007: REST framework is not installed in the project."""
    if apps.is_installed("rest_framework"):
        return []
    return [
        Caution(
            "'rest_framework' is not in INSTALLED_APPS, and the endpoint is written with it",
            hint="INSTALLED_APPS = [*INSTALLED_APPS, 'rest_framework']",
            id="django_klarna.W007",
        )
    ]


def check_context_processor(**kwargs: Any) -> list[CheckMessage]:
    """W008: no template has the request that the tags need."""
    engines = [
        number for number, engine in enumerate(settings.TEMPLATES) if engine["BACKEND"] == DJANGO_TEMPLATES
    ]
    if not engines or any(has_request(settings.TEMPLATES[number]) for number in engines):
        return []
    return [
        Caution(
            "No template gets the request: the tags of {% load klarna %} need it",
            hint=f"Add '{REQUEST}' to TEMPLATES[{engines[0]}]['OPTIONS']['context_processors']",
            id="django_klarna.W008",
        )
    ]


def has_request(engine: Mapping[str, Any]) -> bool:
    """Tell whether the templates of an engine get the request."""
    return REQUEST in engine.get("OPTIONS", {}).get("context_processors", ())


def check_endpoint(**kwargs: Any) -> list[CheckMessage]:
    """W009: the page has nowhere to ask for a session, or Klarna nowhere to call."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    missing = [name for name, arguments in URLS.items() if not is_there(name, arguments)]
    if not missing:
        return []
    return [
        Caution(
            f"{' and '.join(map(repr, missing))} cannot be reversed: the URLs of django_klarna are not included",
            hint=f"Add path('klarna/', include('django_klarna.urls')) to urlpatterns in {settings.ROOT_URLCONF}",
            id="django_klarna.W009",
        )
    ]


def is_there(name: str, arguments: tuple[str, ...]) -> bool:
    """Tell whether the project has a URL of this name."""
    try:
        reverse(name, args=arguments)
    except NoReverseMatch:
        return False
    return True

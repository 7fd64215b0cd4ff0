"""What the template tags show, from settings and the request alone: no query, no call, no token."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_klarna.conf import get_settings
from django_klarna.exceptions import KlarnaConfigurationError

#: What the module says to the shopper, by the state of the widget; "forbidden" when the page is too old to ask.
MESSAGES: dict[str, Promise] = {
    "loading": _("Loading Klarna …"),
    "unavailable": _("Klarna is not available now."),
    "forbidden": _("Please reload the page."),
    "authorizing": _("Finish your purchase in the window of Klarna."),
    "placing": _("Placing your order …"),
    "placed": _("Your order is placed."),
}


def request_of(context: Context) -> HttpRequest:
    """Give the request of a template context; `KlarnaConfigurationError` says how to get it there."""
    request = context.get("request")
    if isinstance(request, HttpRequest):
        return request
    raise KlarnaConfigurationError(
        "The Klarna tags need the request in the template context: render with a request, and add "
        "'django.template.context_processors.request' to the context_processors of TEMPLATES."
    )


def csp_nonce(context: Context, request: HttpRequest) -> str | None:
    """Give the nonce of the page's Content-Security-Policy (Django's own or django-csp's); None without one."""
    for value in (
        context.get("csp_nonce"),
        getattr(request, "csp_nonce", None),
        getattr(request, "_csp_nonce", None),
    ):
        # A lazy nonce is falsy until it is used, and only str() puts it into the header.
        if value is not None:
            return str(value)
    return None


def csrf_header() -> str:
    """Give the name of the CSRF header as a browser sends it: ``X-Csrftoken`` for ``HTTP_X_CSRFTOKEN``."""
    return settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").title()


def csrf_cookie() -> str | None:
    """Give the name of the cookie from which a script may read the CSRF token; None where it cannot.

    Source: https://docs.djangoproject.com/en/stable/howto/csrf/#using-csrf-protection-with-ajax
    """
    hidden = settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_HTTPONLY
    return None if hidden else settings.CSRF_COOKIE_NAME


def widget_config(request: HttpRequest) -> dict[str, Any]:
    """Make what the page's module needs to fetch a session and to have an order made; no token of Klarna's is in it."""
    return {
        "session_url": reverse("klarna:session"),
        "attempt_url": reverse("klarna:attempt"),
        "authorization_url": reverse("klarna:authorization"),
        "csrf_header": csrf_header(),
        "csrf_cookie": csrf_cookie(),
        "csrf_token": get_token(request),
        "messages": {state: str(message) for state, message in MESSAGES.items()},
    }


def widget_context(context: Context) -> dict[str, Any]:
    """Make the context of ``django_klarna/widget.html``."""
    request = request_of(context)
    return {"config": widget_config(request), "csp_nonce": csp_nonce(context, request)}


def scripts_context(context: Context) -> dict[str, Any]:
    """Make the context of ``django_klarna/scripts.html``."""
    return {"sdk_url": get_settings().sdk_url, "csp_nonce": csp_nonce(context, request_of(context))}

"""Klarna's own POSTs to us: believed for what their URL was signed for, noted down, and answered at once.

What is said is checked before any query, and nobody is told why something is not accepted.
"""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from django_klarna import services
from django_klarna.links import AUTHORIZATION, NOTIFICATION, PUSH, key_of
from django_klarna.services.columns import Token

MAX_BYTES = 16_384
#: Klarna's ids and tokens are UUIDs; whatever is much longer is something else.
LONGEST_WORD = 255

View = Callable[..., HttpResponse]
Told = Mapping[str, str]


def callback(
    kind: str, *names: str, done: HTTPStatus = HTTPStatus.OK
) -> Callable[[Callable[[str, Told], bool]], View]:
    """Make a view of a function that is given the session's key and the words ``names`` that Klarna says."""

    def decorate(act: Callable[[str, Told], bool]) -> View:
        @login_not_required
        @csrf_exempt
        @require_POST
        @wraps(act)
        def view(request: HttpRequest, secret: str) -> HttpResponse:
            key = key_of(kind, secret)
            if key is None:
                return HttpResponse(status=HTTPStatus.NOT_FOUND)
            told = words(said(request), names)
            if told is None:
                return HttpResponse(status=HTTPStatus.BAD_REQUEST)
            return HttpResponse(status=done if act(key, told) else HTTPStatus.NOT_FOUND)

        return view

    return decorate


def said(request: HttpRequest) -> Mapping[str, Any]:
    """Give what a request says: in its body, a JSON object, and in its query."""
    try:
        body = request.read(MAX_BYTES + 1)
        content = json.loads(body) if body and len(body) <= MAX_BYTES else {}
    except (UnreadablePostError, ValueError, RecursionError):
        content = {}
    return {**request.GET.dict(), **(content if isinstance(content, dict) else {})}


def words(content: Mapping[str, Any], names: tuple[str, ...]) -> Told | None:
    """Give the words called ``names``, or None if one is missing or cannot be one."""
    found = {name: content.get(name) for name in names}
    return {name: Token(word) for name, word in found.items()} if all(map(is_word, found.values())) else None


def is_word(value: object) -> bool:
    """Tell whether a value may be an id or a token."""
    return (
        isinstance(value, str) and 0 < len(value) <= LONGEST_WORD and value.isascii() and value.isprintable()
    )


@callback(AUTHORIZATION, "authorization_token", "session_id", done=HTTPStatus.NO_CONTENT)
def authorization(key: str, told: Told) -> bool:
    """Keep a token; whoever works next makes an order of it."""
    return services.take_callback(key=key, session_id=told["session_id"], token=told["authorization_token"])


@callback(NOTIFICATION, "order_id")
def notification(key: str, told: Told) -> bool:
    """Have an order read; unknown ones are accepted too, or Klarna would ask for a day."""
    services.take_notification(key=key, order_id=told["order_id"])
    return True


@callback(PUSH, "order_id")
def push(key: str, told: Told) -> bool:
    """Keep an order's id; whether it is needed, is found out later."""
    services.take_push(key=key, order_id=told["order_id"])
    return True

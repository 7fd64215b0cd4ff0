"""What a browser asks of the sandbox: the stand-in of Klarna's JavaScript SDK, and what that asks in turn."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.checkout import Checkout, problem
from django_klarna.sandbox.messages import Request, Response, json_response, method_not_allowed, parse_json
from django_klarna.sandbox.tokens import ClientTokens

BROWSER: Final = Path(__file__).with_name("browser")
FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/kp/lib/v1/api.js": ("api.js", "text/javascript; charset=utf-8"),
    "/kp/lib/v1/badge.svg": ("badge.svg", "image/svg+xml"),
}
# The shop's page has another origin than the sandbox.
CORS_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST",
}


def browser_file(request: Request) -> Response | None:
    """Return one of the files for browsers, or None for any other path."""
    if request.path not in FILES:
        return None
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    name, content_type = FILES[request.path]
    headers = {"Content-Type": content_type, "Cache-Control": "no-cache"}
    return Response(status=200, headers=headers, body=_content(name))


def widget_call(request: Request, checkout: Checkout, tokens: ClientTokens) -> Response | None:
    """Return the answer to what the stand-in SDK asks for a `Bearer` client token, or None for any other path."""
    methods = WIDGET_CALLS.get(request.path)
    if methods is None:
        return None
    if request.method == "OPTIONS":
        response = answers.no_content()
    elif request.method in methods:
        response = _asked(request, checkout, tokens)
    else:
        response = method_not_allowed((*methods, "OPTIONS"))
    return replace(response, headers={**response.headers, **CORS_HEADERS})


def _asked(request: Request, checkout: Checkout, tokens: ClientTokens) -> Response:
    scheme, _, token = request.header("Authorization").partition(" ")
    session_id = tokens.session_id(token) if scheme == "Bearer" else None
    if session_id is None:
        return answers.error(401, "UNAUTHORIZED", "Invalid client token")
    body = parse_json(request.body)
    given = body if isinstance(body, Mapping) else {}
    try:
        return WIDGET_CALLS[request.path][request.method](checkout, session_id, given)
    except ValueError as error:
        return json_response(400, {"error": str(error)})
    except answers.RefusedError as refused:
        # What the shopper typed is no failure, and so none in the browser's console.
        status = 200 if refused.invalid_fields else refused.response.status
        return json_response(status, problem(refused), refused.response.headers)


def _shown(checkout: Checkout, session_id: str, _given: Mapping[str, Any]) -> Response:
    return answers.ok(checkout.widget(checkout.open_session(session_id)))


def _changed(checkout: Checkout, session_id: str, given: Mapping[str, Any]) -> Response:
    return answers.ok(checkout.widget(checkout.change(session_id, given.get("data"))))


def _authorized(checkout: Checkout, session_id: str, given: Mapping[str, Any]) -> Response:
    return answers.ok(checkout.authorize(session_id, given.get("data"), given.get("decision")))


@cache
def _content(name: str) -> bytes:
    return (BROWSER / name).read_bytes()


WIDGET_CALLS: Final[dict[str, dict[str, Callable[[Checkout, str, Mapping[str, Any]], Response]]]] = {
    "/kp/lib/v1/session": {"GET": _shown, "POST": _changed},
    "/kp/lib/v1/authorize": {"POST": _authorized},
}

"""What a browser asks of the sandbox: the stand-in of Klarna's JavaScript SDK, and what its widget shows."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from django_klarna.sandbox import answers
from django_klarna.sandbox.markets import DEFAULT_LOCALE
from django_klarna.sandbox.messages import Request, Response, method_not_allowed
from django_klarna.sandbox.sessions import SandboxSession, Sessions
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
    "Access-Control-Allow-Headers": "Authorization",
    "Access-Control-Allow-Methods": "GET",
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


def widget_session(request: Request, sessions: Sessions, tokens: ClientTokens) -> Response:
    """Return what the widget shows of the session behind a `Bearer` client token, to any origin."""
    if request.method == "OPTIONS":
        response = answers.no_content()
    elif request.method == "GET":
        response = _shown(request.header("Authorization"), sessions, tokens)
    else:
        response = method_not_allowed(("GET", "OPTIONS"))
    return replace(response, headers={**response.headers, **CORS_HEADERS})


def _shown(authorization: str, sessions: Sessions, tokens: ClientTokens) -> Response:
    scheme, _, token = authorization.partition(" ")
    session_id = tokens.session_id(token) if scheme == "Bearer" else None
    if session_id is None:
        return answers.error(401, "UNAUTHORIZED", "Invalid client token")
    try:
        session = sessions.live(session_id)
    except answers.RefusedError as refused:
        return refused.response
    if session.status == "complete":
        return answers.session_completed()
    return answers.ok(_widget_data(session, sessions.categories(session)))


def _widget_data(session: SandboxSession, categories: list[str]) -> dict[str, object]:
    content = session.content
    return {
        "order_amount": content["order_amount"],
        "purchase_currency": content["purchase_currency"].upper(),
        "locale": content.get("locale", DEFAULT_LOCALE),
        "quantity": sum(line["quantity"] for line in content["order_lines"] if _is_goods(line)),
        "payment_method_categories": categories,
    }


def _is_goods(line: dict[str, object]) -> bool:
    return line.get("type", "physical") in ("physical", "digital")


@cache
def _content(name: str) -> bytes:
    return (BROWSER / name).read_bytes()

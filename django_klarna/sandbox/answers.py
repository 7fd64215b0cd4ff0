"""Answers as Klarna words them.

Source: https://docs.klarna.com/api/errors and
https://docs.klarna.com/resources/developer-tools/error-handling/error-codes-and-messages-for-klarna-payments
"""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from django_klarna.sandbox.messages import Response, json_response
from django_klarna.sandbox.sending import URL_CHARACTERS

# Klarna documents 400 to 409 and 500 for payments, 429 and 502 to 504 for order management only; the code of 413
# is made up.
ERROR_CODES: Final = {
    400: "BAD_REQUEST",
    403: "INVALID_OPERATION",
    404: "NOT_FOUND",
    409: "BAD_VALUE",
    413: "REQUEST_TOO_LARGE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
    502: "TEMPORARILY_UNAVAILABLE",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "TEMPORARILY_UNAVAILABLE",
}
# The title of a gateway's page where it is not the name of the status.
TITLES: Final = {401: "Authorization Required"}
CREATES_A_SECOND: Final = 40


class RefusedError(Exception):
    """Carry the answer to a request that is refused, and the names of the wrong fields where it is for those."""

    def __init__(self, response: Response, invalid_fields: Iterable[str] = ()) -> None:
        super().__init__(response.status)
        self.response = response
        self.invalid_fields = tuple(dict.fromkeys(invalid_fields))


def ok(content: object) -> Response:
    """Return a 200 with a correlation id."""
    return json_response(200, content, _correlation(str(uuid4())))


def no_content() -> Response:
    """Return a 204 without a body; Klarna sends the correlation id on these too."""
    return Response(status=204, headers=_correlation(str(uuid4())))


def found(url: str) -> Response:
    """Return a redirect to a page of the merchant's."""
    return Response(status=302, headers={"Location": quote(url, safe=URL_CHARACTERS)})


def error(status: int, code: str, message: str) -> Response:
    """Return an error in Klarna's form: code, messages, and a correlation id in body and header."""
    correlation_id = str(uuid4())
    content = {"error_code": code, "error_messages": [message], "correlation_id": correlation_id}
    return json_response(status, content, _correlation(correlation_id))


def bad_request() -> Response:
    """Return the answer to a body that is no JSON object."""
    return error(400, "BAD_REQUEST", "Bad request")


def bad_value(fields: Iterable[str]) -> Response:
    """Return a 400 whose single message names each field once, as recorded from Klarna."""
    return error(400, "BAD_VALUE", f"Bad value: {', '.join(dict.fromkeys(fields))}")


def not_found(message: str = "Invalid session id") -> Response:
    """Return a 404; an expired session, an unknown one and another merchant's look the same."""
    return error(404, "NOT_FOUND", message)


def session_completed() -> Response:
    """Return the answer to a change of a session for which the order is placed."""
    return error(404, "SESSION_COMPLETED", "Session already completed")


def invalid_token() -> Response:
    """Return the answer for a token that is unknown, another merchant's, expired, cancelled or superseded."""
    return not_found("Invalid authorization token")


def invalid_operation(message: str) -> Response:
    """Return a 403 for what this token, or this session, does not allow."""
    return error(403, "INVALID_OPERATION", message)


def consumed() -> Response:
    """Return the answer for a token that has done what it was for."""
    return invalid_operation("Authorization token already consumed")


def rejected() -> Response:
    """Return the answer to an order that Klarna does not approve after all."""
    return error(403, "REJECTED", "Authorization is not approved")


def not_matching(fields: Iterable[str]) -> Response:
    """Return a 409 for what differs from the authorized session, worded as reported from Klarna.

    Source: https://github.com/krokedil/klarna-payments-for-woocommerce/issues/2
    """
    return error(409, "BAD_VALUE", f"Not matching fields: [{', '.join(fields)}]")


def completed_differently() -> Response:
    """Return a 409 for a second order with the token of the first."""
    return error(409, "BAD_VALUE", "The order has been already completed with different request body")


def too_large() -> Response:
    """Return the answer to a body over 1 MB."""
    return error(413, ERROR_CODES[413], "Request body is larger than 1 MB")


def unauthorized() -> Response:
    """Return a 401 as recorded: an HTML page of the gateway, without a correlation id."""
    page = gateway_page(Response(status=401))
    return replace(page, headers={**page.headers, "WWW-Authenticate": 'Basic realm="Klarna"'})


def inactive() -> Response:
    """Return the answer to a merchant whose account is not active."""
    return error(403, "MERCHANT_INACTIVE", "Merchant is not active")


def too_many_requests(limit: int, reset: float = 1) -> Response:
    """Return the answer to one call too many in `limit` a second."""
    answer = error(429, ERROR_CODES[429], "Too many requests")
    return replace(answer, headers={**answer.headers, **rate_limit_headers(limit, 0, reset)})


def rate_limit_headers(limit: int, left: int, reset: float) -> dict[str, str]:
    """Return the headers that tell the limit, what is left of it, and in how many seconds it is whole again."""
    return {
        "X-Ratelimit-Limit": str(limit),
        "X-Ratelimit-Remaining": str(left),
        "X-Ratelimit-Reset": str(reset),
    }


def for_status(status: int, code: str | None, retry_after: float | None) -> Response:
    """Return the answer that Klarna's gateway or API would give with this status; a 429 names `retry_after`."""
    if status == HTTPStatus.UNAUTHORIZED:
        return unauthorized()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return too_many_requests(CREATES_A_SECOND, 1 if retry_after is None else retry_after)
    fallback = "INTERNAL_SERVER_ERROR" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "BAD_REQUEST"
    return error(status, code or ERROR_CODES.get(status, fallback), "Answered by a fault of the sandbox")


def gateway_page(answer: Response) -> Response:
    """Return an answer whose body is a page of some gateway, without a correlation id; a 204 becomes a 200."""
    status = HTTPStatus.OK if answer.status == HTTPStatus.NO_CONTENT else answer.status
    title = f"{status} {TITLES.get(status) or _phrase(status)}".strip()
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>sandbox</center>\r\n</body>\r\n</html>\r\n"
    )
    return replace(answer, status=status, headers={"Content-Type": "text/html"}, body=page.encode())


def without_body(answer: Response) -> Response:
    """Return an answer that is only a status, as from Klarna's protection against floods."""
    return replace(answer, headers={}, body=b"")


def _phrase(status: int) -> str:
    return next((known.phrase for known in HTTPStatus if known == status), "")


def _correlation(correlation_id: str) -> dict[str, str]:
    return {"Klarna-Correlation-Id": correlation_id}

"""What a page may send: a little JSON."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MAX_BYTES = 16_384


class TooLargeError(APIException):
    """The body is larger than anything a page has to say."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "request_too_large"
    default_detail = f"The body may have {MAX_BYTES} bytes."


class SmallJSONParser(JSONParser):
    """Read JSON, but no more of it than a page has to say, and none that is nested without end."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Give the content; ``ParseError`` and `TooLargeError` say why not."""
        request = (parser_context or {})["request"]
        if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
            raise TooLargeError
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None

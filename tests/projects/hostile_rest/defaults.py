"""Classes that let nothing through: whoever comes here has taken over a default."""

from typing import Any, NoReturn

from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.schemas.inspectors import ViewInspector


class TakenOverError(Exception):
    pass


class NoNegotiation(BaseContentNegotiation):
    def select_parser(self, request: object, parsers: object) -> NoReturn:
        raise TakenOverError

    def select_renderer(self, request: object, renderers: object, format_suffix: object = None) -> NoReturn:
        raise TakenOverError


class NoMetadata(BaseMetadata):
    def determine_metadata(self, request: object, view: object) -> NoReturn:
        raise TakenOverError


class NoSchema(ViewInspector):
    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise TakenOverError


def handle_nothing(error: Exception, context: dict[str, Any]) -> NoReturn:
    raise TakenOverError from error

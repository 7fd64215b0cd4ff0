"""The request checks of the published contract, by a JSON-schema library on the sandbox's own copy of it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

CONTRACT: Final = Path(__file__).with_name("klarna-payments-v1.openapi.json")
SESSION: Final = "session_create"
ORDER: Final = "create_order_request"
CUSTOMER_TOKEN: Final = "customer_token_creation_request"  # noqa: S105 - the name of a schema
INT64: Final = 2**63

_formats = FormatChecker(formats=())


@_formats.checks("int64")
def _is_int64(value: object) -> bool:
    return not isinstance(value, int) or -INT64 <= value < INT64


def _is_integer(_checker: object, value: object) -> bool:
    # JSON schema takes 2.0 for an integer; Klarna's amounts are whole numbers, written as such.
    return isinstance(value, int) and not isinstance(value, bool)


def _whole_pattern(
    _validator: object, pattern: str, value: object, _schema: object
) -> Iterator[ValidationError]:
    # Searching, `$` would also match before a final newline. Every pattern of the contract spans its value.
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError(f"does not match {pattern}")


def _required(
    _validator: object, names: Sequence[str], value: object, _schema: object
) -> Iterator[ValidationError]:
    # As the library's own, but with the missing name in the error's path.
    if isinstance(value, dict):
        yield from (ValidationError("is missing", path=(name,)) for name in names if name not in value)


_StrictValidator: Final[type[Draft202012Validator]] = extend(  # type: ignore[no-untyped-call]  # bare in its stubs
    Draft202012Validator,
    validators={"pattern": _whole_pattern, "required": _required},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@cache
def _schemas() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(CONTRACT.read_text(encoding="utf-8"))
    return content


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _schemas()["components"]}
    return _StrictValidator(schema, format_checker=_formats)


def writable(content: Mapping[str, Any], schema: str = SESSION) -> dict[str, Any]:
    """Return the fields of a session, or of what another schema is for, that a merchant may set.

    Klarna does not document what it does with unknown and with read-only fields; the sandbox ignores them.
    """
    properties = _schemas()["components"]["schemas"][schema]["properties"]
    read_only = {name for name, fragment in properties.items() if fragment.get("readOnly")}
    return {key: value for key, value in content.items() if key in properties.keys() - read_only}


def readable(content: Mapping[str, Any], schema: str) -> dict[str, Any]:
    """Return the fields that a schema of an answer has."""
    properties = _schemas()["components"]["schemas"][schema]["properties"]
    return {key: value for key, value in content.items() if key in properties}


def contract_violations(content: dict[str, Any], schema: str = SESSION) -> list[str]:
    """Return the fields of a request that break the contract, named as in `order_lines[0].tax_rate`."""
    return [_field_name(error.absolute_path) for error in _validator(schema).iter_errors(content)]


def _field_name(path: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")

"""What our checks accept is what the contract's own JSON schema accepts, field by field.

Another library and the sandbox's copy of the contract judge the same data. Long: `--hypothesis-profile=long`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from django_klarna.api import (
    CreateOrderRequest,
    CustomerTokenCreationRequest,
    KlarnaValidationError,
    Session,
    SessionCreate,
    Violation,
)
from django_klarna.api.compiling import compiled
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Boolean, Integer, Items, Kind, Nested, Text
from django_klarna.sandbox.contract import contract_violations
from tests.api.payloads import session_create
from tests.api.test_contract import TYPES, contract_name
from tests.contract import SCHEMAS

# What only we refuse. Of everything else the contract has the same opinion, at the same place.
ONLY_OURS = {
    "unknown": "a key that the contract does not have is a slip of the pen; the contract does not forbid it",
    "read_only": "the contract says that Klarna ignores it, so it was not meant",
    "encoding": "a lone surrogate has no UTF-8, and NUL cannot be stored; JSON schema knows of neither",
}
# Likewise a subscription's interval_count of more than 64 bits, of which the contract does not say the size.
# What only the contract refuses: null. None is absent for us and is never sent.

WORDS = st.sampled_from(
    ["", "SE", "SEK", "sv-SE", "buy", "person", "1234", "DAY", "x" * 100, "Å", "#a0B1c2", "US\n", "SE "]
)
# Beyond 64 bits each field is looked at below.
NUMBERS = st.one_of(st.integers(-2, 20_000), st.sampled_from([100_000_000, 100_000_001, 2**63 - 1, -(2**63)]))
VALUES = st.one_of(
    WORDS,
    NUMBERS,
    st.text(max_size=12),
    st.sampled_from(["\ud800", "a\0b", "x" * 6001]),
    st.booleans(),
    st.sampled_from([0.5, 2.0]),
    st.just([]),
    st.just({}),
)


def members(cls: type[Schema]) -> st.SearchStrategy[dict[str, object]]:
    """Data for the type: mostly of the right kinds, complete or not, now and then with a stranger in it."""
    fields = {name: st.one_of(fitting(field.kind), VALUES) for name, field in cls.__fields__.items()}
    required = {name: fitting(field.kind) for name, field in cls.__fields__.items() if field.required}
    optional = {
        name: strategy
        for name, strategy in fields.items()
        if name not in required and not cls.__fields__[name].read_only
    }
    return st.one_of(
        st.fixed_dictionaries(required, optional=optional),
        st.fixed_dictionaries({}, optional={**fields, "stranger": VALUES}),
    )


def fitting(kind: Kind) -> st.SearchStrategy[object]:
    if isinstance(kind, Nested):
        assert issubclass(kind.target, Schema)
        return members(kind.target)
    if isinstance(kind, Items):
        return st.lists(fitting(kind.item), max_size=2)
    if isinstance(kind, Boolean):
        return st.booleans()
    return NUMBERS if isinstance(kind, Integer) else WORDS


def told(cls: type[Schema], data: object) -> tuple[Violation, ...]:
    try:
        cls.from_dict(data)
    except KlarnaValidationError as error:
        return error.violations
    return ()


def klarna_names(violations: Iterable[Violation]) -> set[str]:
    """The fields of our violations, named as Klarna does: order_lines[0].tax_rate."""
    return {
        re.sub(r"/(\d+)(?=/|$)", r"[\1]", violation.path).replace("/", ".").lstrip(".")
        for violation in violations
        if violation.rule not in ONLY_OURS
    }


@settings(deadline=None)
@given(members(SessionCreate))
@example({"purchase_country": "US\n", "order_lines": []})
@example({"order_amount": 2.0, "order_lines": [{"name": "x", "quantity": True}]})
def test_the_sandbox_finds_the_same_fields_wrong(data: dict[str, Any]) -> None:
    writable = {name: value for name, value in data.items() if not read_only(name)}
    assert klarna_names(told(SessionCreate, writable)) == set(contract_violations(writable))


def read_only(name: str) -> bool:
    return name in SessionCreate.__fields__ and SessionCreate.__fields__[name].read_only


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with two of our own rules: no unknown and no read-only members."""
    if "properties" not in schema:
        return schema
    properties = {
        key: (False if value.get("readOnly") else value) for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties, "additionalProperties": False}


def whole(_: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def fits_64_bits(instance: object) -> bool:
    return not isinstance(instance, int) or -(2**63) <= instance < 2**63


def fits_32_bits(instance: object) -> bool:
    return not isinstance(instance, int) or -(2**31) <= instance < 2**31


FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("int64")(fits_64_bits)
FORMATS.checks("int32")(fits_32_bits)
STRICT = jsonschema.validators.extend(  # type: ignore[no-untyped-call]  # bare in its stubs
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", whole),
)


def validator(name: str) -> Any:
    # Searched, `$` would match before a line feed too; ECMA's, which the contract means, does not.
    schemas = json.loads(json.dumps(SCHEMAS).replace('$"', '\\\\Z"'))
    schemas["subscription"]["properties"]["interval_count"]["format"] = "int64"
    components = {"schemas": {key: closed(schema) for key, schema in schemas.items()}}
    return STRICT({"$ref": f"#/components/schemas/{name}", "components": components}, format_checker=FORMATS)


VALIDATORS: Mapping[type[Schema], Any] = {
    SessionCreate: validator("session_create"),
    Session: validator("session"),
    CreateOrderRequest: validator("create_order_request"),
    CustomerTokenCreationRequest: validator("customer_token_creation_request"),
}


@pytest.mark.parametrize("cls", VALIDATORS)
@settings(deadline=None)
@given(data=st.data())
def test_the_fast_check_the_slow_check_and_json_schema_agree(cls: type[Schema], data: st.DataObject) -> None:
    given_data = data.draw(members(cls))
    rules = {violation.rule for violation in told(cls, given_data)}
    assert VALIDATORS[cls].is_valid(given_data) is (rules <= {"encoding"})
    loose = cls.__build__(given_data, drop_unknown=True)
    assert loose.__valid__() is (loose.violations() == [])
    if not rules:
        built = cls.from_dict(given_data)
        assert built.violations() == []
        assert json.loads(built.to_json()) == built.to_dict() == given_data


def at_the_limits(kind: Kind) -> list[object]:
    if isinstance(kind, Integer):
        limits = [kind.minimum or 0, kind.maximum or 0, -(2**31), 2**31 - 1, -(2**63), 2**63 - 1]
        return [limit + step for limit in limits for step in (-1, 0, 1)]
    if isinstance(kind, Text) and not kind.pattern and not kind.enum:
        limits = [kind.min_length, kind.max_length or 5000]
        return ["x" * (limit + step) for limit in limits for step in (-1, 0, 1)]
    return []


FIELDS = [
    (cls, name, field.kind)
    for cls in TYPES.values()
    for name, field in cls.__fields__.items()
    if not field.read_only and at_the_limits(field.kind)
]


@pytest.mark.parametrize(
    ("cls", "name", "kind"), FIELDS, ids=[f"{contract_name(cls)}.{name}" for cls, name, _ in FIELDS]
)
def test_the_limits_of_each_field_are_the_contracts(cls: type[Schema], name: str, kind: Kind) -> None:
    judge = validator(contract_name(cls))
    for value in at_the_limits(kind):
        data = {name: value}
        wrong = {error.absolute_path[0] for error in judge.iter_errors(data) if error.absolute_path}
        assert (name in klarna_names(told(cls, data))) is (name in wrong)
        # What the fast check lets pass is not looked at again.
        fast = compiled({name: (kind.quick_valid, kind.valid)}, required=frozenset())
        assert fast(data) is (name not in wrong)


def test_none_is_absent_and_never_sent() -> None:
    data = {**session_create().to_dict(), "locale": None}
    assert contract_violations(data) == ["locale"]
    assert b"locale" not in SessionCreate.from_dict(data).to_json()


@pytest.mark.parametrize("rule", ONLY_OURS)
def test_what_only_we_refuse(rule: str) -> None:
    wrong: dict[str, dict[str, object]] = {
        "unknown": {"x": 1},
        "read_only": {"status": "complete"},
        "encoding": {"design": "a\0b"},
    }
    data = {**session_create().to_dict(), **wrong[rule]}
    assert [violation.rule for violation in told(SessionCreate, data)] == [rule]
    assert contract_violations(data) == []

import copy
import dataclasses
import inspect
import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_klarna import api
from django_klarna.api import (
    Address,
    Attachment,
    Customer,
    KlarnaResponseError,
    KlarnaValidationError,
    MerchantSession,
    MerchantUrls,
    OrderLine,
    PaymentMethodCategory,
    Session,
    SessionCreate,
    SessionRead,
)
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Integer, Items, Kind, Nested, Text
from tests.api.payloads import CONTRACT, order_line, session_create

SCHEMAS = CONTRACT["components"]["schemas"]
TYPES = {cls.__name__: cls for cls in vars(api).values() if inspect.isclass(cls) and issubclass(cls, Schema)}


def contract_name(cls: type[Schema]) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in cls.__name__).strip("_")


def contract_fragment(kind: Kind) -> dict[str, object]:
    """The kind in the contract's words."""
    if isinstance(kind, Text):
        words = {"maxLength": kind.max_length, "minLength": kind.min_length or None, "pattern": kind.pattern}
        return without_none({"type": "string", **words, "enum": list(kind.enum) or None})
    if isinstance(kind, Integer):
        return without_none({"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum})
    if isinstance(kind, Nested):
        return {"$ref": f"#/components/schemas/{contract_name(kind.target)}"}
    assert isinstance(kind, Items)
    words = {
        "minItems": kind.min_items or None,
        "maxItems": kind.max_items,
        "uniqueItems": kind.unique or None,
    }
    return without_none({"type": "array", "items": contract_fragment(kind.item), **words})


def without_none(fragment: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in fragment.items() if value is not None}


def reachable(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                name = value.rpartition("/")[2]
                yield name
                yield from reachable(SCHEMAS[name])
            else:
                yield from reachable(value)


def rules(violations) -> list[tuple[str, str]]:
    return [(violation.path, violation.rule) for violation in violations]


def violations_of(data: object, cls: type[Schema] = SessionCreate) -> list[tuple[str, str]]:
    with pytest.raises(KlarnaValidationError) as caught:
        cls.from_dict(data)
    return rules(caught.value.violations)


def refusal(value: Schema) -> list[tuple[str, str]]:
    with pytest.raises(KlarnaValidationError) as caught:
        value.check()
    assert list(caught.value.violations) == value.violations()
    return rules(caught.value.violations)


# The contract


@pytest.mark.parametrize("cls", TYPES.values())
def test_the_table_is_the_contract(cls):
    schema = SCHEMAS[contract_name(cls)]
    declared = {}
    for name, field in cls.__fields__.items():
        declared[name] = contract_fragment(field.kind) | ({"readOnly": True} if field.read_only else {})
    wanted = {
        name: {
            key: value
            for key, value in fragment.items()
            if key != "format" and (key, value) != ("minLength", 0)
        }
        for name, fragment in schema["properties"].items()
    }
    assert declared == wanted
    assert {name for name, field in cls.__fields__.items() if field.required} == set(
        schema.get("required", ())
    )


def test_every_type_that_the_operations_reach_is_there():
    sessions = {
        path: node for path, node in CONTRACT["paths"].items() if path.startswith("/payments/v1/sessions")
    }
    names = {contract_name(cls) for cls in TYPES.values()}
    # An answer may use a request's types and the other way round, so both sides are walked.
    assert set(reachable({"x": list_free(sessions)})) == names


def list_free(node: object) -> object:
    return {key: list_free(value) for key, value in node.items()} if isinstance(node, dict) else node


# Checking


def test_everything_that_is_wrong_is_told_at_once():
    wrong = {
        "purchase_country": "Sweden",
        "purchse_currency": "SEK",
        "order_amount": -1,
        "order_tax_amount": "400",
        "intent": "steal",
        "client_token": "x",
        "order_lines": [
            {"name": "", "quantity": 1.0, "unit_price": 100_000_001, "total_amount": True},
            {"name": "x" * 256, "quantity": 2**63, "unit_price": 1, "total_amount": 1, "subscription": {}},
            "shoe",
            None,
        ],
        "billing_address": [],
        "customer": {"type": "robot", "a/b~c": 1},
        "custom_payment_method_ids": [1],
    }
    assert sorted(violations_of(wrong)) == sorted(
        [
            ("/purchase_country", "pattern"),
            ("/purchse_currency", "unknown"),
            ("/purchase_currency", "required"),
            ("/order_amount", "minimum"),
            ("/order_tax_amount", "type"),
            ("/intent", "enum"),
            ("/client_token", "read_only"),
            ("/order_lines/0/name", "min_length"),
            ("/order_lines/0/quantity", "type"),
            ("/order_lines/0/unit_price", "maximum"),
            ("/order_lines/0/total_amount", "type"),
            ("/order_lines/1/name", "max_length"),
            ("/order_lines/1/quantity", "maximum"),
            ("/order_lines/1/subscription/name", "required"),
            ("/order_lines/1/subscription/interval", "required"),
            ("/order_lines/1/subscription/interval_count", "required"),
            ("/order_lines/2", "type"),
            ("/order_lines/3", "type"),
            ("/billing_address", "type"),
            ("/customer/type", "pattern"),
            ("/customer/a~1b~0c", "unknown"),
            ("/custom_payment_method_ids/0", "type"),
        ]
    )


def test_an_object_tells_the_same_as_plain_data():
    line = OrderLine(name="", quantity=1.5, unit_price=1, total_amount=1)
    session = SessionCreate(purchase_country="US\n", order_lines=[line], status="complete", order_amount=1)
    assert rules(session.violations()) == violations_of(session.to_dict())
    assert ("/order_lines/0/quantity", "type") in refusal(session)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("quantity", True, "type"),
        ("quantity", 1.0, "type"),
        ("quantity", Decimal(1), "type"),
        ("quantity", "1", "type"),
        ("quantity", 2**63, "maximum"),
        pytest.param("quantity", 10**5000, "maximum", id="huge"),
        ("total_tax_amount", -(2**63) - 1, "minimum"),
        ("name", 5, "type"),
        ("name", b"x", "type"),
        ("name", "\ud800", "encoding"),
        ("name", "a\0b", "encoding"),
        ("name", "å\0b", "encoding"),
        ("quantity_unit", "123456789", "max_length"),
        ("product_identifiers", {"brand": "x"}, "type"),
        ("product_identifiers", Address(), "type"),
    ],
)
def test_what_is_refused(field, value, rule):
    line = order_line(**{field: value})
    assert refusal(line) == [(f"/{field}", rule)]
    assert str(line.violations()[0])


@pytest.mark.parametrize("field", ["status", "client_token", "authorization_token", "expires_at"])
def test_what_only_klarna_may_set_is_refused(field):
    assert refusal(session_create(**{field: "complete"})) == [(f"/{field}", "read_only")]
    SessionRead(**{field: "complete"}).check()


@pytest.mark.parametrize("country", ["US\n", "USA", "", "U", "ÅÄ", " US"])
def test_patterns_match_the_whole_text(country):
    assert refusal(session_create(purchase_country=country)) == [("/purchase_country", "pattern")]


def test_what_is_accepted():
    class Text(str):
        __slots__ = ()

    order_line(name=Text("x"), total_tax_amount=-(2**63), reference="Å" * 256).check()
    session_create(order_lines=[order_line()] * 1000, merchant_reference1="").check()
    Session().check()


@pytest.mark.parametrize(("count", "rule"), [(0, "min_items"), (1001, "max_items")])
def test_number_of_lines(count, rule):
    session = session_create(order_lines=[order_line()] * count)
    assert refusal(session) == [("/order_lines", rule)]
    assert session.violations()[0].actual == count


def test_items_that_must_differ():
    category = {"identifier": "klarna"}
    read = SessionRead.from_dict({"payment_method_categories": [category, {"identifier": "pay_now"}]})
    assert [found.identifier for found in read.payment_method_categories] == ["klarna", "pay_now"]
    twice = {"payment_method_categories": [category, {**category, "name": None}]}
    assert violations_of(twice, SessionRead) == [("/payment_method_categories", "unique_items")]


def test_unknown_keys_come_with_a_suggestion():
    with pytest.raises(KlarnaValidationError, match="Did you mean 'purchase_country'"):
        SessionCreate.from_dict({"purchase_contry": "SE"})
    assert ("/<int>", "unknown") in violations_of({5: "x"})
    with pytest.raises(TypeError, match="Did you mean 'quantity'"):
        OrderLine(quantty=1)


@pytest.mark.parametrize("data", [[], "x", None, 5])
def test_data_that_is_no_object(data):
    assert violations_of(data) == [("", "type")]


def test_no_text_of_the_input_is_repeated():
    planted = "planted" * 50
    with pytest.raises(KlarnaValidationError) as caught:
        SessionCreate.from_dict(
            {
                "purchase_country": planted,
                "intent": planted,
                "order_amount": planted,
                "billing_address": {"email": planted, "title": planted},
                "customer": planted,
                "order_lines": [planted],
            }
        )
    assert "planted" not in str(caught.value) + repr(caught.value) + repr(caught.value.violations)
    found = {violation.path: violation.actual for violation in caught.value.violations}
    assert found["/billing_address/email"] == 350
    assert found["/order_amount"] == "string"


# A check by another's hand: JSON schema over the contract itself


def closed(schema: dict[str, object]) -> dict[str, object]:
    """The schema with what our requests add: no unknown and no read-only members."""
    if "properties" not in schema:
        return schema
    properties = {
        key: (False if value.get("readOnly") else value) for key, value in schema["properties"].items()
    }
    return {**schema, "properties": properties, "additionalProperties": False}


VALIDATOR = jsonschema.Draft202012Validator(
    {
        "$ref": "#/components/schemas/session_create",
        "components": {"schemas": {name: closed(schema) for name, schema in SCHEMAS.items()}},
    }
)
WORDS = st.sampled_from(["", "SE", "SEK", "sv-SE", "buy", "person", "1234", "DAY", "x" * 100, "Å", "#a0B1c2"])
VALUES = st.one_of(WORDS, st.integers(-2, 20_000), st.booleans(), st.just(0.5), st.just([]), st.just({}))


def members(cls: type[Schema]) -> st.SearchStrategy[dict[str, object]]:
    """Data for the type: mostly of the right kinds, complete or not, now and then with a stranger in it."""
    fields = {name: st.one_of(fitting(field.kind), VALUES) for name, field in cls.__fields__.items()}
    required = {name: fitting(field.kind) for name, field in cls.__fields__.items() if field.required}
    optional = {name: strategy for name, strategy in fields.items() if not cls.__fields__[name].read_only}
    return st.one_of(
        st.fixed_dictionaries(required, optional={n: s for n, s in optional.items() if n not in required}),
        st.fixed_dictionaries({}, optional={**fields, "stranger": VALUES}),
    )


def fitting(kind: Kind) -> st.SearchStrategy[object]:
    if isinstance(kind, Nested):
        return members(kind.target)
    if isinstance(kind, Items):
        return st.lists(fitting(kind.item), max_size=2)
    return st.integers(0, 10_001) if isinstance(kind, Integer) else WORDS


@settings(max_examples=150, deadline=None)
@given(members(SessionCreate))
def test_the_fast_check_the_slow_check_and_json_schema_agree(data):
    right = VALIDATOR.is_valid(data)
    loose = SessionCreate.__build__(data, drop_unknown=True)
    if right:
        built = SessionCreate.from_dict(data)
        assert built.violations() == []
        assert json.loads(built.to_json()) == built.to_dict() == data
    else:
        assert violations_of(data)
    assert loose.__valid__() is (loose.violations() == [])


# Objects


def test_what_is_checked_is_not_checked_again_and_a_changed_copy_is():
    session = session_create()
    session.check()
    assert session.__checked__
    assert SessionCreate.from_dict(session.to_dict()).__checked__
    changed = session.replace(purchase_country="Sweden")
    assert not hasattr(changed, "__checked__")
    assert refusal(changed) == [("/purchase_country", "pattern")]


def test_objects_are_immutable_and_compared_by_content():
    session = session_create()
    for attempt in (lambda: setattr(session, "locale", "x"), lambda: delattr(session, "locale")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            attempt()
    assert session == session_create()
    assert hash(session) == hash(session_create())
    assert session != session.to_session()
    assert session.replace(locale="en-SE") != session
    assert session.replace(locale=None).locale is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_pickle(protocol):
    session = session_create()
    assert pickle.loads(pickle.dumps(session, protocol)) == session == copy.deepcopy(session)


def test_a_list_given_or_returned_is_not_the_objects_own():
    lines = [order_line()]
    session = session_create(order_lines=lines)
    lines.append("x")
    session.to_dict()["order_lines"].append("x")
    data = session.to_dict()
    built = SessionCreate.from_dict(data)
    data["order_lines"][0]["name"] = "changed"
    data["locale"] = "changed"
    assert session.order_lines == built.order_lines == (order_line(),)
    assert built.locale == "sv-SE"


def test_absent_members_are_left_out():
    line = OrderLine(name="x", reference=None, quantity=0, unit_price=1, total_amount=1)
    assert line.to_dict() == {"name": "x", "quantity": 0, "unit_price": 1, "total_amount": 1}
    assert line.reference is None
    assert OrderLine.from_dict({**line.to_dict(), "reference": None}) == line
    assert line.to_json() == b'{"name":"x","quantity":0,"unit_price":1,"total_amount":1}'


def test_a_new_session_becomes_the_update_of_one():
    update = session_create().to_session()
    assert type(update) is Session
    assert update.to_dict() == session_create().to_dict()


def test_repr_hides_what_is_secret_or_personal():
    hidden = [
        Address(email="planted"),
        Customer(date_of_birth="planted"),
        MerchantUrls(authorization="planted"),
        Attachment(content_type="x", body="planted"),
        MerchantSession(session_id="s", client_token="planted"),
        SessionRead(authorization_token="planted", merchant_data="planted"),
        session_create(
            billing_address=Address(city="planted"), order_lines=[order_line(merchant_data="planted")]
        ),
    ]
    assert "planted" not in repr(hidden)
    assert repr(order_line(merchant_data="planted")) == (
        "OrderLine(name='Shoe', quantity=2, unit_price=1000, tax_rate=2500, total_amount=2000, merchant_data=...)"
    )


def test_signature_tells_what_is_required():
    parameters = inspect.signature(OrderLine).parameters
    required = {
        name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty
    }
    assert required == {"name", "quantity", "unit_price", "total_amount"}
    assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


# Answers


def test_answers_are_read_leniently():
    category = {"identifier": "brand_new", "asset_urls": {"standard": "u", "other": 1}, "other": {}}
    read = SessionRead.parse(
        {
            "status": "in_between",
            "client_token": "t" * 5000,
            "purchase_country": "Sweden",
            "order_amount": 2**70,
            "customer": {"type": "robot", "national_identification_number": "1"},
            "payment_method_categories": [category, category],
            "locale": None,
            "brand_new": [{}],
        }
    )
    assert (read.status, len(read.client_token), read.locale) == ("in_between", 5000, None)
    assert read.payment_method_categories[0].asset_urls.standard == "u"
    assert read.customer.to_dict() == {"type": "robot"}
    assert "brand_new" not in read.to_dict()


@pytest.mark.parametrize(
    ("cls", "data", "path"),
    [
        (MerchantSession, {"session_id": "s"}, "/client_token"),
        (MerchantSession, {"session_id": "s", "client_token": None}, "/client_token"),
        (MerchantSession, {"session_id": 5, "client_token": "t"}, "/session_id"),
        (MerchantSession, [], "/"),
        (SessionRead, {"order_amount": 1.0}, "/order_amount"),
        (SessionRead, {"order_amount": True}, "/order_amount"),
        (SessionRead, {"order_lines": {}}, "/order_lines"),
        (SessionRead, {"payment_method_categories": [{"name": 1}]}, "/payment_method_categories/0/name"),
        (SessionRead, {"order_lines": [{"name": "x"}]}, "/order_lines/0/quantity"),
        (Session, {"status": 1}, "/status"),
        (MerchantSession, {"session_id": "s", "client_token": "\ud800"}, "/client_token"),
        (MerchantSession, {"session_id": "s", "client_token": "a\0b"}, "/client_token"),
        (SessionRead, {"purchase_country": "å\0"}, "/purchase_country"),
        (SessionRead, {"payment_method_categories": [{"name": "\0"}]}, "/payment_method_categories/0/name"),
    ],
)
def test_answers_of_the_wrong_shape_are_refused_by_path(cls, data, path):
    with pytest.raises(KlarnaResponseError, match=f": {path}: ") as caught:
        cls.parse(data)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T12:00:00+02:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00.1Z", datetime(2026, 11, 22, 10, 0, 0, 100_000, tzinfo=UTC)),
        ("2026-11-22T10:00:00.123456789Z", datetime(2026, 11, 22, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_expiry_is_an_aware_time_in_utc(text, expected):
    expires = SessionRead(expires_at=text).expires_at_utc
    assert expires == expected
    assert expires is None or expires.tzinfo is UTC


def test_categories_of_an_answer_are_objects():
    created = MerchantSession.parse(
        {"session_id": "s", "client_token": "t", "payment_method_categories": [{}]}
    )
    assert created.payment_method_categories == (PaymentMethodCategory(),)

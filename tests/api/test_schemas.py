import copy
import dataclasses
import inspect
import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from django_klarna import api
from django_klarna.api import (
    Address,
    AssetUrls,
    Attachment,
    Customer,
    CustomerRead,
    KlarnaResponseError,
    KlarnaValidationError,
    MerchantSession,
    MerchantUrls,
    OrderLine,
    PaymentMethodCategory,
    Session,
    SessionCreate,
    SessionRead,
    Violation,
)
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Boolean, Integer, Items
from tests.api.payloads import CONTRACT, order_line, session_create

SCHEMAS = CONTRACT["components"]["schemas"]
TYPES = {cls.__name__: cls for cls in vars(api).values() if inspect.isclass(cls) and issubclass(cls, Schema)}


def rules(violations: Iterable[Violation]) -> list[tuple[str, str]]:
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


# Checking


def test_everything_that_is_wrong_is_told_at_once() -> None:
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


def test_an_object_tells_the_same_as_plain_data() -> None:
    line = order_line(name="", quantity=1.5)
    session = session_create(
        purchase_country="US\n", purchase_currency=None, order_lines=[line], status="complete"
    )
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
def test_what_is_refused(field: str, value: object, rule: str) -> None:
    line = order_line(**{field: value})
    assert refusal(line) == [(f"/{field}", rule)]
    assert str(line.violations()[0])


@pytest.mark.parametrize("field", ["status", "client_token", "authorization_token", "expires_at"])
def test_what_only_klarna_may_set_is_refused(field: str) -> None:
    assert refusal(session_create(**{field: "complete"})) == [(f"/{field}", "read_only")]
    SessionRead().replace(**{field: "complete"}).check()


@pytest.mark.parametrize("country", ["US\n", "USA", "", "U", "ÅÄ", " US"])
def test_patterns_match_the_whole_text(country: str) -> None:
    assert refusal(session_create(purchase_country=country)) == [("/purchase_country", "pattern")]


def test_what_is_accepted() -> None:
    class Text(str):
        __slots__ = ()

    order_line(name=Text("x"), total_tax_amount=-(2**63), reference="Å" * 256).check()
    session_create(order_lines=[order_line()] * 1000, merchant_reference1="").check()
    Session().check()


@pytest.mark.parametrize(("count", "rule"), [(0, "min_items"), (1001, "max_items")])
def test_number_of_lines(count: int, rule: str) -> None:
    session = session_create(order_lines=[order_line()] * count)
    assert refusal(session) == [("/order_lines", rule)]
    assert session.violations()[0].actual == count


def test_items_that_must_differ() -> None:
    category = {"identifier": "klarna"}
    read = SessionRead.from_dict({"payment_method_categories": [category, {"identifier": "pay_now"}]})
    assert read.payment_method_categories == (
        PaymentMethodCategory(identifier="klarna"),
        PaymentMethodCategory(identifier="pay_now"),
    )
    twice = {"payment_method_categories": [category, {**category, "name": None}]}
    assert violations_of(twice, SessionRead) == [("/payment_method_categories", "unique_items")]


def test_unknown_keys_come_with_a_suggestion() -> None:
    with pytest.raises(KlarnaValidationError, match="Did you mean 'purchase_country'"):
        SessionCreate.from_dict({"purchase_contry": "SE"})
    assert ("/<int>", "unknown") in violations_of({5: "x"})
    with pytest.raises(TypeError, match="Did you mean 'quantity'"):
        order_line(quantty=1)


@pytest.mark.parametrize("data", [[], "x", None, 5])
def test_data_that_is_no_object(data: object) -> None:
    assert violations_of(data) == [("", "type")]


def test_no_text_of_the_input_is_repeated() -> None:
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


# Objects


def test_what_is_checked_is_not_checked_again_and_a_changed_copy_is() -> None:
    session = session_create()
    session.check()
    session.check()
    assert session.__checked__
    assert SessionCreate.from_dict(session.to_dict()).__checked__
    changed = session.replace(purchase_country="Sweden")
    assert not hasattr(changed, "__checked__")
    assert refusal(changed) == [("/purchase_country", "pattern")]


def test_objects_are_immutable_and_compared_by_content() -> None:
    session = session_create()
    with pytest.raises(dataclasses.FrozenInstanceError):
        session.locale = "x"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del session.locale
    assert session == session_create()
    assert hash(session) == hash(session_create())
    assert session != session.to_session()
    assert session.replace(locale="en-SE") != session
    assert session.replace(locale=None).locale is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_objects_pickle(protocol: int) -> None:
    session = session_create()
    assert pickle.loads(pickle.dumps(session, protocol)) == session == copy.deepcopy(session)


def test_a_list_given_or_returned_is_not_the_objects_own() -> None:
    lines: list[Any] = [order_line()]
    session = session_create(order_lines=lines)
    lines.append("x")
    session.to_dict()["order_lines"].append("x")
    data = session.to_dict()
    built = SessionCreate.from_dict(data)
    data["order_lines"][0]["name"] = "changed"
    data["locale"] = "changed"
    assert session.order_lines == built.order_lines == (order_line(),)
    assert built.locale == "sv-SE"


def test_absent_members_are_left_out() -> None:
    line = OrderLine(name="x", reference=None, quantity=0, unit_price=1, total_amount=1)
    assert line.to_dict() == {"name": "x", "quantity": 0, "unit_price": 1, "total_amount": 1}
    assert line.reference is None
    assert OrderLine.from_dict({**line.to_dict(), "reference": None}) == line
    assert line.to_json() == b'{"name":"x","quantity":0,"unit_price":1,"total_amount":1}'


def test_a_new_session_becomes_the_update_of_one() -> None:
    update = session_create().to_session()
    assert type(update) is Session
    assert update.to_dict() == session_create().to_dict()


def test_repr_hides_what_is_secret_or_personal() -> None:
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


def test_signature_tells_what_is_required() -> None:
    parameters = inspect.signature(OrderLine).parameters
    required = {
        name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty
    }
    assert required == {"name", "quantity", "unit_price", "total_amount"}
    assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


# Answers


def test_answers_are_read_leniently() -> None:
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
    assert (read.status, read.client_token, read.locale) == ("in_between", "t" * 5000, None)
    assert read.payment_method_categories
    assert read.payment_method_categories[0].asset_urls == AssetUrls(standard="u")
    assert read.customer == CustomerRead(type="robot")
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
def test_answers_of_the_wrong_shape_are_refused_by_path(cls: type[Schema], data: object, path: str) -> None:
    place = Violation(path=path.rstrip("/"), rule="", expected="").place
    with pytest.raises(KlarnaResponseError, match=f": {place}: ") as caught:
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
def test_expiry_is_an_aware_time_in_utc(text: str | None, expected: datetime | None) -> None:
    expires = SessionRead(expires_at=text).expires_at_utc
    assert expires == expected
    assert expires is None or expires.tzinfo is UTC


def test_categories_of_an_answer_are_objects() -> None:
    created = MerchantSession.parse(
        {"session_id": "s", "client_token": "t", "payment_method_categories": [{}]}
    )
    assert created.payment_method_categories == (PaymentMethodCategory(),)


def test_an_array_of_numbers_is_checked_like_one_of_words() -> None:
    numbers = Items(Integer(minimum=0))
    assert numbers.build([1, 2], drop_unknown=False) == (1, 2)
    assert [violation.path for violation in numbers.violations([1, -2], "/numbers", plain=True)] == [
        "/numbers/1"
    ]


def test_an_array_of_truth_values_is_checked_like_one_of_words() -> None:
    switches = Items(Boolean())
    assert switches.build([True, False], drop_unknown=False) == (True, False)
    assert (switches.typed((True, False)), switches.typed((True, 0))) == (True, False)
    assert [violation.path for violation in switches.violations([True, 1], "/switches", plain=True)] == [
        "/switches/1"
    ]

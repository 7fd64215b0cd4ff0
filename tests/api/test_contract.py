"""The client and Klarna's contract say the same: whatever drifts, on either side, is named."""

import copy
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

import pytest

from django_klarna import api
from django_klarna.api import (
    AuthorizedPaymentMethod,
    CustomerTokenCreationRequest,
    KlarnaAPIError,
    KlarnaClient,
    ManagedOrder,
    MerchantSession,
    Order,
    Session,
    SessionCreate,
    SessionRead,
)
from django_klarna.api.fields import Schema
from django_klarna.api.kinds import Boolean, Integer, Items, Kind, Nested, Text
from tests.api.conftest import Peer, answer
from tests.api.payloads import CREATED, MANAGED_ORDER, ORDER, TOKEN, TOKEN_REQUEST, session_create
from tests.contract import (
    CONTRACT,
    OPERATIONS,
    ORDER_MANAGEMENT,
    SCHEMAS,
    Operation,
)

# The contract is that of Payments; what is of another API is compared with no more than `ORDER_MANAGEMENT` below.
OF_ANOTHER_API = {ManagedOrder: "Order Management"}
TYPES = {
    cls.__name__: cls
    for cls in vars(api).values()
    if inspect.isclass(cls) and issubclass(cls, Schema) and cls not in OF_ANOTHER_API
}


def methods_of(part: object) -> dict[str, Any]:
    return {
        name: method
        for name, method in inspect.getmembers(part, inspect.ismethod)
        if not name.startswith("_")
    }


CLIENT = KlarnaClient(api_key="k")
METHODS = methods_of(CLIENT.sessions) | methods_of(CLIENT.orders)
ALL_OPERATIONS = [*OPERATIONS.values(), *ORDER_MANAGEMENT.values()]

# What no repr shows. The contract does not say what is sensitive, so this list is kept by hand.
EVERYTHING = ("address", "customer", "customer_read", "customer_read_create_token", "merchant_urls")
SENSITIVE = {
    "attachment": {"body"},
    "create_order_request": {"authorization_token", "merchant_data"},
    "customer_token_creation_response": {"payment_method_reference", "redirect_url", "token_id"},
    "merchant_session": {"client_token"},
    "order": {"redirect_url"},
    "order_line": {"merchant_data"},
    "session": {"authorization_token", "client_token", "merchant_data"},
    "session_create": {"authorization_token", "client_token", "merchant_data"},
    "session_read": {"authorization_token", "client_token", "merchant_data"},
    **{name: set(SCHEMAS[name]["properties"]) for name in EVERYTHING},
}

METHOD = AuthorizedPaymentMethod(type="card", number_of_days=14)

# Every text may be empty, Klarna's times are read leniently, as text, and what is absent is the default.
SAYING_NOTHING = {("minLength", 0), ("format", "date-time"), ("default", False)}
# The contract leaves the size of this one number open; it is 64 bits wide with us, like the others.
OF_NO_SIZE = "subscription.interval_count.format"

Facts = dict[str, object]


def contract_name(cls: type) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in cls.__name__).strip("_")


NAMES = sorted(map(contract_name, TYPES.values()))


# Both sides as flat facts, such as "session_create.order_lines.minItems": 1


def contract_facts(schemas: dict[str, Any]) -> Facts:
    facts: Facts = {}
    for name in NAMES:
        required = schemas[name].get("required", ())
        for field, fragment in schemas[name]["properties"].items():
            facts |= flat(f"{name}.{field}", {**fragment, "required": field in required})
    return facts


def flat(path: str, fragment: dict[str, Any]) -> Facts:
    facts: Facts = {}
    for word, value in fragment.items():
        here = f"{path}.{word}"
        facts |= flat(here, value) if isinstance(value, dict) else {here: fact_of(value)}
    return {
        path: fact for path, fact in facts.items() if (path.rpartition(".")[2], fact) not in SAYING_NOTHING
    }


def fact_of(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def client_facts() -> Facts:
    facts: Facts = {}
    for cls in TYPES.values():
        for name, field in cls.__fields__.items():
            words = {**fragment(field.kind), "required": field.required}
            facts |= flat(
                f"{contract_name(cls)}.{name}", words | ({"readOnly": True} if field.read_only else {})
            )
    return {path: fact for path, fact in facts.items() if path != OF_NO_SIZE}


def fragment(kind: Kind) -> dict[str, Any]:
    """The kind in the contract's words."""
    if isinstance(kind, Text):
        words = {"maxLength": kind.max_length, "minLength": kind.min_length, "pattern": kind.pattern}
        return without_none({"type": "string", **words, "enum": kind.enum or None})
    if isinstance(kind, Integer):
        limits = {"minimum": kind.minimum, "maximum": kind.maximum}
        return without_none({"type": "integer", "format": f"int{kind.bits}", **limits})
    if isinstance(kind, Boolean):
        return {"type": "boolean"}
    if isinstance(kind, Nested):
        assert inspect.isclass(kind.target)
        return {"$ref": f"#/components/schemas/{contract_name(kind.target)}"}
    assert isinstance(kind, Items)
    counts = {
        "minItems": kind.min_items or None,
        "maxItems": kind.max_items,
        "uniqueItems": kind.unique or None,
    }
    return without_none({"type": "array", "items": fragment(kind.item), **counts})


def without_none(words: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in words.items() if value is not None}


def test_every_field_and_constraint_is_the_contracts_and_the_other_way_round() -> None:
    assert client_facts() == contract_facts(SCHEMAS)


def changed(*path: str, to: object = None) -> dict[str, Any]:
    schemas = copy.deepcopy(SCHEMAS)
    *way, last = path
    node = schemas
    for step in way:
        node = node[step]
    if to is None:
        del node[last]
    else:
        node[last] = to
    return schemas


@pytest.mark.parametrize(
    ("schemas", "named"),
    [
        (changed("order_line", "properties", "name", "maxLength", to=254), "order_line.name.maxLength"),
        (changed("order_line", "properties", "name", "minLength"), "order_line.name.minLength"),
        (changed("order_line", "properties", "unit_price", "maximum"), "order_line.unit_price.maximum"),
        (changed("order_line", "properties", "subscription"), "order_line.subscription.$ref"),
        (changed("session", "properties", "brand_new", to={"type": "string"}), "session.brand_new.type"),
        (changed("session_create", "required", to=["order_lines"]), "session_create.order_amount.required"),
        (changed("session", "properties", "intent", "enum", to=["buy"]), "session.intent.enum"),
        (changed("session", "properties", "status", "readOnly"), "session.status.readOnly"),
        (changed("options", "properties", "color_text", "pattern", to="x"), "options.color_text.pattern"),
        (
            changed("create_order_request", "properties", "auto_capture", "default", to=True),
            "create_order_request.auto_capture.default",
        ),
        (
            changed("authorized_payment_method", "properties", "number_of_days", "format", to="int64"),
            "authorized_payment_method.number_of_days.format",
        ),
        (
            changed("session", "properties", "order_lines", "items", "$ref", to="x"),
            "session.order_lines.items.$ref",
        ),
        (
            changed("session_read", "properties", "payment_method_categories", "uniqueItems"),
            "session_read.payment_method_categories.uniqueItems",
        ),
    ],
)
def test_a_drift_is_named(schemas: dict[str, Any], named: str) -> None:
    assert named in {name for name, _ in client_facts().items() ^ contract_facts(schemas).items()}


def test_what_is_sensitive_is_hidden_and_is_in_the_contract() -> None:
    assert {contract_name(cls): set(cls.__hidden__) for cls in TYPES.values() if cls.__hidden__} == SENSITIVE
    assert ManagedOrder.__hidden__ == {"merchant_data"}
    assert {
        f"{name}.{field}"
        for name, fields in SENSITIVE.items()
        for field in fields - SCHEMAS[name]["properties"].keys()
    } == set()


def reachable(names: set[str]) -> set[str]:
    """The schemas with all that they lead to."""
    nested = {
        ref.rpartition("/")[2]
        for name in names
        for path, ref in flat(name, SCHEMAS[name]).items()
        if path.endswith(".$ref") and isinstance(ref, str)
    }
    return names if nested <= names else reachable(names | nested)


def test_every_type_that_the_operations_reach_is_there_and_no_other() -> None:
    bodies = {
        body
        for operation in OPERATIONS.values()
        for body in (operation.request, *operation.responses.values())
        if body
    }
    # An error is no type of ours but an exception; its fields are compared below.
    assert sorted(reachable(bodies) - {"ErrorV2"}) == NAMES


# Operations


def test_every_operation_is_a_method_and_every_method_an_operation() -> None:
    assert METHODS.keys() == OPERATIONS.keys()


def test_what_is_of_another_api_is_said_to_be() -> None:
    assert methods_of(CLIENT.order_management).keys() == ORDER_MANAGEMENT.keys()
    assert methods_of(CLIENT.order_management).keys() & OPERATIONS.keys() == set()
    bodies = {body for one in ORDER_MANAGEMENT.values() for body in one.responses.values() if body}
    assert {contract_name(cls) for cls in OF_ANOTHER_API} == bodies
    assert bodies & SCHEMAS.keys() == set()


def called(operation: Operation, client: KlarnaClient) -> object:
    """Call an operation with an id or a token of "s-1" where it takes one."""
    calls: dict[str, Callable[[], object]] = {
        "create_credit_session": lambda: client.sessions.create_credit_session(session_create()),
        "read_credit_session": lambda: client.sessions.read_credit_session("s-1"),
        "update_credit_session": lambda: client.sessions.update_credit_session(
            "s-1", Session(order_amount=1)
        ),
        "create_order": lambda: client.orders.create_order("s-1", session_create().to_order()),
        "cancel_authorization": lambda: client.orders.cancel_authorization("s-1"),
        "purchase_token": lambda: client.orders.purchase_token(
            "s-1", CustomerTokenCreationRequest.from_dict(TOKEN_REQUEST)
        ),
        "get_order": lambda: client.order_management.get_order("s-1"),
    }
    return calls[operation.name]()


ANSWERS: dict[str | None, Any] = {
    None: b"",
    "merchant_session": CREATED,
    "session_read": CREATED,
    "order": ORDER,
    "customer_token_creation_response": TOKEN,
    "managed_order": MANAGED_ORDER,
}


@pytest.mark.parametrize("operation", ALL_OPERATIONS, ids=lambda operation: operation.name)
def test_method_and_path_are_the_contracts(
    operation: Operation, peer: Peer, klarna_client: KlarnaClient
) -> None:
    success = min(operation.responses)
    peer.behaves(answer(success, ANSWERS[operation.responses[success]]))
    called(operation, klarna_client)
    path = re.sub(r"\{\w+\}", "s-1", operation.path)
    assert peer.requests[0].startswith(f"{operation.method} {path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.name)
def test_types_of_request_and_answer_are_the_contracts(operation: Operation) -> None:
    hints = typing.get_type_hints(METHODS[operation.name])
    returned = hints.pop("return")
    sent = [contract_name(cls) for cls in hints.values() if inspect.isclass(cls) and issubclass(cls, Schema)]
    assert sent == ([operation.request] if operation.request else [])
    success = operation.responses[min(operation.responses)]
    assert (contract_name(returned) if issubclass(returned, Schema) else None) == success


@pytest.mark.parametrize(
    ("operation", "status"),
    [(operation, status) for operation in ALL_OPERATIONS for status in operation.responses],
    ids=lambda value: value.name if isinstance(value, Operation) else str(value),
)
def test_every_status_of_every_operation_is_told_apart(
    operation: Operation, status: int, peer: Peer, klarna_client: KlarnaClient
) -> None:
    peer.behaves(answer(status, ANSWERS[operation.responses[status]] if status < 300 else b""))
    if status < 300:
        assert contract_name(type(called(operation, klarna_client))) == (
            operation.responses[status] or "none_type"
        )
        return
    with pytest.raises(KlarnaAPIError) as caught:
        called(operation, klarna_client)
    assert caught.value.status_code == status
    assert type(caught.value) not in {KlarnaAPIError, api.KlarnaServerError}


def test_each_documented_error_has_a_class_of_its_own() -> None:
    statuses = {
        status for operation in OPERATIONS.values() for status in operation.responses if status >= 400
    }
    assert len({api.exceptions.error_class(status) for status in statuses}) == len(statuses)


def test_every_field_of_an_error_is_read(peer: Peer, klarna_client: KlarnaClient) -> None:
    values: dict[str, tuple[object, object]] = {
        "string": ("BAD-1", "BAD-1"),
        "array": (["BAD-1"], ("BAD-1",)),
        "#/components/schemas/authorized_payment_method": (METHOD.to_dict(), METHOD),
    }
    declared = {
        name: values[field.get("type") or field["$ref"]]
        for name, field in SCHEMAS["ErrorV2"]["properties"].items()
    }
    peer.behaves(answer(400, {name: told for name, (told, _) in declared.items()}))
    with pytest.raises(KlarnaAPIError) as caught:
        klarna_client.sessions.read_credit_session("s")
    # What Klarna says in a header, or by the status, is no field of the body.
    read = {name: value for name, value in vars(caught.value).items() if value not in (400, None)}
    assert read == {name: expected for name, (_, expected) in declared.items()}


def test_the_contract_is_that_of_payments() -> None:
    assert CONTRACT["servers"] == [{"url": api.base_url_for("eu", "live")}]
    assert {MerchantSession, Order, Session, SessionCreate, SessionRead} <= set(TYPES.values())

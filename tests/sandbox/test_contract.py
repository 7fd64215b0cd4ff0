"""The sandbox and the contract, compared in both directions."""

from collections.abc import Callable, Iterator

import pytest
from jsonschema import Draft202012Validator

from django_klarna.sandbox import Merchant, Response, Sandbox
from django_klarna.sandbox.calls import OPERATIONS as KNOWN
from tests.contract import (
    CONTRACT,
    NOT_YET,
    NOT_YET_IN_ERRORS,
    OPERATIONS,
    SCHEMAS,
    SESSION_OPERATIONS,
    UNDECLARED,
    Operation,
)
from tests.sandbox.conftest import Client, bad_fields, basic, parsed
from tests.sandbox.constraints import Case, cases, largest, smallest

SMALLEST = smallest("session_create")
CREATE_CASES = list(cases("session_create", SMALLEST))
UPDATE_CASES = list(cases("session", {}))
# What Klarna's arithmetic refuses of values that keep the contract, and what it names then.
SUMS = {
    "order_amount format": ["order_amount"],
    "order_tax_amount format": ["order_tax_amount"],
    "order_lines[0].total_amount maximum": ["order_lines[0].total_amount", "order_amount"],
    "order_lines[0].total_amount format": ["order_lines[0].total_amount", "order_amount"],
    "order_lines[0].total_discount_amount format": ["order_lines[0].total_amount"],
    "order_lines[0].total_tax_amount format": ["order_lines[0].total_tax_amount", "order_tax_amount"],
}
# Fields of the contract's answer that no read of the sandbox gives.
NEVER_READ = {
    "authorization_token": "made in the browser, until orders can be placed",
    "customer": "given back after the authorization only",
    "billing_address": "as above",
    "shipping_address": "as above",
    "merchant_urls.authorization": "not in the examples of Klarna's guide",
}


# Operations and statuses


def test_operations_are_those_of_the_contract() -> None:
    assert set(KNOWN) == set(SESSION_OPERATIONS)
    assert set(KNOWN) | set(NOT_YET) == set(OPERATIONS)


def path_of(operation: Operation, session_id: str) -> str:
    return operation.path.replace("{session_id}", session_id).replace("{authorizationToken}", session_id)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_each_operation_has_its_method_and_path(client: Client, operation: Operation) -> None:
    session_id = client.created(SMALLEST)["session_id"]
    response = client.send(operation.method, path_of(operation, session_id), SMALLEST)
    call = client.sandbox.calls[-1]
    if operation.name in NOT_YET:
        assert (call.operation, response.status) == ("unknown", 404)
    else:
        assert (call.operation, response.status // 100) == (operation.name, 2)


# Every status, by behaviour where Klarna says when it comes, else by a fault.


def send(client: Client, operation: Operation, content: object = None, session_id: str = "") -> Response:
    return client.send(operation.method, path_of(operation, session_id), content)


def good(client: Client, operation: Operation) -> Response:
    session_id = client.created(SMALLEST)["session_id"]
    return send(client, operation, SMALLEST, session_id)


def too_often(client: Client, operation: Operation) -> Response:
    hurried = Client(Sandbox(rate_limits="playground"))
    answers = (send(hurried, operation, SMALLEST, "unknown") for _ in range(10_000))
    return next(answer for answer in answers if answer.status == 429)


def inactive(client: Client, operation: Operation) -> Response:
    client.sandbox.merchants["K123_shop"] = Merchant(active=False)
    return send(client, operation, SMALLEST, "unknown")


def fault(status: int) -> Callable[[Client, Operation], Response]:
    def answer(client: Client, operation: Operation) -> Response:
        client.sandbox.fail_next(operation.name, status=status)
        return send(client, operation, SMALLEST, "unknown")

    return answer


def unreadable(client: Client, operation: Operation) -> Response:
    session_id = client.created(SMALLEST)["session_id"]
    return send(client, operation, b"{", session_id)


WAYS: dict[int, Callable[[Client, Operation], Response]] = {
    200: good,
    204: good,
    400: unreadable,
    401: lambda client, operation: send(Client(client.sandbox, basic("K1", "wrong")), operation, {}, "x"),
    403: inactive,
    404: lambda client, operation: send(client, operation, SMALLEST, "unknown"),
    413: lambda client, operation: send(client, operation, b" " * (1024 * 1024 + 1), "x"),
    429: too_often,
    **{status: fault(status) for status in (500, 502, 503, 504)},
}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (name, status)
        for name, operation in SESSION_OPERATIONS.items()
        for status in operation.responses.keys() | UNDECLARED
    ],
)
def test_every_status_can_be_reached(client: Client, name: str, status: int) -> None:
    response = WAYS[status](client, SESSION_OPERATIONS[name])
    assert response.status == status


def test_every_way_leads_to_a_status_of_some_operation() -> None:
    declared = {status for operation in SESSION_OPERATIONS.values() for status in operation.responses}
    assert WAYS.keys() == declared | UNDECLARED.keys()


# What is sent


def test_the_contract_knows_no_keyword_that_is_not_tried() -> None:
    assert {case.rule for case in CREATE_CASES} == {case.rule for case in UPDATE_CASES} | {"required"}
    assert {case.rule for case in CREATE_CASES} >= {
        "type",
        "enum",
        "pattern",
        "maxLength",
        "minimum",
        "format",
    }
    assert SUMS.keys() <= {str(case) for case in CREATE_CASES}


@pytest.mark.parametrize("case", CREATE_CASES, ids=str)
def test_create_refuses_what_breaks_the_contract(client: Client, case: Case) -> None:
    assert case.field in bad_fields(client.create(case.broken))
    assert not client.sandbox.sessions


@pytest.mark.parametrize("case", UPDATE_CASES, ids=str)
def test_update_refuses_what_breaks_the_contract(client: Client, case: Case) -> None:
    session_id = client.created(SMALLEST)["session_id"]
    assert case.field in bad_fields(client.update(session_id, case.broken))
    assert client.sandbox.sessions[session_id].content == SMALLEST


@pytest.mark.parametrize("case", CREATE_CASES, ids=str)
def test_create_accepts_what_keeps_the_contract(client: Client, case: Case) -> None:
    response = client.create(case.kept)
    if str(case) in SUMS:
        assert bad_fields(response) == SUMS[str(case)]
    else:
        assert response.status == 200


@pytest.mark.parametrize("case", UPDATE_CASES, ids=str)
def test_update_accepts_what_keeps_the_contract(client: Client, case: Case) -> None:
    session_id = client.created(SMALLEST)["session_id"]
    response = client.update(session_id, case.kept)
    if str(case) in SUMS:
        assert bad_fields(response) == SUMS[str(case)]
    else:
        assert response.status == 204


@pytest.mark.parametrize("name", ["session_create", "session"])
def test_fields_that_only_klarna_sets_are_ignored(client: Client, name: str) -> None:
    given = SCHEMAS[name]["properties"]
    read_only = {field: [5] for field, schema in given.items() if schema.get("readOnly")}
    session_id = client.created(SMALLEST | read_only)["session_id"]
    assert client.update(session_id, read_only).status == 204
    assert client.sandbox.sessions[session_id].content == SMALLEST


# What is answered


def fields_of(name: str) -> Iterator[str]:
    for field, fragment in SCHEMAS[name]["properties"].items():
        yield field
        target = fragment.get("items", fragment).get("$ref")
        if target:
            yield from (f"{field}.{inner}" for inner in fields_of(target.rpartition("/")[2]))


def fields_in(content: object) -> Iterator[str]:
    if isinstance(content, list):
        for item in content:
            yield from fields_in(item)
    elif isinstance(content, dict):
        for field, value in content.items():
            yield field
            yield from (f"{field}.{inner}" for inner in fields_in(value))


def assert_answers(response: Response, operation: Operation) -> None:
    name = operation.responses[response.status]
    assert name
    schema = {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}
    Draft202012Validator(schema).validate(parsed(response))
    left_out = {field for field in fields_of(name) if is_never_read(field)}
    assert set(fields_in(parsed(response))) == set(fields_of(name)) - left_out


def is_never_read(field: str) -> bool:
    return any(field == name or field.startswith(f"{name}.") for name in NEVER_READ)


def test_create_answers_all_fields_and_no_other(client: Client) -> None:
    response = client.create(largest("session_create"))
    assert_answers(response, SESSION_OPERATIONS["create_credit_session"])


def test_read_answers_all_fields_and_no_other(client: Client) -> None:
    session_id = client.created(largest("session_create"))["session_id"]
    assert_answers(client.read(session_id), SESSION_OPERATIONS["read_credit_session"])
    assert set(NEVER_READ) <= set(fields_of("session_read"))


def test_errors_have_the_form_of_the_contract(client: Client) -> None:
    schema = {"$ref": "#/components/schemas/ErrorV2", "components": CONTRACT["components"]}
    content = parsed(client.create({}))
    Draft202012Validator(schema).validate(content)
    assert {*content, *NOT_YET_IN_ERRORS} == SCHEMAS["ErrorV2"]["properties"].keys()

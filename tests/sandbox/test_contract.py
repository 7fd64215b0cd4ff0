"""The sandbox and the contract, compared in both directions."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from django_klarna.sandbox import Merchant, Response, Sandbox
from django_klarna.sandbox.calls import OPERATIONS as KNOWN
from tests.contract import CONTRACT, OPERATIONS, SCHEMAS, UNDECLARED, Operation
from tests.sandbox.conftest import Client, bad_fields, basic, parsed, refusal
from tests.sandbox.constraints import Case, cases, largest, smallest

SMALLEST = smallest("session_create")
CREATE_CASES = list(cases("session_create", SMALLEST))
UPDATE_CASES = list(cases("session", {}))
ORDER, CUSTOMER_TOKEN = "create_order_request", "customer_token_creation_request"
ORDER_CASES = list(cases(ORDER, smallest(ORDER)))
TOKEN_CASES = list(cases(CUSTOMER_TOKEN, smallest(CUSTOMER_TOKEN)))
# What Klarna's arithmetic refuses of values that keep the contract, and what it names then.
SUMS = {
    "order_amount format": ["order_amount"],
    "order_tax_amount format": ["order_tax_amount"],
    "order_lines[0].total_amount maximum": ["order_lines[0].total_amount", "order_amount"],
    "order_lines[0].total_amount format": ["order_lines[0].total_amount", "order_amount"],
    "order_lines[0].total_discount_amount format": ["order_lines[0].total_amount"],
    "order_lines[0].total_tax_amount format": ["order_lines[0].total_tax_amount", "order_tax_amount"],
}
# Fields of the contract's answers that the sandbox does not give.
NEVER_READ = {"merchant_urls.authorization": "not in the examples of Klarna's guide"}
NEVER_PLACED = {
    "authorized_payment_method.number_of_days": "an invoice is all that there is",
    "authorized_payment_method.number_of_installments": "as above",
}
NEVER_PURCHASED = {"redirect_url": "there is no page to go to"}
NEVER_IN_ERRORS = {
    "authorized_payment_method": "of a customer token that is refused by Klarna's assessment, which there is not",
    "fraud_status": "as above",
    "reason": "as above",
}


# Operations and statuses


def test_operations_are_those_of_the_contract_and_one_of_order_management() -> None:
    assert set(KNOWN) == {*OPERATIONS, "get_order"}


def path_of(operation: Operation, session_id: str, token: str) -> str:
    return operation.path.replace("{session_id}", session_id).replace("{authorizationToken}", token)


def body_of(operation: Operation) -> dict[str, Any]:
    return smallest(operation.request) if operation.request in {ORDER, CUSTOMER_TOKEN} else SMALLEST


def authorized(client: Client, content: dict[str, Any]) -> str:
    return client.token(client.created(content | {"intent": "buy_and_tokenize"})["session_id"])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_each_operation_has_its_method_and_path(client: Client, operation: Operation) -> None:
    assert good(client, operation).status // 100 == 2
    assert client.sandbox.calls[-1].operation == operation.name


# Every status, by behaviour where Klarna says when it comes, else by a fault.


def send(client: Client, operation: Operation, content: object, known: str = "unknown") -> Response:
    return client.send(operation.method, path_of(operation, known, known), content)


def on_something(client: Client, operation: Operation, content: object) -> Response:
    """Ask about a session or an authorization that there is."""
    session_id = client.created(SMALLEST | {"intent": "buy_and_tokenize"})["session_id"]
    path = path_of(operation, session_id, client.token(session_id))
    return client.send(operation.method, path, content)


def good(client: Client, operation: Operation) -> Response:
    return on_something(client, operation, body_of(operation))


def unlike(client: Client, operation: Operation) -> Response:
    place = {"purchase_country": "NO", "purchase_currency": "NOK", "locale": "nb-NO"}
    return on_something(client, operation, body_of(operation) | place)


def too_often(client: Client, operation: Operation) -> Response:
    hurried = Client(Sandbox(rate_limits="playground"))
    answers = (send(hurried, operation, SMALLEST) for _ in range(10_000))
    return next(answer for answer in answers if answer.status == 429)


def inactive(client: Client, operation: Operation) -> Response:
    client.sandbox.merchants["K123_shop"] = Merchant(active=False)
    return send(client, operation, SMALLEST)


def fault(status: int) -> Callable[[Client, Operation], Response]:
    def answer(client: Client, operation: Operation) -> Response:
        client.sandbox.fail_next(operation.name, status=status)
        return send(client, operation, SMALLEST)

    return answer


WAYS: dict[int, Callable[[Client, Operation], Response]] = {
    200: good,
    204: good,
    400: lambda client, operation: on_something(client, operation, b"{"),
    401: lambda client, operation: send(Client(client.sandbox, basic("K1", "wrong")), operation, {}),
    403: inactive,
    404: lambda client, operation: send(client, operation, SMALLEST),
    409: unlike,
    413: lambda client, operation: send(client, operation, b" " * (1024 * 1024 + 1)),
    429: too_often,
    **{status: fault(status) for status in (500, 502, 503, 504)},
}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (name, status)
        for name, operation in OPERATIONS.items()
        for status in operation.responses.keys() | UNDECLARED
    ],
)
def test_every_status_can_be_reached(client: Client, name: str, status: int) -> None:
    response = WAYS[status](client, OPERATIONS[name])
    assert response.status == status


def test_every_way_leads_to_a_status_of_some_operation() -> None:
    declared = {status for operation in OPERATIONS.values() for status in operation.responses}
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


@pytest.mark.parametrize("case", ORDER_CASES, ids=str)
def test_order_refuses_what_breaks_the_contract(client: Client, case: Case) -> None:
    assert case.field in bad_fields(client.place(authorized(client, SMALLEST), case.broken))
    assert not client.sandbox.orders


@pytest.mark.parametrize("case", ORDER_CASES, ids=str)
def test_order_accepts_what_keeps_the_contract(client: Client, case: Case) -> None:
    if str(case) in SUMS:
        response = client.place(authorized(client, SMALLEST), case.kept)
        assert bad_fields(response) == SUMS[str(case)]
    else:
        client.placed(authorized(client, case.kept), case.kept)


@pytest.mark.parametrize("case", TOKEN_CASES, ids=str)
def test_customer_token_keeps_the_contract(client: Client, case: Case) -> None:
    token = authorized(client, SMALLEST)
    assert case.field in bad_fields(client.purchase(token, case.broken))
    assert client.purchase(token, case.kept).status == 200


def test_fields_of_an_order_that_only_klarna_sets_are_ignored(client: Client) -> None:
    given = SCHEMAS[ORDER]["properties"]
    read_only = {field: [5] for field, schema in given.items() if schema.get("readOnly")}
    order_id = client.placed(authorized(client, SMALLEST), SMALLEST | read_only)["order_id"]
    assert read_only
    assert client.sandbox.orders[order_id].body == SMALLEST


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


def assert_answers(response: Response, operation: Operation, left_out: Collection[str] = ()) -> None:
    name = operation.responses[response.status]
    assert name
    schema = {"$ref": f"#/components/schemas/{name}", "components": CONTRACT["components"]}
    Draft202012Validator(schema).validate(parsed(response))
    assert set(left_out) <= set(fields_of(name))
    assert set(fields_in(parsed(response))) == set(fields_of(name)) - set(left_out)


def test_create_answers_all_fields_and_no_other(client: Client) -> None:
    response = client.create(largest("session_create"))
    assert_answers(response, OPERATIONS["create_credit_session"])


def test_read_answers_all_fields_and_no_other(client: Client) -> None:
    session_id = client.created(largest("session_create"))["session_id"]
    people = ("customer", "billing_address", "shipping_address")
    hidden = {
        field
        for field in fields_of("session_read")
        if field.partition(".")[0] in {*people, "authorization_token"}
    }
    operation = OPERATIONS["read_credit_session"]
    assert_answers(client.read(session_id), operation, hidden | NEVER_READ.keys())
    client.token(session_id)
    assert_answers(client.read(session_id), operation, NEVER_READ)


def test_order_answers_all_fields_and_no_other(client: Client) -> None:
    token = authorized(client, largest("session_create"))
    response = client.place(token, largest(ORDER))
    assert_answers(response, OPERATIONS["create_order"], NEVER_PLACED)


def test_customer_token_answers_all_fields_and_no_other(client: Client) -> None:
    token = authorized(client, largest("session_create"))
    response = client.purchase(token, largest(CUSTOMER_TOKEN))
    assert_answers(response, OPERATIONS["purchase_token"], NEVER_PURCHASED)


def test_errors_have_the_form_of_the_contract(client: Client) -> None:
    schema = {"$ref": "#/components/schemas/ErrorV2", "components": CONTRACT["components"]}
    for response in (client.create({}), client.cancel("unknown"), client.order("unknown")):
        assert refusal(response)
        Draft202012Validator(schema).validate(parsed(response))
        assert {*parsed(response), *NEVER_IN_ERRORS} == SCHEMAS["ErrorV2"]["properties"].keys()

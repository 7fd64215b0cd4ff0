"""Customer tokens: the permission to charge the shopper again.

Source: https://docs.klarna.com/acquirer/klarna/web-payments/integrate-with-klarna-payments/tokenized-payments/customer-token/
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from django_klarna.sandbox import answers
from django_klarna.sandbox.authorizations import SandboxAuthorization
from django_klarna.sandbox.contract import CUSTOMER_TOKEN, contract_violations, readable, writable
from django_klarna.sandbox.markets import market_violations
from django_klarna.sandbox.matching import person_mismatches, place_mismatches

INTENTS: Final = ("tokenize", "buy_and_tokenize")


def purchase_token(authorization: SandboxAuthorization, sent: Mapping[str, object]) -> dict[str, Any]:
    """Give out the customer token of an authorization, once.

    With the intent `tokenize` this is all that the authorization was for.

    Raises:
        RefusedError: the session's intent does not allow it, it has been given out, or the body is no good.

    """
    if authorization.content.get("intent") not in INTENTS:
        raise answers.RefusedError(answers.invalid_operation("No customer token with this intent"))
    if authorization.token_id is not None:
        raise answers.RefusedError(answers.consumed())
    _check(authorization.content, writable(sent, CUSTOMER_TOKEN))
    authorization.token_id = str(uuid4())
    if authorization.content["intent"] == "tokenize":
        authorization.state = "consumed"
    return _answer(authorization.token_id, authorization.content)


def _check(authorized: Mapping[str, Any], body: dict[str, Any]) -> None:
    violations = contract_violations(body, CUSTOMER_TOKEN) or list(market_violations(body))
    if violations:
        raise answers.RefusedError(answers.bad_value(violations))
    # Nobody has to be named here, but whoever is has to be the one who authorized.
    people = {name: value for name, value in authorized.items() if name in body}
    differing = [*person_mismatches(people, body), *place_mismatches(authorized, body)]
    if differing:
        raise answers.RefusedError(answers.not_matching(differing))


def _answer(token_id: str, authorized: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"token_id": token_id, "payment_method_reference": str(uuid4())}
    if "billing_address" in authorized:
        answer["billing_address"] = authorized["billing_address"]
    if "customer" in authorized:
        answer["customer"] = readable(authorized["customer"], "customer_read_create_token")
    return answer

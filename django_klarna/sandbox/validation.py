"""What is checked of a session and of an order, whoever sent it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django_klarna.sandbox import answers
from django_klarna.sandbox.arithmetic import arithmetic_violations
from django_klarna.sandbox.contract import SESSION, contract_violations
from django_klarna.sandbox.markets import market_violations
from django_klarna.sandbox.merchants import Merchant


def checked(content: dict[str, Any], merchant: Merchant, schema: str = SESSION) -> dict[str, Any]:
    """Return a content that keeps the contract, fits its market and adds up.

    Raises:
        RefusedError: it does not; the error names the fields.

    """
    violations = contract_violations(content, schema) or [
        *market_violations(content),
        *_agreement_violations(content, merchant),
        *arithmetic_violations(content),
    ]
    if violations:
        raise answers.RefusedError(answers.bad_value(violations), violations)
    return content


def _agreement_violations(content: Mapping[str, Any], merchant: Merchant) -> Iterator[str]:
    # Both have been seen to be named: the agreement is about a country with its currency.
    if not merchant.serves(content["purchase_country"]):
        yield from ("purchase_country", "purchase_currency")

"""Whether what Klarna is told holds something that the shop knows of the shopper."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import unquote

from django.db.models import Model

from django_klarna.exceptions import CartNotPayable
from django_klarna.testing.descriptions import describe, leaves

#: Where it belongs; `build_payload` refuses them wherever the market does not allow them.
PERSONAL_FIELDS = ("billing_address", "customer", "shipping_address")
USER_FIELDS = ("email", "first_name", "last_name", "username")


def texts_of_user(cart: Model) -> Iterator[str]:
    """Give what the ``user`` of ``cart`` is called, if it has one."""
    user = getattr(cart, "user", None)
    for field in USER_FIELDS:
        if text := getattr(user, field, None):
            yield str(text)


def personal_data(cart: Model, texts: Iterable[str]) -> Iterator[str]:
    """Find personal fields, and each of ``texts``, in what Klarna is told before the shopper chose Klarna.

    https://docs.klarna.com/payments/web-payments/before-you-start/data-requirements/customer-data-requirements
    """
    description = describe(cart)
    found = [str(violation) for violation in description.violations if violation.rule == "personal_data"]
    yield from found
    if description.violations and not found:
        raise CartNotPayable(description.violations)
    free = {key: value for key, value in description.told.items() if key not in PERSONAL_FIELDS}
    for text in filter(str.strip, texts):
        for path in places_of(text, free):
            yield f"{path} holds {text!r}, which is personal. Leave it out until the shopper has chosen Klarna."


def places_of(text: str, told: object) -> Iterator[str]:
    """Give the JSON pointer of each value that holds ``text`` as a word or as words, in either case."""
    whole = re.compile(rf"(?<!\w){re.escape(text.strip().casefold())}(?!\w)")
    for path, value in leaves(told):
        if isinstance(value, str) and any(whole.search(form.casefold()) for form in readings(value)):
            yield path


def readings(value: str) -> Iterator[str]:
    """Give ``value`` as it is, as a part of a URL, and as JSON, which an attachment is."""
    yield value
    yield unquote(value)
    with suppress(ValueError):
        yield json.dumps(json.loads(value), ensure_ascii=False)

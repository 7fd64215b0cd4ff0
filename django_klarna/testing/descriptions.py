"""What Klarna would be told about a cart, made as it is made for a shopper."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from django_klarna.exceptions import CartNotPayable, Violation
from django_klarna.services.payloads import Payload, build_payload
from django_klarna.services.transactions import database

#: So many differences tell where to look.
SHOWN = 8
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Description:
    """What Klarna would be told, or the rules that keep it from being told."""

    payload: Payload | None
    violations: tuple[Violation, ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """Everything that makes two descriptions differ, the account among it."""
        if self.payload is None:
            return {"violations": self.violations}
        return {"account": self.payload.account, **self.payload.content}


def describe(cart: Model) -> Description:
    """Read ``cart`` anew and describe it."""
    try:
        return Description(build_payload(cart.pk))
    except CartNotPayable as error:
        return Description(None, error.violations)


def describe_payable(cart: Model) -> Description:
    """Describe ``cart``; raises `CartNotPayable` if it cannot be paid."""
    return Description(build_payload(cart.pk))


def content_of(cart: Model) -> dict[str, Any]:
    """Give everything that Klarna is told about ``cart``; raises `CartNotPayable` if it cannot be paid."""
    return build_payload(cart.pk).content


def read_anew(cart: Model) -> Any:  # noqa: ANN401 - the model is the shop's
    """Give the same cart without what its instance has cached."""
    return type(cart)._base_manager.using(database()).get(pk=cart.pk)  # noqa: SLF001 - as Django's own relations read


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Give each value inside ``value`` that holds no others, with its JSON pointer."""
    inside: dict[Any, object] = {}
    if isinstance(value, dict):
        inside = value
    elif isinstance(value, list):
        inside = dict(enumerate(value))
    if not inside:
        yield path, value
    for key, held in inside.items():
        yield from leaves(held, f"{path}/{key}")


def difference(before: Description, after: Description) -> str:
    """Tell where two descriptions differ, one place a line."""
    if after.violations:
        return "\n".join(f"    it cannot be paid: {violation}" for violation in after.violations)
    return differences(before.told, after.told)


def differences(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Tell where two values differ, one place a line."""
    one, other = dict(leaves(before)), dict(leaves(after))
    places = [path for path in one | other if one.get(path, NOTHING) != other.get(path, NOTHING)]
    lines = [f"    {path}: {shown(path, one)}, then {shown(path, other)}" for path in places[:SHOWN]]
    more = len(places) - len(lines)
    return "\n".join([*lines, f"    and {more} more"] if more else lines)


def shown(path: str, values: dict[str, object]) -> str:
    """Write the value at ``path`` for people."""
    return repr(values[path]) if path in values else "nothing"

"""Merchants: what each one's agreement with Klarna covers."""

from collections import UserDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from django_klarna.sandbox.categories import GROUPED, NAMES
from django_klarna.sandbox.markets import CURRENCIES

REGIONS: Final = ("eu", "na", "oc")
EVERYONE: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Describe the account behind a user name or an API key.

    `region` is where the account lives; None is at home everywhere, and one of another region than the sandbox's
    gets a 401. `active` False gets a 403. `countries` are those of the agreement (None: all), others get a 400.
    `categories` are the payment method categories it may offer, of those that the market has.

    Source: https://docs.klarna.com/api/api-urls and
    https://docs.klarna.com/payments/web-payments/additional-resources/payment-method-grouping

    Raises:
        ValueError: a value that makes no sense; the message begins with the name of the field.

    """

    region: str | None = None
    active: bool = True
    countries: Collection[str] | None = None
    categories: Collection[str] = (GROUPED,)

    def __post_init__(self) -> None:
        for name, (fits, rule) in RULES.items():
            if not fits(getattr(self, name)):
                raise ValueError(f"{name}: must be {rule}")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Merchant":
        """Return the merchant that a JSON object describes.

        Raises:
            ValueError: a field is unknown or wrong.

        """
        known = {field.name for field in fields(cls)}
        for name in content:
            if name not in known:
                raise ValueError(f"{name}: is none of user, {', '.join(sorted(known))}")
        return cls(**content)

    def as_json(self) -> dict[str, Any]:
        """Return the merchant as `/_sandbox/merchants` lists it."""
        content = asdict(self)
        return {
            name: sorted(value) if isinstance(value, set | frozenset) else value
            for name, value in content.items()
        }

    def serves(self, country: str) -> bool:
        """Say whether the agreement covers a country."""
        return self.countries is None or country.upper() in self.countries


def _are_of(known: Collection[str]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list | tuple | set | frozenset) and all(one in tuple(known) for one in value)
    )


RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "region": (lambda value: value is None or value in REGIONS, f"one of {', '.join(REGIONS)}"),
    "active": (lambda value: isinstance(value, bool), "true or false"),
    "countries": (
        lambda value: value is None or _are_of(CURRENCIES)(value),
        f"some of {', '.join(sorted(CURRENCIES))}",
    ),
    "categories": (_are_of(NAMES), f"some of {', '.join(NAMES)}"),
}


class Merchants(UserDict[str, Merchant]):
    """Keep the merchants by user name or API key; `"*"` stands for all that have no entry of their own."""

    def __init__(self, given: Mapping[str, Merchant]) -> None:
        super().__init__(given)
        self._given = dict(given)

    def __missing__(self, _user: str) -> Merchant:
        return self.data.get(EVERYONE) or Merchant()

    def reset(self) -> None:
        """Go back to the merchants given at the start."""
        self.data = dict(self._given)

"""The kinds of values that Klarna's contract knows, each with the one place that says what is right.

valid         is this value right in all? Asked of what is sent.
typed         has it, and all in it, at least the right type? Asked of what Klarna answers.
quick_valid,  Python expressions over `value` that are true only when the answer is yes, since for most values
quick_typed   even a call takes too long; compiling.py makes one function of those of a whole object
violations    everything that is wrong; asked only after a no
build         the typed value of a plain one (JSON): an object of a dict, a tuple of a list
drop_unknown  build without the members that are None or that the type does not have
plain         the values are JSON, so that dicts stand where objects would
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Protocol, Self, TypeGuard

from django_klarna.api.exceptions import Violation
from django_klarna.api.violations import type_violation

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# What is printable has neither NUL nor lone surrogates; for ASCII it is quicker to look for NUL itself.
_QUICK_TEXT = r"type(value) is str and (value.isascii() and '\0' not in value or value.isprintable())"


def is_storable(value: str) -> bool:
    """Say whether text can be sent and kept: a lone surrogate has no UTF-8, and a database may refuse NUL."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


class Kind(Protocol):
    """What a value may be."""

    quick_valid: str
    quick_typed: str

    def valid(self, value: object) -> bool:
        """Say whether the value is right."""

    def typed(self, value: object) -> bool:
        """Say whether the value has the right type."""

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Make the typed value of a plain one, and return as it is what has none.

        `drop_unknown` leaves out what is unknown or None inside of it; otherwise such members stay and fail the checks.
        """

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell all that is wrong; `plain` values have dicts where typed ones have objects."""


class Text:
    """A string, with its length counted in code points."""

    def __init__(
        self,
        *,
        min_length: int = 0,
        max_length: int | None = None,
        pattern: str | None = None,
        enum: tuple[str, ...] = (),
    ) -> None:
        self.min_length = min_length
        self.max_length = max_length
        self.pattern = pattern
        self.enum = enum
        self._matches = re.compile(pattern).fullmatch if pattern else None
        self.quick_typed = _QUICK_TEXT
        self.quick_valid = "False" if pattern or enum else self._quick_valid()

    def _quick_valid(self) -> str:
        shortest = f" and len(value) >= {self.min_length}" if self.min_length else ""
        longest = f" and len(value) <= {self.max_length}" if self.max_length is not None else ""
        return _QUICK_TEXT + shortest + longest

    def valid(self, value: object) -> bool:
        """Say whether the value is text as it should be."""
        return (
            isinstance(value, str)
            and len(value) >= self.min_length
            and (self.max_length is None or len(value) <= self.max_length)
            and (self._matches is None or self._matches(value) is not None)
            and (not self.enum or value in self.enum)
            and is_storable(value)
        )

    def typed(self, value: object) -> bool:
        """Say whether the value is text that can be kept."""
        return isinstance(value, str) and is_storable(value)

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Return the value: text is its own plain form."""
        return value

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell which of the rules for this text are broken."""
        if not isinstance(value, str):
            yield type_violation(path, value, expected="string")
            return
        yield from self._length_violations(len(value), path)
        if self._matches and not self._matches(value):
            yield Violation(path=path, rule="pattern", expected=self.pattern or "")
        if self.enum and value not in self.enum:
            yield Violation(path=path, rule="enum", expected=", ".join(self.enum))
        if not is_storable(value):
            yield Violation(
                path=path, rule="encoding", expected="Unicode text without lone surrogates and NUL"
            )

    def _length_violations(self, length: int, path: str) -> Iterator[Violation]:
        if length < self.min_length:
            yield Violation(path=path, rule="min_length", expected=self.min_length, actual=length)
        if self.max_length is not None and length > self.max_length:
            yield Violation(path=path, rule="max_length", expected=self.max_length, actual=length)


class Integer:
    """A whole number of so many bits; neither a bool nor a float is one."""

    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, bits: int = 64) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.bits = bits
        self._lowest = -(2 ** (bits - 1)) if minimum is None else minimum
        self._highest = 2 ** (bits - 1) - 1 if maximum is None else maximum
        self.quick_typed = "type(value) is int"
        self.quick_valid = f"type(value) is int and {self._lowest} <= value <= {self._highest}"

    def valid(self, value: object) -> bool:
        """Say whether the value is a whole number within its limits."""
        return self.typed(value) and self._lowest <= value <= self._highest

    def typed(self, value: object) -> TypeGuard[int]:
        """Say whether the value is a whole number."""
        return isinstance(value, int) and not isinstance(value, bool)

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Return the value: a number is its own plain form."""
        return value

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell which of the rules for this number are broken."""
        if isinstance(value, bool) or not isinstance(value, int):
            money = isinstance(value, float | Decimal)
            mend = "Give a whole number; money is in minor units: 1999 for 19.99." if money else ""
            yield type_violation(path, value, expected="integer", mend=mend)
        elif value < self._lowest:
            yield Violation(path=path, rule="minimum", expected=self._lowest, actual=_shown(value))
        elif value > self._highest:
            yield Violation(path=path, rule="maximum", expected=self._highest, actual=_shown(value))


def _shown(value: int) -> int | str:
    # Python refuses to write numbers of thousands of digits.
    return value if INT64_MIN <= value <= INT64_MAX else f"a number of {value.bit_length()} bits"


class Boolean:
    """True or False; neither 0 nor 1 is one."""

    quick_valid = quick_typed = "type(value) is bool"

    def valid(self, value: object) -> bool:
        """Say whether the value is True or False."""
        return isinstance(value, bool)

    def typed(self, value: object) -> bool:
        """Say whether the value is True or False."""
        return isinstance(value, bool)

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Return the value: True and False are their own plain form."""
        return value

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell that the value is neither True nor False."""
        if not isinstance(value, bool):
            yield type_violation(path, value, expected="boolean")


class Target(Protocol):
    """What a nested type has to offer; `Schema` does."""

    __values__: Mapping[str, object]

    __valid_test__: ClassVar["staticmethod[[Mapping[str, object]], bool]"]
    __typed_test__: ClassVar["staticmethod[[Mapping[str, object]], bool]"]

    @classmethod
    def __build__(cls, data: dict[str, object], *, drop_unknown: bool) -> Self: ...

    @classmethod
    def __walk__(cls, values: Mapping[str, object], path: str, *, plain: bool) -> Iterator[Violation]: ...


class Nested:
    """An object of another type of the contract; one `word` alone may stand for it, as that member."""

    quick_valid = quick_typed = "False"

    def __init__(self, target: type[Target], *, word: str | None = None) -> None:
        self.target = target
        self.word = word

    def valid(self, value: object) -> bool:
        """Say whether the value is a right object of the type."""
        return isinstance(value, self.target) and self.target.__valid_test__(value.__values__)

    def typed(self, value: object) -> bool:
        """Say whether the value is an object of the type, with all its members of the right types."""
        return isinstance(value, self.target) and self.target.__typed_test__(value.__values__)

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Make an object of a dict, or of the word that may stand for it."""
        if isinstance(value, dict):
            return self.target.__build__(value, drop_unknown=drop_unknown)
        if self.word and isinstance(value, str):
            return self.target.__build__({self.word: value}, drop_unknown=drop_unknown)
        return value

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell what is wrong inside the object."""
        if isinstance(value, self.target):
            yield from self.target.__walk__(value.__values__, path, plain=False)
        elif plain and isinstance(value, dict):
            yield from self.target.__walk__(value, path, plain=True)
        else:
            yield type_violation(path, value, expected="object" if plain else self.target.__name__)


class Items:
    """An array of values of one kind, kept as a tuple."""

    quick_valid = quick_typed = "False"

    def __init__(
        self, item: Kind, *, min_items: int = 0, max_items: int | None = None, unique: bool = False
    ) -> None:
        self.item = item
        self.min_items = min_items
        self.max_items = max_items
        self.unique = unique

    def valid(self, value: object) -> bool:
        """Say whether the array and all in it is right."""
        return (
            isinstance(value, tuple)
            and len(value) >= self.min_items
            and (self.max_items is None or len(value) <= self.max_items)
            and all(map(self.item.valid, value))
            and not (self.unique and len(set(value)) < len(value))
        )

    def typed(self, value: object) -> bool:
        """Say whether the value is an array with items of the right type."""
        return isinstance(value, tuple) and all(map(self.item.typed, value))

    def build(self, value: object, *, drop_unknown: bool) -> object:
        """Make a tuple of a list."""
        if not isinstance(value, list | tuple):
            return value
        return tuple([self.item.build(item, drop_unknown=drop_unknown) for item in value])

    def violations(self, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        """Tell what is wrong with the array and with each of its items."""
        if not isinstance(value, list | tuple):
            yield type_violation(path, value, expected="array")
            return
        yield from self._count_violations(len(value), path)
        for index, item in enumerate(value):
            yield from self.item.violations(item, f"{path}/{index}", plain=plain)
        if self.unique and self._repeats(value):
            yield Violation(path=path, rule="unique_items", expected="no item twice")

    def _count_violations(self, count: int, path: str) -> Iterator[Violation]:
        if count < self.min_items:
            yield Violation(path=path, rule="min_items", expected=self.min_items, actual=count)
        if self.max_items is not None and count > self.max_items:
            yield Violation(path=path, rule="max_items", expected=self.max_items, actual=count)

    def _repeats(self, value: list[Any] | tuple[Any, ...]) -> bool:
        # Built first, so that a member given as None equals one left out, as it does in the fast check.
        built = [self.item.build(item, drop_unknown=True) for item in value]
        return any(item in built[:index] for index, item in enumerate(built))

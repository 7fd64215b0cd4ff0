"""Every constraint of a schema of the contract, with a value that keeps it and one that breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract import SCHEMAS

# A value that fits and one that does not, by pattern.
PATTERNS = {
    "^[A-Za-z]{2,2}$": ("SE", "SWE"),
    "^[A-Za-z]{3,3}$": ("SEK", "SE"),
    "^[A-Za-z]{2,2}(?:-[A-Za-z]{2,2})*$": ("sv-SE", "svenska"),
    "^#[A-Fa-f0-9]{6}$": ("#09afAF", "red"),
    "^([0-9]{4}|[0-9]{9})$": ("123456789", "12345"),
    "^(person|organization)$": ("person", "cat"),
}
OTHER_TYPE = {"string": 1, "integer": "1", "array": {}, "boolean": 1}
INT64 = 2**63

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Case:
    """A constraint: the field it is on, and the values around it."""

    place: tuple[str | int, ...]
    rule: str
    kept: Any
    broken: Any

    @property
    def field(self) -> str:
        """The field as Klarna names it."""
        names = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return "".join(names).lstrip(".")

    def __str__(self) -> str:
        return f"{self.field} {self.rule}"


def cases(name: str, base: dict[str, Any]) -> Iterator[Case]:
    """The constraints of an object's writable fields, each in an object that is else right."""
    schema = SCHEMAS[name]
    for field in sorted(schema.get("required", set()) & base.keys()):
        without = {key: value for key, value in base.items() if key != field}
        yield Case((field,), "required", base, without)
    for field, fragment in writable(name).items():
        for case in cases_of(fragment):
            kept, broken = ({**base, field: value} for value in (case.kept, case.broken))
            yield Case((field, *case.place), case.rule, kept, broken)


def cases_of(fragment: dict[str, Any]) -> Iterator[Case]:
    if "$ref" in fragment:
        name = fragment["$ref"].rpartition("/")[2]
        yield Case((), "type", example(fragment), "x")
        yield from cases(name, smallest(name))
        return
    yield Case((), "type", example(fragment), OTHER_TYPE[fragment["type"]])
    for rule, limit in fragment.items():
        if rule == "items":
            for case in cases_of(limit):
                yield Case((0, *case.place), case.rule, [case.kept], [case.broken])
        elif rule != "type":
            yield from (Case((), rule, *pair) for pair in around(rule, limit, fragment))


def around(rule: str, limit: Any, fragment: dict[str, Any]) -> list[Pair]:
    """Pairs of a value that just keeps a rule, and one that just breaks it; a KeyError tells of a new rule."""
    return PAIRS[rule](limit, fragment)


def patterns(limit: str, _fragment: object) -> list[Pair]:
    fits, fits_not = PATTERNS[limit]
    return [(fits, fits_not), (fits, f"{fits}\n")]


def texts(limit: int, by: int) -> list[Pair]:
    # Nothing is shorter than an empty text but none at all.
    return [("x" * limit, "x" * (limit + by) if limit + by >= 0 else None)]


def lists(limit: int, by: int, fragment: dict[str, Any]) -> list[Pair]:
    item = example(fragment["items"])
    return [([item] * limit, [item] * (limit + by))]


def int64_ends(limit: str, fragment: dict[str, Any]) -> list[Pair]:
    assert limit == "int64"
    ends = {"maximum": (INT64 - 1, INT64), "minimum": (-INT64, -INT64 - 1)}
    return [pair for rule, pair in ends.items() if rule not in fragment]


PAIRS: dict[str, Callable[[Any, dict[str, Any]], list[Pair]]] = {
    "enum": lambda limit, _: [(value, f"{value}x") for value in limit],
    "pattern": patterns,
    "maxLength": lambda limit, _: texts(limit, 1),
    "minLength": lambda limit, _: texts(limit, -1),
    "minimum": lambda limit, _: [(limit, limit - 1)],
    "maximum": lambda limit, _: [(limit, limit + 1)],
    "minItems": lambda limit, fragment: lists(limit, -1, fragment),
    "maxItems": lambda limit, fragment: lists(limit, 1, fragment),
    "format": int64_ends,
    # No rule, but what Klarna does without the field.
    "default": lambda _, __: [],
}


def writable(name: str) -> dict[str, Any]:
    """The fields of a schema that a merchant may set."""
    return {
        field: fragment
        for field, fragment in SCHEMAS[name]["properties"].items()
        if not fragment.get("readOnly")
    }


def smallest(name: str) -> dict[str, Any]:
    """An object with nothing but what is required, and amounts of 0."""
    return {field: example(SCHEMAS[name]["properties"][field]) for field in SCHEMAS[name].get("required", ())}


def largest(name: str) -> dict[str, Any]:
    """An object with all that a merchant may set, down to the last field."""
    return {field: example(fragment, largest) for field, fragment in writable(name).items()}


def example(fragment: dict[str, Any], filled: Callable[[str], dict[str, Any]] = smallest) -> Any:
    if "$ref" in fragment:
        return filled(fragment["$ref"].rpartition("/")[2])
    if "enum" in fragment:
        return fragment["enum"][0]
    if "pattern" in fragment:
        return PATTERNS[fragment["pattern"]][0]
    if fragment["type"] == "array":
        return [example(fragment["items"], filled)]
    # The text is good for the type of a line too, which the contract leaves open and Klarna's guides do not.
    return {"integer": fragment.get("minimum", 0), "boolean": True}.get(fragment["type"], "physical")

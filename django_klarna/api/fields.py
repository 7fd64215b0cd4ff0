"""What a type of Klarna's contract can do, all from a table of fields, which declaring.py has the words for.

From the table come the constructor, the checks, the JSON and the reading of JSON. An object is a thin cover
over the dict of its members, which nobody changes: writing JSON is one call of the encoder, reading copies little.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, Final, NoReturn, Self, dataclass_transform

from django_klarna.api.compiling import Test, compiled
from django_klarna.api.declaring import Field, boolean, integer, items, nested, text
from django_klarna.api.exceptions import KlarnaResponseError, KlarnaValidationError, Violation
from django_klarna.api.kinds import Items, Nested
from django_klarna.api.violations import pointer, suggestion, type_violation

_MISTYPED: Final = frozenset(("type", "required", "encoding"))


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(text, integer, boolean, nested, items)
)
class Schema:
    """A type of Klarna's contract: keyword-only, immutable, equal by content; None means absent.

    Making one checks nothing, so that `check` can tell everything that is wrong with a whole payload at once.
    What is our own has two underscores on each side, which no name of Klarna's has: the rest is for the fields.
    """

    # Only for the descriptors that set them past __setattr__: subclasses have a __dict__ all the same.
    __slots__ = ("__canonical__", "__checked__", "__values__")
    __fields__: ClassVar[Mapping[str, Field]] = {}
    __answer__: ClassVar[bool] = False
    __canonical__: bytes
    __checked__: bool
    __values__: Mapping[str, object]

    def __init_subclass__(cls, *, answer: bool = False, sensitive: bool = False) -> None:
        """Read the fields of a new type; an `answer` may hold read-only ones, a `sensitive` one hides all."""
        own = {name: field for name, field in vars(cls).items() if isinstance(field, Field)}
        cls.__answer__ = answer
        cls.__fields__ = {**cls.__fields__, **own}
        cls.__hidden__ = frozenset(
            name for name, field in cls.__fields__.items() if sensitive or field.sensitive
        )
        cls.__required__ = frozenset(name for name, field in cls.__fields__.items() if field.required)
        valid = {name: _valid_test(field, answer=answer) for name, field in cls.__fields__.items()}
        typed = {name: (field.kind.quick_typed, field.kind.typed) for name, field in cls.__fields__.items()}
        cls.__valid_test__ = staticmethod(compiled(valid, required=cls.__required__))
        cls.__typed_test__ = staticmethod(compiled(typed, required=cls.__required__))
        cls.__builders__ = [
            (name, field.kind.build)
            for name, field in cls.__fields__.items()
            if isinstance(field.kind, Nested | Items)
        ]
        cls.__signature__ = inspect.Signature([_parameter(field) for field in cls.__fields__.values()])

    __hidden__: ClassVar[frozenset[str]]
    __required__: ClassVar[frozenset[str]]
    __valid_test__: "ClassVar[staticmethod[[Mapping[str, object]], bool]]"
    __typed_test__: "ClassVar[staticmethod[[Mapping[str, object]], bool]]"
    __builders__: ClassVar[list[tuple[str, Callable[..., object]]]]
    __signature__: ClassVar[inspect.Signature]

    def __init__(self, **members: object) -> None:
        if not members.keys() <= self.__fields__.keys():
            self.__refuse__(members)
        values = {name: value for name, value in members.items() if value is not None}
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
        _set_values(self, values)

    @classmethod
    def __refuse__(cls, members: Mapping[str, object]) -> NoReturn:
        unknown = next(name for name in members if name not in cls.__fields__)
        raise TypeError(
            f"{cls.__name__} has no field {unknown!r}. {suggestion(unknown, cls.__fields__)}".rstrip()
        )

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Make and check an object of plain data that is going to be sent.

        Raises KlarnaValidationError with everything that is wrong, keys that the type does not have included.
        """
        if not isinstance(data, dict):
            raise KlarnaValidationError([type_violation("", data, expected="object")], subject=cls.__name__)
        # Members that are None or unknown are rare. The first build keeps them, which is quick, and cannot pass
        # with them: they leave `unseen` above zero in compiling.py. Then it is built again, without them.
        built = cls.__build__(data, drop_unknown=False)
        if not built.__valid__():
            violations = tuple(Nested(cls).violations(data, "", plain=True))
            if violations:
                raise KlarnaValidationError(violations, subject=cls.__name__)
            built = cls.__build__(data, drop_unknown=True)
        _set_checked(built, True)
        return built

    @classmethod
    def parse(cls, data: object) -> Self:
        """Make an object of an answer of Klarna's.

        New keys are left out, new words of an enumeration and longer texts are accepted.

        Raises KlarnaResponseError, with the path, where a member is missing or has another type.
        """
        if isinstance(data, dict):
            built = cls.__build__(data, drop_unknown=False)  # twice at most, as in from_dict
            if built.__typed__():
                return built
            data = built = cls.__build__(data, drop_unknown=True)
            if built.__typed__():
                return built
        wrong = _first_mistyped(Nested(cls).violations(data, "", plain=False))
        raise KlarnaResponseError(f"{cls.__name__} cannot be read: {wrong}")

    def check(self) -> None:
        """Raise KlarnaValidationError with everything that is wrong, or do nothing."""
        if hasattr(self, "__checked__"):  # what never changes need not be checked twice
            return
        if not self.__valid__():
            raise KlarnaValidationError(self.violations(), subject=type(self).__name__)
        _set_checked(self, True)

    def violations(self) -> list[Violation]:
        """Return everything that keeps Klarna from accepting this."""
        return list(self.__walk__(self.__values__, "", plain=False))

    def replace(self, **changes: object) -> Self:
        """Return a copy with other values for some fields; None leaves a field out."""
        return type(self)(**{**self.__values__, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return the members as fresh plain data, without those that are absent."""
        return {name: _plain(value) for name, value in self.__values__.items()}

    def to_json(self) -> bytes:
        """Return the members as compact JSON, in which all that is not ASCII is escaped; `check` first."""
        known: bytes | None = getattr(self, "__canonical__", None)
        return _encode(self.__values__).encode() if known is None else known

    def canonical(self) -> bytes:
        """Return JSON with sorted keys: the same for equal objects, to be hashed, and from then on what is sent."""
        known: bytes | None = getattr(self, "__canonical__", None)
        if known is None:
            known = _encode_sorted(self.__values__).encode()
            _set_canonical(self, known)
        return known

    @classmethod
    def __build__(cls, data: dict[str, object], *, drop_unknown: bool) -> Self:
        fields = cls.__fields__
        if drop_unknown:
            values = {name: value for name, value in data.items() if value is not None and name in fields}
        else:
            values = data.copy()
        for name, build in cls.__builders__:
            if name in values:
                values[name] = build(values[name], drop_unknown=drop_unknown)
        built = cls.__new__(cls)
        _set_values(built, values)
        return built

    @classmethod
    def __from_values__(cls, values: Mapping[str, object]) -> Self:
        built = cls.__new__(cls)
        _set_values(built, values)
        return built

    def __become__(self, other: "Schema") -> None:
        """Have the same members as another object, and the same JSON."""
        _set_values(self, other.__values__)
        if hasattr(other, "__canonical__"):
            _set_canonical(self, other.__canonical__)

    def __valid__(self) -> bool:
        return self.__valid_test__(self.__values__)

    def __typed__(self) -> bool:
        return self.__typed_test__(self.__values__)

    @classmethod
    def __walk__(cls, values: Mapping[str, object], path: str, *, plain: bool) -> Iterator[Violation]:
        for name, value in values.items():
            here = f"{path}/{pointer(name)}"
            field = cls.__fields__.get(name)
            if field is None:
                mend = suggestion(name, cls.__fields__)
                yield Violation(path=here, rule="unknown", expected=f"a field of {cls.__name__}", mend=mend)
            elif value is not None:
                yield from cls.__walk_field__(field, value, here, plain=plain)
        for name in cls.__fields__:
            if name in cls.__required__ and values.get(name) is None:
                yield Violation(path=f"{path}/{name}", rule="required", expected="a value")

    @classmethod
    def __walk_field__(cls, field: Field, value: object, path: str, *, plain: bool) -> Iterator[Violation]:
        if field.read_only and not cls.__answer__:
            yield Violation(path=path, rule="read_only", expected="nothing", mend="Leave it out.")
        yield from field.kind.violations(value, path, plain=plain)

    def __eq__(self, other: object) -> bool:
        return self.__values__ == other.__values__ if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.__values__.items()))

    def __repr__(self) -> str:
        hidden = self.__hidden__
        shown = [
            f"{name}={'...' if name in hidden else repr(value)}" for name, value in self.__values__.items()
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__from_values__, (self.__values__,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__} is immutable; replace() makes a changed copy")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__} is immutable; replace() makes a changed copy")


_set_values: Final[Callable[[Schema, Mapping[str, object]], None]] = vars(Schema)["__values__"].__set__
_set_checked: Final[Callable[[Schema, bool], None]] = vars(Schema)["__checked__"].__set__
_set_canonical: Final[Callable[[Schema, bytes], None]] = vars(Schema)["__canonical__"].__set__


def _never(value: object) -> bool:
    return False


def _valid_test(field: Field, *, answer: bool) -> Test:
    if field.read_only and not answer:
        return "False", _never
    return field.kind.quick_valid, field.kind.valid


def _parameter(field: Field) -> inspect.Parameter:
    default = inspect.Parameter.empty if field.required else None
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _plain(value: object) -> object:
    if isinstance(value, Schema):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


# Escaped to ASCII: that is quicker than turning a large text with other letters into UTF-8.
_encoder: Final = partial(
    json.JSONEncoder,
    check_circular=False,
    allow_nan=False,
    separators=(",", ":"),
    default=attrgetter("__values__"),
)
_encode: Final = _encoder().encode
_encode_sorted: Final = _encoder(sort_keys=True).encode


def _first_mistyped(violations: Iterator[Violation]) -> Violation:
    return next(violation for violation in violations if violation.rule in _MISTYPED)

"""The words in which the fields of a type of Klarna's contract are declared."""

from typing import Any, Final

from django_klarna.api.kinds import Boolean, Integer, Items, Kind, Nested, Target, Text

_REQUIRED: Final[Any] = object()


class Field:
    """One member of a type: its kind, and whether it must, may or must not be sent."""

    def __init__(self, kind: Kind, *, default: object, read_only: bool, sensitive: bool) -> None:
        self.name = ""
        self.kind = kind
        self.required = default is _REQUIRED
        self.read_only = read_only
        self.sensitive = sensitive

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Target | None, owner: type) -> object:
        return self if instance is None else instance.__values__.get(self.name)


# The return type is Any because type checkers take the type of a field from its annotation.
def text(  # noqa: PLR0913 - one argument for each rule of the contract
    *,
    default: None = _REQUIRED,
    min_length: int = 0,
    max_length: int | None = None,
    pattern: str | None = None,
    enum: tuple[str, ...] = (),
    read_only: bool = False,
    sensitive: bool = False,
) -> Any:  # noqa: ANN401 - see above
    """Declare a string; without `default=None` it is required."""
    kind = Text(min_length=min_length, max_length=max_length, pattern=pattern, enum=enum)
    return Field(kind, default=default, read_only=read_only, sensitive=sensitive)


def integer(
    *, default: None = _REQUIRED, minimum: int | None = None, maximum: int | None = None, bits: int = 64
) -> Any:  # noqa: ANN401 - see above
    """Declare a whole number; without `default=None` it is required."""
    kind = Integer(minimum=minimum, maximum=maximum, bits=bits)
    return Field(kind, default=default, read_only=False, sensitive=False)


def boolean(*, default: None = _REQUIRED) -> Any:  # noqa: ANN401 - see above
    """Declare a truth value; without `default=None` it is required."""
    return Field(Boolean(), default=default, read_only=False, sensitive=False)


def nested(target: type[Target], *, default: None = _REQUIRED, word: str | None = None) -> Any:  # noqa: ANN401 - see above
    """Declare an object of another type; without `default=None` it is required.

    A bare word that comes instead of the object is read as its member `word`.
    """
    return Field(Nested(target, word=word), default=default, read_only=False, sensitive=False)


def items(  # noqa: PLR0913 - one argument for each rule of the contract
    item: type[Target] | Kind,
    *,
    default: None = _REQUIRED,
    min_items: int = 0,
    max_items: int | None = None,
    unique: bool = False,
    read_only: bool = False,
) -> Any:  # noqa: ANN401 - see above
    """Declare an array; without `default=None` it is required."""
    kind = Nested(item) if isinstance(item, type) else item
    array = Items(kind, min_items=min_items, max_items=max_items, unique=unique)
    return Field(array, default=default, read_only=read_only, sensitive=False)

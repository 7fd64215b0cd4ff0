"""The rules that settings keep: what breaks one is a `Mistake`, which knows the line that mends it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django_klarna.exceptions import KlarnaConfigurationError

Rule = Callable[[str, Any], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """What is wrong with a setting, and the line of Python that mends it; neither shows a secret."""

    message: str
    mend: str
    unknown_key: bool = False


class WrongSettingsError(KlarnaConfigurationError):
    """All that is wrong with what was read; its frames may hold secrets."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(mistake.message for mistake in self.mistakes))


def refuse(message: str, mend: str, *, unknown_key: bool = False) -> NoReturn:
    """Raise `WrongSettingsError` with one mistake."""
    raise WrongSettingsError([Mistake(message=message, mend=mend, unknown_key=unknown_key)])


def read_all(readers: Mapping[Any, Callable[[], Any]]) -> dict[Any, Any]:
    """Give what each of ``readers`` reads; `WrongSettingsError` has the mistakes of all, not only the first."""
    values = {}
    mistakes: list[Mistake] = []
    for name, read in readers.items():
        try:
            values[name] = read()
        except WrongSettingsError as error:
            mistakes += error.mistakes
    if mistakes:
        raise WrongSettingsError(mistakes)
    return values


def read_keys(name: str, given: object, rules: Mapping[str, Rule], *, example: object) -> dict[str, Any]:
    """Read a dict whose keys have rules of their own; a stranger gets a suggestion."""
    if not isinstance(given, Mapping):
        refuse(f"{name} must be a dict, not {type(given).__name__}", f"{name} = {example!r}")
    return read_all({key: partial(read_key, name, key, value, rules) for key, value in given.items()})


def read_key(name: str, key: object, value: object, rules: Mapping[str, Rule]) -> object:
    """Read one key of a dict."""
    if isinstance(key, str) and key in rules:
        return rules[key](f"{name}[{key!r}]", value)
    close = get_close_matches(str(key).upper(), rules, 1) or get_close_matches(str(key).lower(), rules, 1)
    if not close:
        known = ", ".join(map(repr, rules))
        refuse(f"{name} has no key {key!r}; it knows {known}", f"del {name}[{key!r}]", unknown_key=True)
    refuse(
        f"{name} has no key {key!r}; did you mean {close[0]!r}?",
        f"{name}[{close[0]!r}] = {name}.pop({key!r})",
        unknown_key=True,
    )


def one_of(name: str, value: object, *, choices: tuple[str, ...], default: str) -> str:
    """Read one of ``choices``."""
    if isinstance(value, str) and value in choices:
        return value
    (best,) = get_close_matches(str(value).lower(), choices, 1) or [default]
    others = ", ".join(repr(choice) for choice in choices if choice != best)
    refuse(
        f"{name} is {value!r}; it must be one of {', '.join(map(repr, choices))}",
        f"{name} = {best!r}  # or {others}",
    )


def is_number(value: object) -> bool:
    """Tell whether ``value`` is a number and no ``bool``."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def positive(name: str, value: Any, *, default: float) -> float:  # noqa: ANN401 - whatever a project wrote
    """Read a positive number of seconds."""
    if not is_number(value) or not 0 < value < float("inf"):
        refuse(f"{name} is {value!r}; it must be a positive number of seconds", f"{name} = {default:g}")
    return float(value)


def at_most(name: str, value: float, limit: float) -> float:
    """Give ``value`` unless it is more than ``limit``."""
    if value > limit:
        refuse(f"{name} is {value:g}; it must be at most {limit}", f"{name} = {limit}")
    return value


def text_or_none(name: str, value: object, *, example: str = "...") -> str | None:
    """Read text that may be missing; a wrong value is not shown, it may be a secret."""
    if value is None or isinstance(value, str):
        return value
    refuse(f"{name} must be text, not {type(value).__name__}", f"{name} = {example!r}")


def absolute_url(name: str, value: object, *, example: str) -> str:
    """Read an absolute http(s) URL without user information, query and fragment."""
    if isinstance(value, str) and is_absolute(value):
        return value
    shown = "one with user information" if "@" in str(value) else repr(value)
    host_alone = isinstance(value, str) and re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", value)
    refuse(
        f"{name} is {shown}; it must be absolute: {example!r}",
        f"{name} = {(f'https://{value}' if host_alone else example)!r}",
    )


def is_absolute(url: str) -> bool:
    """Tell whether ``url`` has a host to speak http(s) to, and nothing that is no part of an address."""
    if any(char.isspace() or char in "@?#" for char in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False

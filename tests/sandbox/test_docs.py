"""The page of the sandbox names what there is."""

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import get_args, get_type_hints

from django_klarna.sandbox import Callback, Fault, Merchant, Sandbox
from django_klarna.sandbox.callbacks import KINDS, MODES
from django_klarna.sandbox.calls import OPERATIONS
from django_klarna.sandbox.checkout import DECISIONS
from django_klarna.sandbox.control import ACTIONS
from django_klarna.sandbox.faults import HowItFails

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()

STATES = get_args(get_type_hints(Callback)["state"])


def section(heading: str) -> str:
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(heading: str) -> str:
    return "\n".join(re.findall(r"^\| `.*$", section(heading), re.MULTILINE))


def test_control() -> None:
    assert set(re.findall(r"^\| `\w+ (/_sandbox/[\w/]+)`", PAGE, re.MULTILINE)) == set(ACTIONS)


def test_faults() -> None:
    names = {field.name for field in fields(Fault)}
    assert names <= set(re.findall(r"`(\w+)`", rows("Faults")))
    assert set(re.findall(r"^\| `(\w+)`", rows("Faults"), re.MULTILINE)) <= names
    assert set(OPERATIONS) <= set(re.findall(r"`(\w+)`", rows("Faults")))
    assert HowItFails.__annotations__.keys() == names - {"operation"}


def test_merchants() -> None:
    names = {field.name for field in fields(Merchant)}
    assert set(re.findall(r"^\| `(\w+)`", rows("Merchants"), re.MULTILINE)) == names


def test_decisions() -> None:
    assert re.findall(r"^\| `(\w+)`", rows("Paying"), re.MULTILINE) == list(DECISIONS)


def test_callbacks() -> None:
    told = re.findall(r"^\| `(\w+)`", rows("Callbacks"), re.MULTILINE)
    options = set(signature(Sandbox.callback_mode).parameters) - {"self"}
    assert set(told) == {*KINDS, *options}
    assert set(re.findall(r'`"(\w+)"`', rows("Callbacks"))) == set(MODES)
    shown = {field.name for field in fields(Callback)} - {"due", "gives_up"}
    assert shown | set(STATES) <= set(re.findall(r"`(\w+)`", section("Callbacks")))


def test_switches() -> None:
    switches = set(signature(Sandbox).parameters) - {"base_url", "merchants", "wrong_passwords"}
    assert set(re.findall(r"`Sandbox\((\w+)=", PAGE)) == switches

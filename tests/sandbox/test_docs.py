"""The page of the sandbox names what there is."""

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path

from django_klarna.sandbox import Fault, Merchant, Sandbox
from django_klarna.sandbox.control import ACTIONS
from django_klarna.sandbox.faults import HowItFails

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def rows(heading: str) -> str:
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return "\n".join(re.findall(r"^\| `.*$", section, re.MULTILINE))


def test_control() -> None:
    assert set(re.findall(r"^\| `\w+ (/_sandbox/\w+)`", PAGE, re.MULTILINE)) == set(ACTIONS)


def test_faults() -> None:
    names = {field.name for field in fields(Fault)}
    assert names <= set(re.findall(r"`(\w+)`", rows("Faults")))
    assert set(re.findall(r"^\| `(\w+)`", rows("Faults"), re.MULTILINE)) <= names
    assert HowItFails.__annotations__.keys() == names - {"operation"}


def test_merchants() -> None:
    names = {field.name for field in fields(Merchant)}
    assert set(re.findall(r"^\| `(\w+)`", rows("Merchants"), re.MULTILINE)) == names


def test_switches() -> None:
    switches = set(signature(Sandbox).parameters) - {"base_url", "merchants", "wrong_passwords"}
    assert set(re.findall(r"`Sandbox\((\w+)=", PAGE)) == switches

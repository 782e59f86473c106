# SPDX-License-Identifier: Apache-2.0
"""What a check can find: rules, each declared once, and places where one is broken."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

PROGRAM = "ttyscribe-normalize"
"""What the checks look for: whoever runs it hands messages to us."""
PROBLEM = "problem"
"""Messages are lost, cut, doubled or readable to others."""
NOTE = "note"
"""It works, and promises less than it could."""


class Rule(NamedTuple):
    """One known misconfiguration. docs/doctor.md is written from these."""

    key: str
    level: str
    title: str
    """What is wrong, as a line that a list shows."""
    why: str
    mend: str
    """What to write instead."""


class Place(NamedTuple):
    """A line of a file; 0 = the file as a whole."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


Include = Callable[[str, Place], Sequence[tuple[str, str]]]
"""Reads what a file includes: pattern of the files and where it is written; each file's path and text."""


def nothing_included(_: str, __: Place) -> Sequence[tuple[str, str]]:
    """Of a file that is looked at alone."""
    return ()


MOST_DEEP = 16
"""Files that include each other, at most."""


class Unreadable(ValueError):
    """What can't be read as a configuration, with its place."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(f"{place}: {what}")
        self.place, self.what = place, what


class Finding(NamedTuple):
    """A rule that is broken somewhere."""

    rule: Rule
    place: Place
    detail: str = ""
    """What was found there, in words; may hold text of the file."""


def table(*rules: Rule) -> dict[str, Rule]:
    """Rules by their keys."""
    return {rule.key: rule for rule in rules}

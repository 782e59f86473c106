# SPDX-License-Identifier: Apache-2.0
"""Fluentd's configuration: its sections with their parameters; pure. Embedded Ruby is kept as the text that it is."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ttyscribe.health.findings import MOST_DEEP, Include, Place, Unreadable, nothing_included

_OPEN = re.compile(r"<([A-Za-z_][\w-]*)\s*([^>]*)>")
_CLOSE = re.compile(r"</([A-Za-z_][\w-]*)>")


class Section(NamedTuple):
    """`<name argument>` with what stands in it."""

    name: str
    argument: str
    params: dict[str, tuple[str, Place]]
    sections: list["Section"]
    place: Place

    def get(self, *keys: str, default: str = "") -> str:
        """A parameter's value under the first of its names that is there (`@type` was `type`)."""
        return next((self.params[key][0] for key in keys if key in self.params), default)

    def at(self, key: str) -> Place:
        """Where a parameter stands; else where the section begins."""
        return self.params[key][1] if key in self.params else self.place

    def section(self, name: str) -> "Section | None":
        """The first section of this name inside."""
        return next((found for found in self.sections if found.name == name), None)

    def walk(self) -> Iterator["Section"]:
        """This section and all inside, at any depth."""
        yield self
        for inner in self.sections:
            yield from inner.walk()


def parse(path: str, text: str, include: Include = nothing_included) -> Section:
    """The whole file as one section without a name. Raises Unreadable."""
    root = Section("", "", {}, [], Place(path))
    _read(path, text, root, include, 0)
    return root


def _read(path: str, text: str, root: Section, include: Include, depth: int) -> None:
    open_: list[Section] = [root]
    for number, line in enumerate(text.splitlines(), 1):
        stripped, place = line.strip(), Place(path, number)
        if not stripped or stripped.startswith("#"):
            continue
        if found := _CLOSE.match(stripped):
            if len(open_) == 1 or open_[-1].name != found[1]:
                raise Unreadable(place, f"{stripped} closes nothing")
            open_.pop()
        elif found := _OPEN.match(stripped):
            section = Section(found[1], found[2].strip(), {}, [], place)
            open_[-1].sections.append(section)
            open_.append(section)
        else:
            name, _, value = stripped.replace("\t", " ").partition(" ")
            if name == "@include":
                if depth >= MOST_DEEP:
                    raise Unreadable(place, "files include each other without end")
                for other, content in include(value.strip(), place):
                    _read(other, content, open_[-1], include, depth + 1)
                continue
            open_[-1].params[name] = (_value(value.strip()), place)
    if len(open_) > 1:
        raise Unreadable(open_[-1].place, f"<{open_[-1].name}> is never closed")


def _value(text: str) -> str:
    """A value without its quotes, or without the comment behind it."""
    if text[:1] in ("'", '"') and text[:1] == text[-1:] and len(text) > 1:
        return text[1:-1]
    return text.partition(" #")[0].rstrip()

# SPDX-License-Identifier: Apache-2.0
"""Fields with nothing in them: null, "", {}, [] and what holds only these; pure."""

from collections.abc import Callable, Collection
from typing import Any

from ttyscribe_formats.viaq import Record

Remove = Callable[[Record], None]
_CONTAINERS = (dict, list)


def compile_empties(keep: Collection[str], *, lossless: bool) -> Remove:
    """The step that removes them, at any depth; top-level fields in `keep` stay with all that is in them.

    Lossless: a list with something in it besides lists and objects stays as it is, because places in it mean something
    (the arguments of a command), and so do aushape's `trimmed` and `execve`.
    """
    kept = frozenset(keep)
    remove = _Empties(lossless)

    def remove_empties(record: Record) -> None:
        gone = None
        for key, value in record.items():
            kind = type(value)
            if kind is str:
                if value:
                    continue
            elif value is not None:
                if kind not in _CONTAINERS or key in kept:
                    continue
                if kind is dict and key == "aushape" and lossless:
                    remove.aushape(value)
                else:
                    remove.inside(value)
                if value:
                    continue
            if key not in kept:
                gone = [key] if gone is None else [*gone, key]
        if gone is not None:
            for key in gone:
                del record[key]

    return remove_empties


class _Empties:
    """Removes inside one value, in place."""

    def __init__(self, lossless: bool) -> None:
        self._lossless = lossless

    def inside(self, value: Any) -> None:
        """Remove all empties inside an object or a list, however deep it is."""
        try:
            self._object(value) if type(value) is dict else self._list(value)
        except RecursionError:
            self._deep(value)

    def aushape(self, value: Record) -> None:
        """The same in an audit event, but for the lists of which every element, and being empty, means something."""
        trimmed, data = value.get("trimmed"), value.get("data")
        arguments = data.get("execve") if type(data) is dict else None
        copies = list(trimmed) if type(trimmed) is list else None, list(arguments) if type(arguments) is list else None
        self.inside(value)
        if copies[0] is not None:
            value["trimmed"] = copies[0]
        if copies[1] is not None and type(data) is dict:
            data["execve"] = copies[1]
            value["data"] = data

    def _object(self, value: Record) -> None:
        gone, lossless = None, self._lossless
        for key, inner in value.items():
            kind = type(inner)
            if kind is str:
                if inner:
                    continue
            elif inner is not None:
                if kind is dict:
                    self._object(inner)
                elif kind is list:
                    if lossless and inner and type(inner[0]) is str and inner[0]:
                        continue  # most lists: such a one stays as it is
                    self._list(inner)
                else:
                    continue
                if inner:
                    continue
            gone = [key] if gone is None else [*gone, key]
        if gone is not None:
            for key in gone:
                del value[key]

    def _list(self, value: list[Any]) -> None:
        if self._stays(value):
            return
        for inner in value:
            if type(inner) is dict:
                self._object(inner)
            elif type(inner) is list:
                self._list(inner)
        if not all(map(_is_filled, value)):
            value[:] = filter(_is_filled, value)

    def _stays(self, value: list[Any]) -> bool:
        return self._lossless and any(type(inner) not in _CONTAINERS and _is_filled(inner) for inner in value)

    def _deep(self, value: Any) -> None:
        """The same without recursion: containers are put in a row, each before what is in it, and emptied backwards."""
        row = [value]
        for container in row:
            inner_values = container.values() if type(container) is dict else container
            if type(container) is dict or not self._stays(container):
                row += [inner for inner in inner_values if type(inner) in _CONTAINERS]
        for container in reversed(row):
            if type(container) is dict:
                for key in [key for key, inner in container.items() if not _is_filled(inner)]:
                    del container[key]
            elif not self._stays(container):
                container[:] = filter(_is_filled, container)


def _is_filled(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {}

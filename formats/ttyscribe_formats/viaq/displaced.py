# SPDX-License-Identifier: Apache-2.0
"""Values that have no place of their own any more, and where they are kept; pure.

The plugins lose such values, or fail over them. We keep them under the name for undefined fields, by the path that they
had: `{"undefined": {"systemd.t": {...}}}`.
"""

from typing import Any

from ttyscribe_formats.viaq import Record, ruby

ERROR_TAG = "_viaq_error"
"""In `tags` of a record over which the plugins fail."""


class Displaced:
    """What one record's way through the chain put aside."""

    __slots__ = ("is_error", "is_kept", "values")

    def __init__(self, lossless: bool) -> None:
        self.values: Record = {}
        self.is_error = False
        self.is_kept = lossless

    def put(self, path: str, value: Any) -> None:
        """Keep a value that the plugins lose, unless there is nothing in it, or they are to be followed in that."""
        if self.is_kept:
            self._keep(path, value)

    def replaced(self, path: str, before: Any, after: Any) -> None:
        """The same for a value whose place another one takes."""
        if before != after:
            self.put(path, before)

    def error(self, path: str, value: Any) -> None:
        """Keep a value over which the plugins fail."""
        self.is_error = True
        self._keep(path, value)

    def unfit(self, path: str, value: Any) -> None:
        """Keep what stands where an object should; false the plugins replace, as they do nothing at all."""
        if value is False:
            self.put(path, value)
        elif value is not None:
            self.error(path, value)

    def _keep(self, path: str, value: Any) -> None:
        if value is not None and value != "" and value != [] and value != {}:
            while self.values.get(path, value) != value:
                path += "_"  # two values had this place, one behind the other
            self.values[path] = value

    def into(self, record: Record, name: str, *, as_text: bool) -> None:
        """Add everything to a record: under `name`, or where that is no object under the next free `name_`."""
        if self.values:
            while name in record and type(record[name]) is not dict:
                name += "_"
            place = record.setdefault(name, {})
            for path, value in self.values.items():
                while path in place:
                    path += "_"  # noqa: PLW2901 - what is undefined has its name already
                place[path] = ruby.json_text(value) if as_text and type(value) is not str else value
        if self.is_error:
            _tag(record)


def _tag(record: Record) -> None:
    tags = record.get("tags")
    if tags is None:
        record["tags"] = [ERROR_TAG]
    elif type(tags) is not list:
        record["tags"] = [tags, ERROR_TAG]
    elif ERROR_TAG not in tags:
        record["tags"] = [*tags, ERROR_TAG]

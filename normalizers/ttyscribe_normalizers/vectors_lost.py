# SPDX-License-Identifier: Apache-2.0
"""What of a record is not in what was made of it; pure.

Not counted as lost: what is empty, what a chain replaces by a better form of the same (the priority by a level, times
by a text), and what an operator has removed because its value stands elsewhere.
"""

import json
from collections.abc import Iterator
from typing import Any

_REPLACED = ("PRIORITY", "level", "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP", "stream")
_DEPTH = 4
"""Texts within texts that are looked into."""


def lost_values(record: Any, made: Any) -> str:
    """The first value of `record` that `made` has nowhere, in words; empty: it has them all."""
    if not isinstance(made, dict):
        return f"made no record but {type(made).__name__}"
    text, wanted = _compact(made), {key: value for key, value in record.items() if key not in _REPLACED}
    for path, value in _leaves(wanted):
        if not _is_in(value, text):
            return f"lost {path}: {value!r}"
    return _lost_places(wanted, text)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_in(value: Any, text: str) -> bool:
    """Whether a value stands in a JSON text, or in a JSON text within that, and so on."""
    inner = value
    for _ in range(_DEPTH):
        inner = _compact(inner)
        inner = inner[1:-1] if inner.startswith('"') else inner
        if inner in text:
            return True
    return False


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    elif value is not None and value != "":
        yield path, value


def _lost_places(record: Any, text: str) -> str:
    """A list in which something stands, and from which something was taken: the places in it are lost."""
    for value in _lists(record):
        is_plain = any(not isinstance(inner, (dict, list)) and inner not in (None, "") for inner in value)
        if is_plain and any(inner in (None, "", [], {}) for inner in value) and not _is_in(value, text):
            return f"a list lost its places: {json.dumps(value)}"
    return ""


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _lists(inner)

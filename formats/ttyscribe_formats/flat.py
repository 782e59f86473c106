# SPDX-License-Identifier: Apache-2.0
"""Objects of any names as the engines can hold them in one field, each value found by its path.

Elasticsearch's `flattened` and OpenSearch's `flat_object` refuse a document whose names and values together are too
long, hold NUL in a name, or are nested too deep. What would be refused is cut or left out here; whoever calls keeps the
original beside it.
"""

from typing import Any

MAX_VALUE = 7500
"""Characters: 30,000 bytes at most, which leaves room for the path in the 32,766 of a term."""
MAX_NAME = 128
MAX_NAME_BYTES = 320
MAX_DEPTH = 8
"""Levels: a path of so many names, in any script, is within that room. OpenSearch puts path and value into one term."""


def flat(value: Any) -> tuple[Any, bool]:
    """The value as it can be held, and whether that is all of it. What is all right is given back itself."""
    if is_flat(value):
        return value, True
    return _cut(value, MAX_DEPTH), False


def is_flat(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Tell whether engines take it as it is."""
    if type(value) is str:
        return len(value) <= MAX_VALUE
    if type(value) is dict:
        return depth > 0 and all(_is_name(name) and is_flat(entry, depth - 1) for name, entry in value.items())
    if type(value) is list:
        return depth > 0 and all(is_flat(entry, depth - 1) for entry in value)
    return type(value) is not int or value.bit_length() < MAX_VALUE


def _is_name(name: str) -> bool:
    if not 0 < len(name) <= MAX_NAME or "\0" in name:
        return False
    return name.isascii() or len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES


def _cut(value: Any, depth: int) -> Any:
    if type(value) is str:
        return value[:MAX_VALUE]
    if type(value) is dict:
        kept = {name: entry for name, entry in value.items() if _is_name(name) and _is_kept(entry, depth)}
        return {name: _cut(entry, depth - 1) for name, entry in kept.items()}
    if type(value) is list:
        return [_cut(entry, depth - 1) for entry in value if _is_kept(entry, depth)]
    return value


def _is_kept(entry: Any, depth: int) -> bool:
    if type(entry) in (dict, list):
        return depth > 1
    return type(entry) is not int or entry.bit_length() < MAX_VALUE

# SPDX-License-Identifier: Apache-2.0
"""JSON in a record's message (`parse_json_field`, MERGE_JSON_LOG); pure."""

import json
import re
from typing import Any

from ttyscribe_formats.viaq import Record
from ttyscribe_formats.viaq.config import ParseJsonField

_BLANKS = "\0\t\n\v\f\r "
_ESCAPE = re.compile(r"(\\[\\\"/bfnrtu])|\\(?=.)")
"""What JSON has no escape for stands for itself."""
_MAX_DEPTH = 100
"""Ruby's parser takes nothing that is nested deeper."""


def parse_json_field(record: Record, wanted: ParseJsonField) -> Record:
    """A record with the object that stands as text in the first of its `json_fields`; as it is where none does.

    Merged in, the record's own fields win; nothing is ever overwritten.
    """
    if not (wanted.merge_json_log or wanted.replace_json_log):
        return record
    for key in wanted.json_fields:
        if key in record:
            found = _parsed(record[key])
            if found is None:
                return record
            if not wanted.merge_json_log:
                record[key] = found
                return record
            merged = found | record
            if not wanted.preserve_json_log:
                del merged[key]
            return merged
    return record


def _parsed(value: Any) -> Record | None:
    """The object that a text is; None for what is none."""
    text = value.strip(_BLANKS) if type(value) is str else ""
    if not text.startswith("{") or not text.endswith("}"):
        return None
    found = _loaded(text)
    if found is None and "\\" in text:
        found = _loaded(_ESCAPE.sub(r"\1", text))
    if found is None:
        return None
    return found if text.count("{") + text.count("[") <= _MAX_DEPTH or _depth(found) <= _MAX_DEPTH else None


def _loaded(text: str) -> Record | None:
    try:
        found: Record = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # no JSON; or half of a character, which is no text
        return None
    return found


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"beyond all numbers: {text[:32]}")
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
    return depth

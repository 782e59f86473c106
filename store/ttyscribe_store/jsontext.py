# SPDX-License-Identifier: Apache-2.0
"""JSON at speed and exact: `loads(dumps(value)) == value`, types included, with orjson or without.

orjson alone would turn integers beyond 64 bit into floats, NaN and the infinities into null, and refuse text that is no
Unicode (lone surrogates); such values go through the standard library's json, which keeps them.
"""

import json
from collections.abc import Callable
from typing import Any

try:
    import orjson
except ImportError:  # the bare package has none
    orjson = None  # type: ignore[assignment]

_DIGITS = bytes(0x30 if chr(code).isdigit() and code < 0x80 else 0x20 for code in range(256))
NULL = b"null"
_BEYOND_64_BIT = b"0" * 19
"""18 digits always fit, with a sign too."""


def dumps(value: Any) -> bytes:
    """Compact JSON. Raises ValueError or TypeError for what JSON can't hold or what is nested too deep."""
    if orjson is None:
        return _dumps_exactly(value)
    try:
        text = orjson.dumps(value)
    except TypeError:
        return _dumps_exactly(value)
    return _dumps_exactly(value) if NULL in text and _has_no_number(value) else text


def quick_dumps() -> Callable[[Any], bytes]:
    """The quickest way to JSON. It raises TypeError where `dumps` is to be asked, and may turn NaN and the infinities
    into null: where `NULL` is in the text, ask `dumps` again."""
    if orjson is None:
        return dumps
    return orjson.dumps


def loads(text: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError where it is none, or nested too deep."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if orjson is None:
        return _loads_exactly(data)
    if not is_within_64_bit(data):
        return _loads_exactly(data)
    try:
        return orjson.loads(data)
    except ValueError:
        return _loads_exactly(data)


def shown(value: Any, most: int) -> str:
    """A part of somebody's JSON as messages repeat it: one line, so many characters at most; text without quotes."""
    if isinstance(value, str):
        return " ".join(value[: 2 * most].split())[:most]
    try:
        return json.dumps(value, default=str)[:most]
    except RecursionError:
        return "nested too deep"


def is_within_64_bit(data: bytes) -> bool:
    """Tell whether no number in a JSON text can be beyond 64 bit: no row of digits is that long."""
    return _BEYOND_64_BIT not in data.translate(_DIGITS)


def _loads_exactly(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deep") from None


def _dumps_exactly(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None


def _has_no_number(value: Any) -> bool:
    """Tell whether there is a NaN or an infinity in it; orjson has seen that the nesting is sound."""
    if isinstance(value, float):
        return value - value != 0
    if isinstance(value, dict):
        return any(map(_has_no_number, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_has_no_number, value))
    return False

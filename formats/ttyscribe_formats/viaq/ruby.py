# SPDX-License-Identifier: Apache-2.0
"""Values as Ruby writes and reads them, where the plugins leave that to Ruby; pure."""

import json
import re
import unicodedata
from fractions import Fraction
from typing import Any

_FIXED = range(-3, 17)
"""Where the decimal point may stand for a number to be written without an exponent."""
_INTEGER = re.compile(r"\s*([+-]?[0-9]+(?:_[0-9]+)*)", re.ASCII)
_FLOAT = re.compile(r"\s*([+-]?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\f": "\\f",
    "\v": "\\v",
    "\b": "\\b",
    "\a": "\\a",
    "\x1b": "\\e",
}
_UNPRINTABLE = ("Cc", "Cn", "Cs", "Zl", "Zp")


def to_s(value: Any) -> str:
    """`value.to_s`."""
    if type(value) is str:
        return value
    return "" if value is None else inspect(value)


def inspect(value: Any) -> str:
    """`value.inspect` of what JSON can hold."""
    if type(value) is str:
        return _inspected(value)
    if value is None:
        return "nil"
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is float:
        return float_text(value)
    if type(value) is dict:
        return "{" + ", ".join(f"{inspect(key)}=>{inspect(inner)}" for key, inner in value.items()) + "}"
    if type(value) is list:
        return "[" + ", ".join(map(inspect, value)) + "]"
    return str(value)


def _inspected(text: str) -> str:
    made = []
    for place, sign in enumerate(text):
        if sign in _ESCAPES:
            made.append(_ESCAPES[sign])
        elif sign == "#" and text[place + 1 : place + 2] in ("{", "$", "@"):
            made.append("\\#")
        elif sign == "\x85" or unicodedata.category(sign) not in _UNPRINTABLE:
            made.append(sign)
        else:
            code = ord(sign)
            made.append(f"\\u{code:04X}" if code <= 0xFFFF else f"\\u{{{code:X}}}")
    return f'"{"".join(made)}"'


def float_text(number: float) -> str:
    """A float as Ruby prints it: the shortest digits that give it back, with a point always."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    sign = "-" if repr(number).startswith("-") else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0.0"
    if point in _FIXED and (point < 16 or point < len(digits)):
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}e{point - 1:+03d}"


def json_text(value: Any) -> str:
    """`JSON.dump(value)`: compact; floats as Ruby writes them. Never raises on what JSON can hold."""
    try:
        if not _has_float(value):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _json(value)
    except RecursionError:
        return '"nested too deep"'


def _has_float(value: Any) -> bool:
    if type(value) is dict:
        return any(map(_has_float, value.values()))
    if type(value) is list:
        return any(map(_has_float, value))
    return type(value) is float


def _json(value: Any) -> str:
    if type(value) is dict:
        pairs = (f"{json.dumps(key, ensure_ascii=False)}:{_json(inner)}" for key, inner in value.items())
        return "{" + ",".join(pairs) + "}"
    if type(value) is list:
        return "[" + ",".join(map(_json, value)) + "]"
    if type(value) is float:
        return float_text(value)
    return json.dumps(value, ensure_ascii=False)


def to_i(text: str) -> int:
    """`text.to_i`: the number that it begins with; 0 where there is none."""
    found = _INTEGER.match(text)
    return int(found[1]) if found else 0


def to_f(text: str) -> Fraction:
    """`text.to_f`, as the exact value of that float; 0 where the text begins with no number that is finite."""
    found = _FLOAT.match(text)
    number = float(found[1].replace("_", "")) if found else 0.0
    return Fraction(number) if number - number == 0 else Fraction(0)

# SPDX-License-Identifier: Apache-2.0
"""JSON lines from strangers: parsed at speed where that is exact, whatever bytes they are made of; pure."""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from ttyscribe_formats.errors import MessageError

fast_loads: Callable[[bytes | str], Any]
"""A JSON value from UTF-8, without lone surrogates. Raises ValueError.

Integers beyond 64 bit may come as floats: check the types you need.
"""

fast_dumps: Callable[[Any], bytes] | None = None
"""Compact JSON of what `fast_loads` gives; none in the bare package."""

_DEEPEST = 100
"""Levels that every reader and writer of JSON takes."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

try:
    import orjson

    fast_loads, fast_dumps = orjson.loads, orjson.dumps
except ImportError:  # the bare package has none

    def fast_loads(text: bytes | str) -> Any:
        """The same with the standard library."""
        if _SURROGATE.search(text if isinstance(text, bytes) else text.encode()):
            raise ValueError("perhaps a lone surrogate")
        try:
            return json.loads(text if isinstance(text, str) else text.decode())
        except RecursionError:
            raise ValueError("nested too deep") from None


def loads(line: bytes) -> Any:
    """The value of a line, exact. Bytes that are not UTF-8 become lone surrogates (PEP 383): see `repaired`.

    Raises MessageError where it is no JSON, is nested too deep, or has a number that is none or beyond all numbers.
    """
    try:
        return json.loads(line.decode("utf-8", "surrogateescape"), parse_float=_finite, parse_constant=_no_number)
    except RecursionError:
        raise MessageError("not JSON: nested too deep") from None
    except ValueError as error:
        raise MessageError(f"not JSON: {str(error)[:200]}") from None


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"a number beyond all numbers: {text[:32]}")
    return number


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def repaired(text: str) -> tuple[str, bytes]:
    """A text without lone surrogates, and the bytes that it was made of where there were some (else empty)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = _bytes(text)
        return raw.decode("utf-8", "replace"), raw
    return text, b""


def _bytes(text: str) -> bytes:
    """The bytes of a text with lone surrogates: those that `loads` made, and those that a sender wrote as \\ud800."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return b"".join(
            sign.encode("utf-8", "surrogateescape" if "\udc80" <= sign <= "\udcff" else "surrogatepass")
            for sign in text
        )


def whole(line: bytes, value: Any) -> tuple[Any, bytes]:
    """A JSON value that was parsed at speed, exact; and its line where that says more than the value holds, else empty.

    It does where a key stands twice or is no Unicode, and where a number is none or not written as we would write it.
    The value has then what readers of JSON see: the last of a key, a text for what is no number. Texts may have lone
    surrogates, as with `loads`; what is nested too deep is left out. Raises MessageError where it is nested too deep.
    """
    if fast_dumps is not None:
        try:
            if fast_dumps(value) == line:
                return value, b""
        except (TypeError, ValueError):
            pass
    return read_whole(line)


def read_whole(line: bytes) -> tuple[Any, bytes]:
    """The same of a line that has not been parsed. Raises MessageError where it is no JSON."""
    doubts: list[str] = []
    written = repr if fast_dumps is None else _written

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        clean = {_repaired(name): value for name, value in found}
        if len(made) < len(found) or made.keys() != clean.keys():
            doubts.append("key")
        return clean

    def number(text: str) -> float | str:
        made = float(text)
        if written(made) != text:
            doubts.append(text)
        return made if made - made == 0 else text

    def integer(text: str) -> int:
        made = int(text)
        if text == "-0":
            doubts.append(text)
        return made

    def constant(text: str) -> str:
        doubts.append(text)
        return text

    try:
        value = json.loads(
            line.decode("utf-8", "surrogateescape"),
            object_pairs_hook=pairs,
            parse_float=number,
            parse_int=integer,
            parse_constant=constant,
        )
    except RecursionError:
        raise MessageError("not JSON: nested too deep") from None
    except ValueError as error:
        raise MessageError(f"not JSON: {str(error)[:200]}") from None
    if line.count(b"[") + line.count(b"{") > _DEEPEST and (shallow := _cut(value, _DEEPEST)) is not value:
        return shallow, line
    return value, line if doubts else b""


def _written(number: float) -> str:
    return "" if fast_dumps is None else fast_dumps(number).decode()


def _cut(value: Any, depth: int) -> Any:
    """The value without what is nested deeper; itself where nothing is."""
    if type(value) not in (dict, list) or not value:
        return value
    if not depth:
        return None
    items = value.values() if type(value) is dict else value
    cut = [_cut(item, depth - 1) for item in items]
    if all(map(operator.is_, cut, items)):
        return value
    return dict(zip(value, cut, strict=True)) if type(value) is dict else cut


def without_surrogates(value: Any) -> Any:
    """The value without lone surrogates in its texts; itself where it has none. MessageError: nested too deep."""
    try:
        return _without_surrogates(value)
    except RecursionError:
        raise MessageError("nested too deep") from None


def _without_surrogates(value: Any) -> Any:
    if type(value) is str:
        return _repaired(value)
    if type(value) is list:
        items = [_without_surrogates(item) for item in value]
        return value if all(map(operator.is_, items, value)) else items
    if type(value) is dict:
        made = {_without_surrogates(name): _without_surrogates(item) for name, item in value.items()}
        same = len(made) == len(value) and all(made.get(name, made) is item for name, item in value.items())
        return value if same else made
    return value


def _repaired(text: str) -> str:
    return text if text.isascii() else repaired(text)[0]

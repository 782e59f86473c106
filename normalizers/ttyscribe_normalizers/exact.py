# SPDX-License-Identifier: Apache-2.0
"""JSON lines from strangers: parsed at speed where that is exact, whatever bytes they are made of; pure."""

import json
import re
from collections.abc import Callable
from typing import Any

from ttyscribe_formats.errors import MessageError

fast_loads: Callable[[bytes | str], Any]
"""A JSON value from UTF-8, without lone surrogates. Raises ValueError.

Integers beyond 64 bit may come as floats: check the types you need.
"""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

try:
    import orjson

    fast_loads = orjson.loads
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

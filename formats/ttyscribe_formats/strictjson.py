# SPDX-License-Identifier: Apache-2.0
"""JSON of which nothing is lost: numbers of any size exact, no name twice, nothing that is no number."""

import json
from typing import Any

from ttyscribe_formats.errors import MessageError

_MAX_DEPTH = 32


def loads(text: str) -> Any:
    """The value of a text. Raises MessageError where it is no JSON, or could not be held exactly."""
    try:
        value = json.loads(text, parse_float=finite, parse_constant=finite, object_pairs_hook=_object)
    except RecursionError:
        raise MessageError("not JSON: nested too deep") from None
    except ValueError as error:
        raise MessageError(f"not JSON: {str(error)[:200]}") from None
    if not is_shallow(value):
        raise MessageError("not JSON: nested too deep")
    return value


def finite(text: str) -> float:
    """A number that is one. Raises ValueError."""
    number = float(text)
    if number - number != 0:
        raise ValueError(f"{text[:32]} is no number, or beyond all numbers")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def is_shallow(value: Any, depth: int = _MAX_DEPTH) -> bool:
    """Tell whether it is nested no deeper than so."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(is_shallow(item, depth - 1) for item in inner)
    return True

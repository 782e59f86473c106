# SPDX-License-Identifier: Apache-2.0
"""Text and JSON for a person's eyes: what was logged is hostile, and no control character of it reaches a terminal."""

import json
from typing import Any


def printable(text: str) -> str:
    """The text on one line; what does not print is written as in JSON (`\\u001b`, `\\u202e`)."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def pretty(value: Any, indent: int | None = 1) -> str:
    """A value as JSON, which stays JSON: only its line ends are none of the escapes."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    except RecursionError:  # the encoder that makes it pretty stops at half the depth that the parser takes
        return pretty(value, None) if indent is not None else '"nested too deep to be shown"'
    return "\n".join(map(printable, text.split("\n")))


def _escaped(sign: str) -> str:
    return json.dumps(sign)[1:-1] if ord(sign) != 0x7F else "\\u007f"

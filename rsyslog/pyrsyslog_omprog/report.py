# SPDX-License-Identifier: Apache-2.0
"""One-line reports on standard error, which rsyslog appends to the action's `output` file."""

import os
import traceback
from collections.abc import Callable

Report = Callable[[str], None]

# Lines up to 4,096 bytes in one write don't interleave between programs that share the file.
_MAX = 4000


def to_stderr(text: str, name: str = "omprog") -> None:
    """Write one line; control characters escaped, cut at 4,000 bytes, never an error (the disk may be full)."""
    safe = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:_MAX])
    try:
        os.write(2, f"{name}: {safe}".encode("utf-8", "backslashreplace")[:_MAX] + b"\n")
    except OSError:
        pass


def describe(error: BaseException) -> str:
    """Name, text and place of an error in one line; never an error itself."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a handler's own class; its fault must not end the program
        text = "no text"
    return f"{type(error).__name__}: {text}{place}"

# SPDX-License-Identifier: Apache-2.0
"""Takes OSC 52 out of what goes to the viewer's terminal: a recording must not set or ask for the clipboard. Pure.

Everything else passes as it is. Terminals skip controls within a sequence, so they are skipped here too; what is too
long to be an honest beginning of a sequence is treated as the worst that it can be.
"""

import re

_SKIPPED = rb"[\x00-\x06\x08-\x17\x19\x1c-\x1f\x7f]*"
# As one byte it begins a string only where it is not the inside of a UTF-8 character.
_OSC = rb"(?:\x1b%b\]|\xc2\x9d|(?<![\x80-\xf4])\x9d)" % _SKIPPED
_CLIPBOARD = re.compile(_OSC + rb"[0\x00-\x06\x08-\x17\x19\x1c-\x1f\x7f]*5%b2%b[;:]" % (_SKIPPED, _SKIPPED))
_PARTIAL = re.compile(
    rb"(?:\x1b%b|\xc2|%b[0\x00-\x06\x08-\x17\x19\x1c-\x1f\x7f]*(?:5%b(?:2%b)?)?)\Z"
    % (_SKIPPED, _OSC, _SKIPPED, _SKIPPED)
)
_END = re.compile(rb"[\x07\x18\x1a\x1b\x9c]")
_LONGEST = 4096


class ClipboardFilter:
    """One stream; feed it any pieces."""

    def __init__(self) -> None:
        self._held = b""
        self._last = b""
        self._inside = False

    def feed(self, data: bytes) -> bytes:
        """What may go to a terminal; the beginning of a sequence is held back until it is known."""
        data, self._held = self._held + data, b""
        passed: list[bytes] = []
        while data:
            if self._inside:
                end = _END.search(data)
                if end is None:
                    break
                self._inside = False
                data = data[end.start() if end[0] == b"\x1b" else end.end() :]
                self._last = b""
                continue
            passed.append(self._until_clipboard(data))
            data = self._rest
        return b"".join(passed)

    def _until_clipboard(self, data: bytes) -> bytes:
        """What stands before the next OSC 52 (all, where there is none); the rest is kept for the next round."""
        seen = self._last + data  # one byte of what has passed tells a string from the inside of a character
        start = len(self._last)
        found = _CLIPBOARD.search(seen, start)
        if found:
            self._inside, self._rest = True, seen[found.end() :]
            return seen[start : found.start()]
        self._rest = b""
        partial = _PARTIAL.search(seen, start)
        if partial is None:
            self._last = seen[-1:]
            return seen[start:]
        done = seen[start : partial.start()]
        self._last = seen[max(0, partial.start() - 1) : partial.start()]
        if len(partial[0]) <= _LONGEST:
            self._held = partial[0]
        elif b"]" in partial[0]:
            self._inside = True
        return done

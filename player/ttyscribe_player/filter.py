# SPDX-License-Identifier: Apache-2.0
"""Lets through what a terminal shows, and nothing that does more: the guard where no emulator is installed.

Text, colours, cursor movement, erasing, scrolling and the alternate screen pass. Questions, titles, the clipboard,
reports, resizing and everything unknown are dropped. Pure.
"""

import codecs
import re

_MAX_SEQUENCE = 256
_SAFE_MODES = frozenset({"6", "7", "25", "47", "1047", "1048", "1049"})
_SAFE = re.compile(
    "[\x20-\x7e\xa0-\U0010ffff\t\n\x0b\x0c\r\b\x0e\x0f]+"
    "|\x1b\\[[0-9;:]{0,64}[@A-HJ-MPSTXZ`a-bd-gm]"
    "|\x1b\\[[0-9;]{0,16}[rsu]"
    "|\x1b[78DEMH]"
    "|\x1b[()][0AB]"
)
_TOKEN = re.compile(
    "[^\x00-\x08\x0e-\x1f\x7f-\x9f]+"
    "|[\x08\x0e\x0f]"
    "|(?:\x1b\\[|\x9b)[^\x18\x1a\x1b\x9b-\x9c@-~]*(?:[@-~]|(?=[\x18\x1a\x1b\x9b-\x9c])|\\Z)"
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])"
    "|\x1b[\x20-\x2f]*(?:[0-~]|\\Z|(?=.))"
    "|.",
    re.DOTALL,
)
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
_STRINGS = frozenset(["\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\x90", "\x98", "\x9d", "\x9e", "\x9f"])
_MODE = re.compile("\x1b\\[\\?([0-9;]{1,64})([hl])")
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of text, also of ours."""
_CLEAR = "\x1b[0m\x1b[r\x1b[H\x1b[2J"
_UNFINISHED = re.compile("(?:\x1b\\[|\x9b)[^@-~]*\\Z|\x1b[\x20-\x2f]*\\Z", re.DOTALL)


class Filter:
    """One stream; feed it any pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._in_string = False

    def feed(self, data: bytes) -> bytes:
        """What may go to a terminal."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        done: list[str] = []
        place = 0
        while place < len(text):
            if self._in_string:
                end = _STRING_END.search(text, place)
                if end is None:
                    break
                self._in_string = False
                place = end.start() if end[0] == "\x1b" else end.end()
                continue
            token = _TOKEN.match(text, place)[0]  # type: ignore[index] # its last part takes anything
            place += len(token)
            if place == len(text) and _UNFINISHED.fullmatch(token):
                self._rest = token if len(token) <= _MAX_SEQUENCE else ""
                break
            self._in_string = token in _STRINGS
            done.append(_passed(token))
        return "".join(done).encode("utf-8", "replace")


def _passed(item: str) -> str:
    if item.startswith("\x9b"):
        item = "\x1b[" + item[1:]
    if _SAFE.fullmatch(item):
        return _TURNING.sub("", item)
    if item == "\x1bc":
        return _CLEAR  # a reset would clear what stands above on the viewer's terminal too
    mode = _MODE.fullmatch(item)
    if mode is None:
        return ""
    safe = [number for number in mode[1].split(";") if number in _SAFE_MODES]
    return f"\x1b[?{';'.join(safe)}{mode[2]}" if safe else ""

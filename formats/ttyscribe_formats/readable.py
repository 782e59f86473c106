# SPDX-License-Identifier: Apache-2.0
"""Clear text and words of terminal output, in one pass where nothing of it is hidden from the eye.

That is nearly all output: its sequences are whole CSI sequences, and where the cursor goes back it writes over blanks,
or the same again. It has no control string, so nothing is swallowed. For such text the answers here are those of
`plain.plain_text`, `plain.hidden_text` (nothing) and `words.joined`, which are asked for all other text. Bytes are
looked at instead of characters, as their translation is ten times as fast.
"""

import re

from ttyscribe_formats.plain import ASCII_DROPPED, ASCII_LINES, CURSOR, ERASE, hidden_text, plain_text
from ttyscribe_formats.words import joined, joined_ascii

_CSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_ONWARD = bytes((0x09, 0x0A, 0x1B, *range(0x20, 0x7F), *range(0x80, 0x100)))
"""Bytes of text in which the cursor only goes on; a CR is none of them."""
_ERASE = ERASE.encode()
_C1 = b"\xc2"
"""UTF-8 of the controls U+0080 to U+009F begins with it."""
_TAKEN_BACK = "\b \b"
"""A letter taken back; at a line's beginning one that stood in the message before, so that nothing is lost here."""
_FEW = 16
"""Movements in a line beyond which each copy of it would cost too much."""


def readable(text: str) -> tuple[str, str]:
    """Clear text of any terminal output, and the words of it and of what is hidden in it, joined by blanks."""
    found = onward(text) or moving(text)
    if found is not None:
        return found
    clear, hidden = plain_text(text), hidden_text(text)
    return clear, joined(f"{clear}\n{hidden}" if hidden else clear)


def size_of(text: str) -> int:
    """Bytes of a text as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def onward(text: str) -> tuple[str, str] | None:
    """The same for text in which the cursor only goes on; none for any other."""
    try:
        data = text.encode().replace(b"\r\n", b"\n")
    except UnicodeEncodeError:
        return None
    if data.translate(None, _ONWARD):
        return None
    if sequences := data.count(b"\x1b"):
        data, removed = _CSI.subn(b"", data)
        if removed != sequences:
            return None
    if not data.isascii():
        if _C1 in data:
            return None
        clear = data.decode()
        return clear, joined(clear)
    return data.decode(), joined_ascii(data)


def moving(text: str) -> tuple[str, str] | None:
    """The same for text in which the cursor goes back within its line and nothing is lost; none for any other."""
    if not text.isascii():
        return None
    data = text.encode().replace(_ERASE, b"")
    if b"\x1b" in data:
        data = data.replace(b"\x1b[K", _ERASE).replace(b"\x1b[0K", _ERASE)
    if sequences := data.count(b"\x1b"):
        data, removed = _CSI.subn(b"", data)
        if removed != sequences:
            return None
    lines = data.translate(ASCII_LINES, ASCII_DROPPED).replace(b"\r\n", b"\n").decode().split("\n")
    for number, line in enumerate(lines):
        if "\r" in line or "\b" in line:
            found = _kept(line)
            if found is None:
                return None
            lines[number] = found
    clear = "\n".join(lines).replace(ERASE, "")
    return clear, joined_ascii(clear.encode())


def _kept(line: str) -> str | None:
    """A line after its cursor movements; none where a letter is written over by another, or erased."""
    if line[:3] == _TAKEN_BACK:
        rest = line[3:]
        if "\b" not in rest and "\r" not in rest:
            return rest.replace(ERASE, "") if rest else " "
    pieces = CURSOR.split(line)
    if len(pieces) > _FEW or sum(map(len, pieces[1::2])) > _FEW:
        return None
    shown = pieces[0]
    place = len(shown)
    for number in range(1, len(pieces), 2):
        for control in pieces[number]:
            if control == "\b":
                place = max(0, place - 1)
            elif control == "\r":
                place = 0
            elif shown[place:].strip():
                return None
            else:
                shown = shown[:place]
        piece = pieces[number + 1]
        end = place + len(piece)
        under = shown[place:end]
        if under != piece[: len(under)] and under.strip():
            return None
        shown = shown[:place] + piece + shown[end:]
        place = end
    return shown

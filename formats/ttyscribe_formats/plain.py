# SPDX-License-Identifier: Apache-2.0
"""Terminal output as clean text for people: control sequences resolved away, without any state between messages.

Sequences are dropped; backspace, carriage return and "erase to the end of the line" are carried out within their
line. What a message cuts in half stays as it is. Linear in the length of the text, whatever it holds.
"""

import re

_ERASE = "\x15"  # stands for CSI K; the character itself is dropped first
_SEQUENCE = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, erase
    "|\x1b\\][^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC: title, clipboard, links
    "|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\\\|\x9c)?"  # DCS, SOS, PM, APC
    "|\x1b[ -/]*[0-~]?"  # character sets and two-character sequences
    "|\x9b[0-?]*[ -/]*[@-~]?"  # CSI as one C1 character
)
_CURSOR = re.compile("([\r\b\x15]+)")
_DROPPED = [*range(8), *range(0x0E, 0x15), *range(0x16, 0x20), 0x7F]
_NEW_LINES = {0x0B: "\n", 0x0C: "\n"}
"""Vertical tabulation and form feed."""
_CONTROL = re.compile("[\x00-\x07\x0e-\x14\x16-\x1f\x7f-\x9f]+")
"""All controls but tab, LF, VT, FF, and those that move the cursor within a line."""
_ASCII_DROPPED = bytes(_DROPPED)
_ASCII_LINES = bytes(0x0A if code in _NEW_LINES else code for code in range(256))
_PRINTABLE = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f]*")
_FEW = 16


def plain_text(text: str) -> str:
    """The text as a person would read it; keeps line ends and tabs."""
    if _PRINTABLE.fullmatch(text):
        return text
    if "\x1b" in text or "\x9b" in text:
        text = text.replace(_ERASE, "").replace("\x1b[K", _ERASE).replace("\x1b[0K", _ERASE)
        text = _SEQUENCE.sub("", text)
    else:
        text = text.replace(_ERASE, "")
    if text.isascii():
        text = text.encode().translate(_ASCII_LINES, _ASCII_DROPPED).decode()
    else:
        text = _CONTROL.sub("", text.replace("\x0b", "\n").replace("\x0c", "\n"))
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join([_overwritten(line) if "\r" in line or "\b" in line else line for line in text.split("\n")])
    return text.replace(_ERASE, "")


def _overwritten(line: str) -> str:
    """One line after its cursor movements: what is written later stands over what was there."""
    pieces = _CURSOR.split(line)
    if len(pieces) > _FEW or sum(map(len, pieces[1::2])) > _FEW:
        return _overwritten_often(pieces)
    shown = ""
    place = 0
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            end = place + len(piece)
            shown = shown[:place] + piece + shown[end:] if place < len(shown) else shown + piece
            place = end
            continue
        for control in piece:
            if control == "\r":
                place = 0
            elif control == "\b":
                place = max(0, place - 1)
            else:
                shown = shown[:place]
    return shown


def _overwritten_often(pieces: list[str]) -> str:
    """The same in linear time: strings would be copied as a whole for each movement."""
    cells: list[str] = []
    place = 0
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            cells[place : place + len(piece)] = piece
            place += len(piece)
            continue
        for control in piece:
            if control == "\r":
                place = 0
            elif control == "\b":
                place = max(0, place - 1)
            else:
                del cells[place:]
    return "".join(cells)

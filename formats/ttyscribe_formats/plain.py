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
_DROPPED = dict.fromkeys([*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0)])
_DROPPED |= {0x0B: "\n", 0x0C: "\n", 0x0D: None}
_KEPT_FOR_CURSOR = {8, 13, 0x15}
_FIRST_PASS = {code: to for code, to in _DROPPED.items() if code not in _KEPT_FOR_CURSOR}
_PRINTABLE = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f]*")


def plain_text(text: str) -> str:
    """The text as a person would read it; keeps line ends and tabs."""
    if _PRINTABLE.fullmatch(text):
        return text
    if "\x1b" in text or "\x9b" in text:
        text = text.replace(_ERASE, "").replace("\x1b[K", _ERASE).replace("\x1b[0K", _ERASE)
        text = _SEQUENCE.sub("", text)
    text = text.replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(_overwritten(line) if _CURSOR.search(line) else line for line in text.split("\n"))
    return text.translate(_DROPPED)


def _overwritten(line: str) -> str:
    """One line after its cursor movements: what is written later stands over what was there."""
    cells: list[str] = []
    place = 0
    for number, piece in enumerate(_CURSOR.split(line.translate(_FIRST_PASS))):
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

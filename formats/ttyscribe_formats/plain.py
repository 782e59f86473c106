# SPDX-License-Identifier: Apache-2.0
"""Terminal output as clean text for people: control sequences resolved away, without any state between messages.

Sequences are dropped; backspace, carriage return and "erase to the end of the line" are carried out within their
line. What a message cuts in half stays as it is. Linear in the length of the text, whatever it holds.

`hidden_text` gives what is lost on the way: the payloads of control strings, and what was written over or erased.
Together they hold every letter, but for those that make up a sequence itself (the `m` of `ESC [ 3 1 m`).

A control string ends at its terminator, at ESC, CAN and SUB, and at the end of the message. A line feed does not end
it: most terminals go on swallowing, so what follows was not shown.
"""

import re

ERASE = "\x15"  # stands for CSI K; the character itself is dropped first
_SEQUENCE = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor, erase
    "|\x1b\\][^\x07\x15\x18\x1a\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # OSC: title, clipboard, links
    "|\x1b[PX^_][^\x15\x18\x1a\x1b\x9c]*(?:\x1b\\\\|\x9c)?"  # DCS, SOS, PM, APC
    "|\x1b[ -/]*[0-~]?"  # character sets and two-character sequences
    "|\x9b[0-?]*[ -/]*[@-~]?"  # CSI as one C1 character
)
_STRING = re.compile("\x1b(?:\\]([^\x07\x18\x1a\x1b\x9c]*)|[PX^_]([^\x18\x1a\x1b\x9c]*))")
"""The strings among them; an ESC never stands inside another sequence, so each is found where `_SEQUENCE` finds it."""
CURSOR = re.compile("([\r\b\x15]+)")
_DROPPED = [*range(8), *range(0x0E, 0x15), *range(0x16, 0x20), 0x7F]
_NEW_LINES = {0x0B: "\n", 0x0C: "\n"}
"""Vertical tabulation and form feed."""
_PAYLOAD = {0x08: None, 0x15: None, 0x0B: "\n", 0x0C: "\n", 0x0D: "\n"}
_CONTROL = re.compile("[\x00-\x07\x0e-\x14\x16-\x1f\x7f-\x9f]+")
"""All controls but tab, LF, VT, FF, and those that move the cursor within a line."""
ASCII_DROPPED = bytes(_DROPPED)
ASCII_LINES = bytes(0x0A if code in _NEW_LINES else code for code in range(256))
_PRINTABLE = re.compile("[^\x00-\x08\x0b-\x1f\x7f-\x9f]*")
_FEW = 16
_REACH = 64
"""Characters of a word that are looked at to each side of what is lost."""


def plain_text(text: str) -> str:
    """The text as a person would read it; keeps line ends and tabs."""
    if _PRINTABLE.fullmatch(text):
        return text
    text = _cleaned(text)
    if "\r" in text or "\b" in text:
        text = "\n".join([_overwritten(line) if "\r" in line or "\b" in line else line for line in text.split("\n")])
    return text.replace(ERASE, "")


def hidden_text(text: str) -> str:
    """What `plain_text` leaves out of the same text, each stretch on lines of its own; empty where it is nothing.

    A word of which a part was written over is given whole. At most a few times as long as the text.
    """
    found: list[str] = []
    if "\x1b" in text:
        payloads = [match[1] or match[2] or "" for match in _STRING.finditer(text)]
        found += [_CONTROL.sub("", payload.replace("\r\n", "\n").translate(_PAYLOAD)) for payload in payloads]
    if "\b" in text or ("\r" in text and text.count("\r") != text.count("\r\n")):
        for line in _cleaned(text).split("\n"):
            moved = line.strip("\r\b")  # at either end they move nothing that could be lost
            if "\r" in moved or "\b" in moved:
                found += _Line().lost(moved)
    return "\n".join(filter(None, map(str.strip, found)))


def _cleaned(text: str) -> str:
    """Without sequences and controls but tab, LF, bare carriage returns, backspaces and `ERASE`."""
    if "\x1b" in text or "\x9b" in text:
        text = text.replace(ERASE, "").replace("\x1b[K", ERASE).replace("\x1b[0K", ERASE)
        text = _SEQUENCE.sub("", text)
    else:
        text = text.replace(ERASE, "")
    if text.isascii():
        text = text.encode().translate(ASCII_LINES, ASCII_DROPPED).decode()
    else:
        text = _CONTROL.sub("", text.replace("\x0b", "\n").replace("\x0c", "\n"))
    return text.replace("\r\n", "\n") if "\r" in text else text


def _overwritten(line: str) -> str:
    """One line after its cursor movements: what is written later stands over what was there."""
    pieces = CURSOR.split(line)
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


class _Line:
    """One line, cell by cell, which notes what is lost of it; linear in the line's length."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._told = bytearray()
        """Which cells have been given as lost: backspacing over a word gives it once, not each of its beginnings."""
        self._lost: list[str] = []
        self._effort = 0

    def lost(self, line: str) -> list[str]:
        """The stretches that were written over by something else, or erased."""
        place = 0
        self._effort = 2 * len(line)
        for number, piece in enumerate(CURSOR.split(line)):
            if number % 2 == 0:
                self._write(place, piece)
                place += len(piece)
                continue
            for control in piece:
                if control == "\r":
                    place = 0
                elif control == "\b":
                    place = max(0, place - 1)
                else:
                    self._lose(place, len(self._cells))
                    del self._cells[place:], self._told[place:]
        return self._lost

    def _write(self, place: int, piece: str) -> None:
        cells, end = self._cells, place + len(piece)
        if place < len(cells) and (
            differing := [n for n, new in enumerate(piece[: len(cells) - place]) if cells[place + n] != new]
        ):
            self._lose(place + differing[0], place + differing[-1] + 1)
        cells[place:end] = piece
        self._told[place:end] = bytes(len(piece))
        if piece.strip() and self._effort > 0:  # the word around it is a new one
            first, last = self._reach(place, end, all_cells=True)
            self._effort -= last - first - len(piece)
            self._told[first:last] = bytes(last - first)

    def _lose(self, first: int, last: int) -> None:
        cells, told = self._cells, self._told
        if all(told[n] or cells[n].isspace() for n in range(first, last)):
            return
        first, last = self._reach(first, last, all_cells=False)
        self._lost.append("".join(cells[first:last]))
        told[first:last] = b"\1" * (last - first)

    def _reach(self, first: int, last: int, *, all_cells: bool) -> tuple[int, int]:
        """Widen to the word around, as far as it was not told."""
        cells, told = self._cells, self._told
        least, most = max(0, first - _REACH), min(len(cells), last + _REACH)
        while first > least and (all_cells or not told[first - 1]) and not cells[first - 1].isspace():
            first -= 1
        while last < most and (all_cells or not told[last]) and not cells[last].isspace():
            last += 1
        return first, last

# SPDX-License-Identifier: Apache-2.0
"""Tells characters that were typed from keys and from what a terminal says by itself (cursor keys, mouse, answers)."""

_ESCAPE, _BELL, _DELETE = 0x1B, 0x07, 0x7F
_CSI, _SS3 = ord("["), ord("O")
_STRINGS = b"]PX^_"
_GROUND, _BEGUN, _SEQUENCE, _ONE_MORE, _STRING = range(5)
_PASTE, _PASTE_END = b"200~", b"201~"


class Keys:
    """Follows control sequences in typed bytes."""

    __slots__ = ("_sequence", "_state", "pasting")

    def __init__(self) -> None:
        self._state = _GROUND
        self._sequence = bytearray()
        self.pasting = False
        """Inside a bracketed paste: the program knows that no key was pressed."""

    def reset(self) -> None:
        """Begin anew."""
        self._state = _GROUND

    def take(self, byte: int) -> bool:
        """Whether the byte is (part of) a character, and neither a control key nor part of a sequence."""
        if self._state == _GROUND:
            if byte == _ESCAPE:
                self._state = _BEGUN
            return byte >= 0x20 and byte != _DELETE
        if byte == _ESCAPE:
            self._state = _BEGUN
        elif self._state == _BEGUN:
            self._sequence.clear()
            strings = _STRING if byte in _STRINGS else _GROUND
            self._state = {_CSI: _SEQUENCE, _SS3: _ONE_MORE}.get(byte, strings)
        elif self._state == _STRING:
            self._state = _GROUND if byte == _BELL else _STRING
        elif self._state == _ONE_MORE or byte < 0x20:
            self._state = _GROUND
        else:
            self._in_sequence(byte)
        return False

    def _in_sequence(self, byte: int) -> None:
        self._sequence.append(byte)
        if 0x40 <= byte < 0x7F or len(self._sequence) > 64:
            self._state = _GROUND
            if self._sequence in (_PASTE, _PASTE_END):
                self.pasting = self._sequence == _PASTE

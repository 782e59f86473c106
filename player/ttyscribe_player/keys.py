# SPDX-License-Identifier: Apache-2.0
"""Keys out of what a terminal sends; pure: it is told the time.

Letters are themselves; the keys that move a cursor are the constants below. Recorded bytes may ask the terminal
questions (who are you, where is the cursor, what is your title), and its replies arrive where keys do. A reply must not
pass for keys: escape sequences are swallowed whole, but for those of these keys, which no reply looks like.
"""

_ESC = 0x1B
_BEL = 0x07
_CSI, _SS3, _ST = 0x9B, 0x8F, 0x9C
_STRINGS = frozenset((0x90, 0x98, 0x9D, 0x9E, 0x9F))  # DCS, SOS, OSC, PM, APC
_LATE_NS = {"escape": 100_000_000}
_LATE_OTHERS_NS = 2_000_000_000
_MOUSE_BYTES = 3
UP, DOWN, RIGHT, LEFT, END, HOME = "\u2191\u2193\u2192\u2190\u21f2\u21f1"
_MOVES = {ord("A"): UP, ord("B"): DOWN, ord("C"): RIGHT, ord("D"): LEFT, ord("F"): END, ord("H"): HOME}


class Keys:
    """Feed it what was read; it gives the keys, one character each."""

    def __init__(self) -> None:
        self._state = "ground"
        self._last_ns = 0
        self._skip = 0
        self._fresh = False
        self._letter = b""

    def feed(self, data: bytes, now_ns: int) -> str:
        """The keys in `data`, which was read at `now_ns`. A sequence may be split among calls."""
        if now_ns - self._last_ns > _LATE_NS.get(self._state, _LATE_OTHERS_NS):
            self._state, self._skip, self._letter = "ground", 0, b""  # a lone Escape key, or a reply cut off
        self._last_ns = now_ns
        return "".join(map(self._key, data))

    def _key(self, byte: int) -> str:
        if self._skip:
            self._skip -= 1
            return self._letter_of(byte) if self._letter else ""
        handler = getattr(self, f"_in_{self._state}")
        key: str = handler(byte)
        return key

    def _letter_of(self, byte: int) -> str:
        """One more byte of a letter that is no ASCII; the letter once it is whole."""
        self._letter += bytes([byte])
        if self._skip:
            return ""
        letter, self._letter = self._letter.decode("utf-8", "ignore"), b""
        return letter if letter.isprintable() and letter not in _MOVES.values() else ""

    def _in_ground(self, byte: int) -> str:
        if byte == _ESC:
            self._state = "escape"
        elif 0x80 <= byte <= 0x9F:
            self._introduce(byte)
        elif byte == 0xC2:
            self._state = "c1"  # in UTF-8 the 8-bit controls come behind this byte
        elif byte >= 0xC3:
            self._skip = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
            self._letter = bytes([byte])
        return chr(byte) if byte < 0x80 and byte != _ESC else ""

    def _in_c1(self, byte: int) -> str:
        self._state = "ground"
        self._introduce(byte)
        return ""

    def _introduce(self, byte: int) -> None:
        if byte == _CSI:
            self._state, self._fresh = "csi", True
        elif byte == _SS3:
            self._state = "ss3"
        elif byte in _STRINGS:
            self._state = "string"

    def _in_escape(self, byte: int) -> str:
        self._state = "ground"
        if byte == _ESC or 0x20 <= byte <= 0x2F:
            self._state = "escape"
        elif 0x40 <= byte <= 0x5F:
            self._introduce(byte + 0x40)
        return ""

    def _in_ss3(self, byte: int) -> str:
        self._state = "ground"
        return _MOVES.get(byte, "")

    def _in_csi(self, byte: int) -> str:
        fresh, self._fresh = self._fresh, False
        if byte == _ESC:
            self._state = "escape"
        elif 0x40 <= byte <= 0x7E:
            self._state = "ground"
            if byte == ord("M") and fresh:  # a mouse report of the old kind
                self._skip = _MOUSE_BYTES
            return _MOVES.get(byte, "") if fresh else ""
        return ""

    def _in_string(self, byte: int) -> str:
        if byte in (_BEL, _ST):
            self._state = "ground"
        elif byte == _ESC:
            self._state = "escape"  # its backslash ends the string and is swallowed there
        return ""

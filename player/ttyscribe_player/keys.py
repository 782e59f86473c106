# SPDX-License-Identifier: Apache-2.0
"""Keys out of what a terminal sends; pure: it is told the time.

Recorded bytes may ask the terminal questions (who are you, where is the cursor, what is your title), and its replies
arrive where keys do. A reply must not pass for keys: escape sequences are swallowed whole.
"""

_ESC = 0x1B
_BEL = 0x07
_CSI, _SS3, _ST = 0x9B, 0x8F, 0x9C
_STRINGS = frozenset((0x90, 0x98, 0x9D, 0x9E, 0x9F))  # DCS, SOS, OSC, PM, APC
_LATE_NS = {"escape": 100_000_000}
_LATE_OTHERS_NS = 2_000_000_000
_MOUSE_BYTES = 3


class Keys:
    """Feed it what was read; it gives the keys, one character each."""

    def __init__(self) -> None:
        self._state = "ground"
        self._last_ns = 0
        self._skip = 0
        self._fresh = False

    def feed(self, data: bytes, now_ns: int) -> str:
        """The keys in `data`, which was read at `now_ns`. A sequence may be split among calls."""
        if now_ns - self._last_ns > _LATE_NS.get(self._state, _LATE_OTHERS_NS):
            self._state, self._skip = "ground", 0  # the rest never came: a lone Escape key, or a cut reply
        self._last_ns = now_ns
        return "".join(chr(byte) for byte in data if self._is_key(byte))

    def _is_key(self, byte: int) -> bool:
        if self._skip:
            self._skip -= 1
            return False
        handler = getattr(self, f"_in_{self._state}")
        is_key: bool = handler(byte)
        return is_key

    def _in_ground(self, byte: int) -> bool:
        if byte == _ESC:
            self._state = "escape"
        elif 0x80 <= byte <= 0x9F:
            self._introduce(byte)
        elif byte == 0xC2:
            self._state = "c1"  # in UTF-8 the 8-bit controls come behind this byte
        elif byte >= 0xC3:
            self._skip = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        return byte < 0x80 and byte != _ESC

    def _in_c1(self, byte: int) -> bool:
        self._state = "ground"
        self._introduce(byte)
        return False

    def _introduce(self, byte: int) -> None:
        if byte == _CSI:
            self._state, self._fresh = "csi", True
        elif byte == _SS3:
            self._skip = 1
        elif byte in _STRINGS:
            self._state = "string"

    def _in_escape(self, byte: int) -> bool:
        self._state = "ground"
        if byte == _ESC or 0x20 <= byte <= 0x2F:
            self._state = "escape"
        elif 0x40 <= byte <= 0x5F:
            self._introduce(byte + 0x40)
        return False

    def _in_csi(self, byte: int) -> bool:
        if byte == _ESC:
            self._state = "escape"
        elif 0x40 <= byte <= 0x7E:
            self._state = "ground"
            if byte == ord("M") and self._fresh:  # a mouse report of the old kind
                self._skip = _MOUSE_BYTES
        self._fresh = False
        return False

    def _in_string(self, byte: int) -> bool:
        if byte in (_BEL, _ST):
            self._state = "ground"
        elif byte == _ESC:
            self._state = "escape"  # its backslash ends the string and is swallowed there
        return False

# SPDX-License-Identifier: Apache-2.0
"""Which bytes of a stream are text: valid UTF-8 without control characters, and tab, CR, LF, ESC."""

from ttyscribe_formats.dense import WHOLE, lanes_of, marked

TEXT = bytes([WHOLE])
"""What stands in a mask for a byte of text; zero for any other."""

_PLAIN = b"\t\n\r\x1b" + bytes(range(0x20, 0x7F))
_TABLE = lanes_of(_PLAIN, 0x80)  # c2 80-9f are control characters
_IS_PLAIN = bytes(1 if byte in _PLAIN else 0 for byte in range(256))


def text_mask(data: bytes) -> bytes:
    """As many bytes as `data` has: TEXT where it is text, else zero."""
    return marked(data, _TABLE)


def count_text(mask: bytes) -> int:
    """How many bytes a mask says are text."""
    return int.from_bytes(mask, "little").bit_count()


def count_plain(data: bytes) -> int:
    """How many bytes are text in ASCII."""
    return int.from_bytes(data.translate(_IS_PLAIN), "little").bit_count()

# SPDX-License-Identifier: Apache-2.0
"""Which bytes of a stream are text: valid UTF-8 without control characters, and tab, CR, LF, ESC.

Many bytes at once: each byte becomes a lane of eight bits of one large number, and shifts, sums, ands and ors of such
numbers look at all lanes together. A byte depends on at most three neighbours on each side.
"""

BORDER = 3
"""Bytes at either end of a piece whose character may be cut off there."""
TEXT = b"\x10"
"""What stands in a mask for a byte of text; zero for any other."""

_STEP = 8000
"""Bytes at a time: what comes of them stays in the processor's first cache."""
_LARGEST = _STEP + 2 * BORDER


def _lane(byte: int) -> int:
    """What one byte may be in a character.

    Bit 0: text by itself. Bits 1 to 3: goes on as 80-8f, 90-9f, a0-bf. A first byte has the second bytes that it
    allows in bits 5 to 7, bit 4 where a third must follow, and bit 0 beside bit 4 where a fourth must.
    """
    if byte < 0x80:
        return 1 if 0x20 <= byte < 0x7F or byte in b"\t\n\r\x1b" else 0
    if byte < 0xC0:
        return 2 if byte < 0x90 else 4 if byte < 0xA0 else 8
    if byte < 0xC2 or byte > 0xF4:
        return 0
    # c2 80-9f are control characters; e0 and f0 would be overlong, ed a surrogate, f4 beyond Unicode's end.
    second = {0xC2: 0x80, 0xE0: 0x80, 0xED: 0x60, 0xF0: 0xC0, 0xF4: 0x20}.get(byte, 0xE0)
    return second | (0 if byte < 0xE0 else 0x10 if byte < 0xF0 else 0x11)


_LANES = bytes(map(_lane, range(256)))
_MARK = int.from_bytes(TEXT * _LARGEST, "little")
_FURTHER = int.from_bytes(b"\x0e" * _LARGEST, "little")


def text_mask(data: bytes) -> bytes:
    """As many bytes as `data` has: TEXT where it is text, else zero."""
    if len(data) <= _LARGEST:
        return _mask(data)
    parts = []
    for at in range(0, len(data), _STEP):
        begin = max(0, at - BORDER)
        parts.append(_mask(data[begin : at + _STEP + BORDER])[at - begin : at - begin + _STEP])
    return b"".join(parts)


def _mask(data: bytes) -> bytes:
    lanes = int.from_bytes(data.translate(_LANES), "little")
    shifted = lanes << 4  # in bit 4 what was in bit 0; in bits 1 to 3 the second bytes that the byte before allows
    single = shifted & _MARK
    text = single ^ (single & lanes)
    # Adding 14 to bits 1 to 3 carries into bit 4 where any of them is set.
    if second := ((shifted & lanes & _FURTHER) + _FURTHER) & _MARK:
        before = lanes << 8
        last = two = second
        if more := second & before:
            follows = ((lanes & _FURTHER) + _FURTHER) & _MARK
            third = more << 8 & follows
            longer = more & before << 4
            fourth = third & longer << 8
            four = fourth << 8 & follows
            beyond = third ^ fourth | four
            last = second ^ more | beyond
            two = last | beyond >> 8 | four >> 16
        text |= last | two >> 8
    return text.to_bytes(len(data), "little")


def count_text(mask: bytes) -> int:
    """How many bytes a mask says are text."""
    return int.from_bytes(mask, "little").bit_count()

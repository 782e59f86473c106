# SPDX-License-Identifier: Apache-2.0
"""Which bytes are text: the fast look at many bytes at once against one character at a time."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ttyscribe_recorder.printable import TEXT, count_text, text_mask

SCRIPTS = ("grüße", "Ελλάδα", "日本語テキスト", "한국어", "עברית", "हिन्दी", "ไทย", "😀🇪🇺", "\ue0b0\U000f0001")


def slow_mask(data: bytes) -> bytes:
    """The rule as it is written: valid UTF-8 without control characters, and tab, CR, LF, ESC."""
    mask, at = bytearray(len(data)), 0
    while at < len(data):
        size = next((size for size in (1, 2, 3, 4) if is_character(data[at : at + size], size)), 0)
        if size:
            character = data[at : at + size].decode()
            if character in "\t\r\n\x1b" or not (character < " " or "\x7f" <= character <= "\x9f"):
                mask[at : at + size] = TEXT * size
        at += size or 1
    return bytes(mask)


def is_character(data: bytes, size: int) -> bool:
    """Whether these bytes are one character."""
    try:
        return len(data) == size and len(data.decode()) == 1
    except UnicodeDecodeError:
        return False


hostile = st.lists(st.sampled_from(b"\xe2\x82\xac\xed\xa0\x9f\x80\x8f\x90\xbf\xf0\xf4\xf1\xc2\xc1\xe0\xffA\x00\x1b"))


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60), hostile.map(bytes), st.text(max_size=30).map(lambda t: t.encode("utf-8", "replace"))
    )
)
@example(b"\xc2\x80\xc2\x9f\xc2\xa0")
@example(b"\xed\x9f\xbf\xed\xa0\x80\xee\x80\x80")
@example(b"\xf0\x8f\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xf4\x90\x80\x80")
@example(b"\xe0\x9f\xbf\xe0\xa0\x80\xef\xbf\xbf")
@example(b"")
def test_the_mask_follows_the_rule(data: bytes) -> None:
    """Any bytes, broken and borderline characters among them."""
    assert text_mask(data) == slow_mask(data)
    assert count_text(text_mask(data)) == slow_mask(data).count(TEXT)


def test_every_pair_of_bytes() -> None:
    """All 65,536, between letters."""
    data = b"".join(b"a%c%cz" % (first, second) for first in range(256) for second in range(256))
    assert text_mask(data) == slow_mask(data)


@pytest.mark.parametrize("size", [7999, 8000, 8001, 8006, 8007, 16_000, 50_001])
def test_long_data_is_the_same_as_short(size: int) -> None:
    """The work is cut into steps; no character is cut with them."""
    dice = random.Random(size)
    data = b"".join(
        dice.choice([dice.randbytes(dice.randrange(9)), dice.choice(SCRIPTS).encode()]) for _ in range(size)
    )[:size]
    assert text_mask(data) == slow_mask(data)


@pytest.mark.parametrize("text", SCRIPTS)
def test_text_of_any_script_is_text(text: str) -> None:
    """Letters, marks, emoji, what fonts of prompts use."""
    data = text.encode()
    assert text_mask(data) == TEXT * len(data)

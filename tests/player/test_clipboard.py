# SPDX-License-Identifier: Apache-2.0
"""OSC 52 never passes, in whatever pieces it comes; everything else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_player.clipboard import ClipboardFilter


def passed(*pieces: bytes) -> bytes:
    """What comes out."""
    subject = ClipboardFilter()
    return b"".join(subject.feed(piece) for piece in pieces)


CLIPBOARD = {
    "BEL": (b"a\x1b]52;c;cm0gLXJm\x07b", b"ab"),
    "ST": (b"a\x1b]52;c;cm0gLXJm\x1b\\b", b"a\x1b\\b"),
    "a question": (b"\x1b]52;c;?\x07b", b"b"),
    "zeros": (b"\x1b]052;c;YQ==\x07b", b"b"),
    "C1": (b"a\xc2\x9d52;c;YQ==\xc2\x9cb", b"ab"),
    "C1 as one byte": (b"a\x9d52;c;YQ==\x9cb", b"ab"),
    "controls within": (b"a\x1b\x01]\x025\x00\n2\r;c;YQ==\x07b", b"ab"),
    "tmux passes it on": (b"\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\", b"\x1bPtmux;\x1b\x1b\\"),
    "never ended": (b"a\x1b]52;c;YQ==", b"a"),
    "cancelled": (b"a\x1b]52;c;YQ==\x18b", b"ab"),
    "two": (b"\x1b]52;c;YQ==\x07\x1b]52;p;YQ==\x07z", b"z"),
}


@pytest.mark.parametrize(("data", "left"), CLIPBOARD.values(), ids=CLIPBOARD)
def test_the_clipboard_is_out_of_reach(data: bytes, left: bytes) -> None:
    assert passed(data) == left
    assert passed(*(data[n : n + 1] for n in range(len(data)))) == left
    for cut in range(len(data)):
        assert passed(data[:cut], data[cut:]) == left


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b]0;title\x07$ \x1b[31mred\x1b[0m\r\n",
        b"\x1b]520;x\x07\x1b]5;52;x\x07\x1b]152;x\x07",
        b"]52;c;x",
        "\u201d52;c; \u0e1d52; caf\u00e9".encode(),
        bytes(range(0x20, 0x100)),
    ],
)
def test_all_else_passes_in_any_pieces(data: bytes) -> None:
    assert passed(data) == data
    assert passed(*(data[n : n + 1] for n in range(len(data)))) == data


@pytest.mark.parametrize("head", [b"\x1b", b"\x1b]", b"\x1b]5", b"\x1b]000"])
def test_what_is_too_long_to_be_honest_does_not_get_through(head: bytes) -> None:
    """Nor is more of it kept than a few thousand bytes."""
    rest = (b"" if b"]" in head else b"]") + (b"2;c;" if b"5" in head else b"52;c;") + b"YQ==\x07after"
    subject = ClipboardFilter()
    out = subject.feed(head) + b"".join(subject.feed(b"\x00" * 1000) for _ in range(10))
    assert len(subject._held) <= 5096
    out += subject.feed(rest)
    assert b"\x1b" not in out
    assert out.endswith(b"after")


PIECES = [b"\x1b", b"]", b"5", b"2", b";", b"0", b"\x07", b"\x9d", b"\xc2", b"\x00", b"a", b"\\", b"\x18", b"\x1b]52;"]


@given(st.lists(st.sampled_from(PIECES)))
def test_cuts_change_nothing_and_nothing_is_left(pieces: list[bytes]) -> None:
    whole = passed(b"".join(pieces))
    assert passed(*pieces) == whole
    assert b"\x1b]52;" not in whole
    assert b"\xc2\x9d52;" not in whole

# SPDX-License-Identifier: Apache-2.0
"""Streams as programs and attackers write them, for hypothesis."""

from hypothesis import strategies as st

_ATOMS = (
    "a é 日 👩 q m H 31 ; 1 7 65535 \x1b \x1b[ \x1b] \x9b \x90 \x07 \x05 \r\n \n \t \x08 \x0e \x0f \x18 "
    "\x1b[?1049h \x1b[?1049l \x1b[?47h \x1b[2J \x1b[3;10r \x1b[2;3r \x1b(0 \x1b(B \x1bH \x1b[?6h \x1b[?7l \x1b[?7h "
    "\x1b[4h \x1b7 \x1b8 \x1bc \x1b[L \x1b[3M \x1b[5P \x1b[@ \x1b[S \x1bM \x1b[38;2;1;2;3m \x1b[48;5;200m "
    "\x1b[1;7;4m \x1b[?25l \x1b[!p \x1b[3g \x1b[20h \x1b[X \x1b[99999999b \x1b[1K \x1b[9d \x1b#8 \x1b[T "
    "\x1b[8;5;200t \x1b[c \x1b[6n \x1b]52;c;cm0gLXJm\x07 \x1b]0;title\x1b\\ \x1bP+q544e\x1b\\ \x1b[21t \u202e \u200d "
)
WORDS = (*_ATOMS.encode().split(b" "), b" ", b"x" * 90, "日".encode() * 50, b"\xff", b"\xe6\x97", b"\xa5")

stream = st.lists(st.sampled_from(WORDS) | st.binary(max_size=6), max_size=60)
"""Pieces that are fed one after the other."""
size = st.tuples(st.integers(2, 20), st.integers(1, 8))

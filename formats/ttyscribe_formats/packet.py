# SPDX-License-Identifier: Apache-2.0
"""Packets: what happened at a terminal, the one currency between recorder and player.

Times are integer nanoseconds; the recorder counts them on a monotonic clock, readers from the
recording's start. Data is bytes, never text: a recording plays back byte for byte.

Plain slotted tuples (`collections.namedtuple`) and not dataclasses: this module is loaded in the login path.
"""

from collections import namedtuple

# Importing `typing` alone costs a third of the recorder's start-up; type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    Stream = Literal["terminal", "stdout", "stderr"]

    class Window(NamedTuple):
        """The terminal has this size from now on (0..65535 each)."""

        time_ns: int
        columns: int
        rows: int

    class Input(NamedTuple):
        """Bytes that went to the program."""

        time_ns: int
        data: bytes

    class Output(NamedTuple):
        """Bytes that the program wrote, and where: the terminal, or one of two pipes."""

        time_ns: int
        data: bytes
        stream: Stream = "terminal"

else:
    Window = namedtuple("Window", "time_ns columns rows")
    Input = namedtuple("Input", "time_ns data")
    Output = namedtuple("Output", "time_ns data stream", defaults=("terminal",))

Packet = Window | Input | Output

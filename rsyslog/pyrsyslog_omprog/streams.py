# SPDX-License-Identifier: Apache-2.0
"""Takes the protocol's two streams away from everybody else in the process.

A stray line on standard output would confirm a message that nobody has read, for ever one line off. So the real
descriptors move to private numbers, and what prints goes to standard error (OMP-4).
"""

import os
import sys
from typing import NamedTuple


class Streams(NamedTuple):
    """Private descriptors of the pipe from rsyslog and the pipe back; not inherited by child processes."""

    lines: int
    answers: int


def claim() -> Streams:
    """Move standard input and output to private descriptors.

    From here on descriptor 0 reads as empty, and descriptor 1 and sys.stdout are standard error. OSError if one of the
    descriptors is closed.
    """
    sys.stdout.flush()
    streams = Streams(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return streams

# SPDX-License-Identifier: Apache-2.0
"""Takes the protocol's two streams away from everybody else in the process.

A stray line on standard output would confirm a message that nobody has read, for ever one line off. So the real
descriptors move to private numbers, and what prints goes to standard error (OMP-4).
"""

import fcntl
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


def claim_all(log_file: str = "") -> Streams:
    """The same where standard error leads into the pipe back too, as under mmexternal (MME-3).

    Descriptors 1 and 2 become `log_file`, or nothing, and so does what was printed and not written out yet. OSError
    where that can't be opened.
    """
    log = os.open(log_file or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    nothing = os.open(os.devnull, os.O_RDONLY)
    replies = os.dup(1)
    # Of a process that dies Linux releases the highest descriptors first: rsyslog, which learns of the death by the end
    # of the replies, can't send one more line by then that nobody would read (it would go on unfiltered).
    streams = Streams(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, replies + 1), replies)
    for there, here in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(there, here)
    os.close(nothing)
    os.close(log)
    sys.stdout.flush()
    sys.stdout = sys.stderr
    return streams

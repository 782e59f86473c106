# SPDX-License-Identifier: Apache-2.0
"""Bytes to a file descriptor, all of them, whatever it takes."""

import errno
import os
import select


def write_all(fd: int, data: bytes) -> None:
    """Write everything, also where the descriptor was left non-blocking by somebody else. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
            select.select([], [fd], [])

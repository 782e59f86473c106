# SPDX-License-Identifier: Apache-2.0
"""One process at a time changes or takes away what is stored in a folder; those that only add are not concerned.

The lock is the kernel's, on the folder: it goes with its process. The indexer takes the same.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ttyscribe_formats.errors import ConfigError, Unavailable

PATIENCE = 10.0
_PAUSE = 0.05


@contextmanager
def alone(folder: str, seconds: float = PATIENCE) -> Iterator[None]:
    """Hold the folder's lock. Raises Unavailable where another process keeps it, ConfigError where there is none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"there is no store here: {error.strerror}", folder) from None
    try:
        until = time.monotonic() + seconds
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise Unavailable(f"{folder}: another process indexes it or looks after it; try again later")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

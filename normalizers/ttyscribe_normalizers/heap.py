# SPDX-License-Identifier: Apache-2.0
"""Keeps the process small between large messages."""

import ctypes

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of mallopt(3)."""
LARGE = 256 << 10
"""Bytes of a block that goes back to the system as soon as it is free."""


def keep_small() -> None:
    """Have large blocks mapped one by one, whatever was freed before.

    glibc raises the size from which it does so with each large block that is freed, up to 32 MiB; from then on large
    messages lie in the heap, and what stays between them holds it open. Another C library may not know the setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)

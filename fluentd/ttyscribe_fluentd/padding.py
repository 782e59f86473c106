# SPDX-License-Identifier: Apache-2.0
"""Blanks that carry the last records to Fluentd; pure.

Up to 1.19.3 Fluentd's JSON reader takes blocks of exactly `stream_buffer_size` bytes: what does not fill one is not
seen before the next record, and lost at an orderly end. Blanks between records mean nothing to it (FLU-3).
"""

BLOCK = 8192
"""Fluentd's default stream_buffer_size."""


class Padding:
    """Counts what was written."""

    def __init__(self, block: int = BLOCK) -> None:
        self._block = block
        self._written = 0

    def wrote(self, size: int) -> None:
        """So many bytes of records were written."""
        self._written = (self._written + size) % self._block

    def pad(self) -> bytes:
        """What fills the block; nothing where it is full."""
        if not self._written:
            return b""
        blanks = b" " * (self._block - self._written)
        self._written = 0
        return blanks

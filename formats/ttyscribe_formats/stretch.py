# SPDX-License-Identifier: Apache-2.0
"""Our own last key of a message: the end of the recording, and which bytes were standard error.

Part of the writing half (`chunk.py`), in the login path.
"""

_MOST = 60
"""Stretches in one message: 60 of at most 16 characters stay under the 1 KiB that the key may take."""


class Stretches:
    """Counts output bytes and remembers where standard error was among them."""

    __slots__ = ("_fed", "_given", "_spans", "status")

    def __init__(self) -> None:
        self._fed = self._given = 0
        self._spans: list[tuple[int, int]] = []
        self.status: int | None = None
        """The shell's exit status once the recording ends (128 + signal)."""

    @property
    def full(self) -> bool:
        """Whether the message under way should end before another stretch begins."""
        return len(self._spans) >= _MOST

    def feed(self, size: int, *, err: bool) -> None:
        """Count `size` bytes of output; `err` where they were written to standard error."""
        start, self._fed = self._fed, self._fed + size
        if not err or not size:
            return
        if self._spans and self._spans[-1][1] == start:
            start = self._spans.pop()[0]
        self._spans.append((start, self._fed))

    def take(self, size: int) -> bytes:
        """The key for the next message, which holds `size` bytes of output; nothing where there is nothing to say."""
        begin, self._given = self._given, self._given + size
        parts = ""
        if self.status is not None:
            parts += f',"end":{{"status":{self.status}}}'
            self.status = None
        if self._spans:
            here = [(max(a, begin), min(b, self._given)) for a, b in self._spans if a < self._given]
            self._spans = [span for span in self._spans if span[1] > self._given]
            pairs = ",".join(f"[{a - begin},{b - a}]" for a, b in here if b > a)
            parts += f',"err":[{pairs}]' if pairs else ""
        return f',"ttyscribe":{{"v":1{parts}}}'.encode() if parts else b""

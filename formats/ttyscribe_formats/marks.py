# SPDX-License-Identifier: Apache-2.0
"""Our own last key of a message, the writing half: end, masked input, elided data, losses, standard error.

A key takes at most 1 KiB; what does not fit waits for the next message. Part of `chunk.py`, in the login path.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_formats.packet import Stream

MAX_OWN = 1024
"""Bytes of the key, its name included."""
MAX_WHY = 96
"""Characters of a reason."""
_MS = 1_000_000
_NAMES = ("mask", "skip", "lost")
_FRAME = len(',"ttyscribe":{"v":1,"end":{"status":-2147483648},"mask":[],"skip":[],"lost":[],"err":[]}')
_ROOM = MAX_OWN - _FRAME


def plain(text: str, most: int = MAX_WHY) -> str:
    """The text as the inside of a JSON string: printable ASCII without quotes and backslashes, at most `most` long."""
    kept = "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[: most + 1])
    return kept if len(kept) <= most else kept[: most - 3] + "..."


class Marks:
    """What the messages to come say in our own key. Times are milliseconds from the recording's start.

    `payload` bounds the bytes of output in one message, and so the size of the numbers of a stretch.
    """

    __slots__ = ("_fed", "_given", "_span", "_spans", "_used", "_waiting", "status")

    def __init__(self, payload: int) -> None:
        self._fed = self._given = 0
        self._spans: list[tuple[int, int]] = []
        self._span = 2 * len(str(payload)) + len("[,],")
        self._waiting: list[tuple[str, str]] = []  # name of the part, and one item of it
        self._used = 0
        self.status: int | None = None
        """The shell's exit status once the recording ends (128 + signal)."""

    @property
    def pending(self) -> bool:
        """Whether something waits that wants a message of its own if need be."""
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether the message under way should end before another stretch begins."""
        return self._used + (len(self._spans) + 1) * self._span > _ROOM

    @property
    def overfull(self) -> bool:
        """Whether what waits is more than the message under way can take."""
        return self._used + len(self._spans) * self._span > _ROOM

    def mask(self, start_ms: int, end_ms: int) -> None:
        """What was typed between these times is left out."""
        self._add("mask", f"[{start_ms},{end_ms}]")

    def skip(self, ms: int, stream: "Stream | str", size: int, digest: str) -> None:
        """That many bytes of a stream are left out."""
        self._add("skip", f'{{"ms":{ms},"stream":"{plain(stream, 8)}","bytes":{size},"digest":"{plain(digest, 32)}"}}')

    def lost(self, first_id: int, last_id: int, why: str) -> None:
        """The log could not take these messages."""
        self._add("lost", f'{{"from":{first_id},"to":{last_id},"why":"{plain(why)}"}}')

    def _add(self, name: str, item: str) -> None:
        self._waiting.append((name, item))
        self._used += len(item) + 1

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
        if self.status is None and not self._waiting and not self._spans:
            return b""
        pairs = self._take_spans(begin)
        parts = ""
        if self.status is not None:
            parts += f',"end":{{"status":{self.status}}}'
            self.status = None
        if self._waiting:
            parts += self._take_waiting(_ROOM - len(pairs))
        if pairs:
            parts += f',"err":[{pairs}]'
        return f',"ttyscribe":{{"v":1{parts}}}'.encode() if parts else b""

    def _take_spans(self, begin: int) -> str:
        here = [(max(a, begin), min(b, self._given)) for a, b in self._spans if a < self._given]
        self._spans = [span for span in self._spans if span[1] > self._given]
        return ",".join(f"[{a - begin},{b - a}]" for a, b in here if b > a)

    def _take_waiting(self, room: int) -> str:
        count = 0
        for _, item in self._waiting:
            room -= len(item) + 1
            if room < 0:
                break
            count += 1
        taken = self._waiting[:count]
        del self._waiting[:count]
        self._used -= sum(len(item) + 1 for _, item in taken)
        parts = ((name, ",".join(item for sort, item in taken if sort == name)) for name in _NAMES)
        return "".join(f',"{name}":[{items}]' for name, items in parts if items)

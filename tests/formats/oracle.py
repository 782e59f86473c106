# SPDX-License-Identifier: Apache-2.0
"""tlog's message splitting once more, character by character: slow, plain, and written from the rules alone.

The fast chunker has to give the same messages.
"""

import json
from dataclasses import dataclass, field

from ttyscribe_formats.packet import Input, Packet, Window


def escaped_size(character: str) -> int:
    """Bytes of one character inside a JSON string."""
    if character in '"\\\b\f\n\r\t':
        return 2
    if ord(character) < 0x20 or character == "\x7f":
        return 6
    return len(character.encode())


def split(data: bytes) -> tuple[list[str | bytes], bytes]:
    """Characters and invalid sequences, and what may still become a character."""
    items: list[str | bytes] = []
    place = 0
    while place < len(data):
        for size in (1, 2, 3, 4):
            piece = data[place : place + size]
            try:
                items.append(piece.decode())
                break
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and len(piece) == size:
                    continue
                if error.reason == "unexpected end of data":
                    return items, data[place:]
                items.append(piece[: max(1, error.end)])
                break
        last = items[-1]
        place += len(last) if isinstance(last, bytes) else len(last.encode())
    return items, b""


@dataclass
class Slow:
    """One message under way, and the finished ones as (pos, timing, in_txt, in_bin, out_txt, out_bin)."""

    payload: int
    done: list[tuple[int, str, str, list[int], str, list[int]]] = field(default_factory=list)
    window: str = ""
    first: int = -1
    prev: int = 0

    def __post_init__(self) -> None:
        self.pending = {"i": b"", "o": b""}
        self.pending_time = {"i": 0, "o": 0}
        self.fresh()

    def fresh(self) -> None:
        self.room, self.used, self.timing, self.pos = self.payload, False, "", 0
        self.txt: dict[str, str] = {"i": "", "o": ""}
        self.bin: dict[str, list[int]] = {"i": [], "o": []}
        self.run: dict[str, list[int] | None] = {"i": None, "o": None}

    def feed(self, packet: Packet) -> None:
        if self.first < 0:
            self.first = self.prev = packet.time_ns
        if isinstance(packet, Window):
            text = f"={packet.columns}x{packet.rows}"
            if text == self.window:
                return
            self.window = text
            self.item(packet.time_ns, None, text)
            return
        side = "i" if isinstance(packet, Input) else "o"
        before = self.pending[side]
        items, self.pending[side] = split(before + packet.data)
        for number, item in enumerate(items):
            early = not number and isinstance(item, bytes) and 0 < len(before) >= len(item)
            self.item(self.pending_time[side] if early else packet.time_ns, side, item)
        if packet.data:
            self.pending_time[side] = packet.time_ns

    def cut(self) -> None:
        for side in "io":
            if self.pending[side]:
                self.item(self.pending_time[side], side, self.pending[side])
        if self.used:
            self.emit()

    def item(self, time: int, side: str | None, item: str | bytes) -> None:
        """One atomic item: a window, a character or an invalid sequence."""
        now = max(time, self.prev)
        head = repeat = ""
        cost = 0
        for _ in range(2):
            delay = (now - self.prev) // 1_000_000 if self.used else 0
            head = f"+{delay}" if delay else ""
            repeat = self.window if not self.used and side is not None else ""
            cost = len(head) + len(repeat) + self.cost(side, item, bool(head))
            if cost <= self.room or not self.used:
                break
            self.emit()
        if not self.used:
            self.used, self.pos = True, (now - self.first) // 1_000_000
            self.timing = repeat
        if head or side is None:
            self.close("i")
            self.close("o")
            self.timing += head
        self.prev = now
        self.room -= cost
        self.take(side, item)

    def cost(self, side: str | None, item: str | bytes, fresh: bool) -> int:
        if side is None:
            return len(item)
        run = None if fresh else self.run[side]
        if isinstance(item, str):
            here = run if run is not None and run[1] < 0 else None
            count = here[0] if here else 0
            return escaped_size(item) + (len(str(count + 1)) - len(str(count)) if here else 2)
        here = run if run is not None and run[1] >= 0 else None
        cost = 3 + sum(len(str(b)) for b in item) + len(item) - (0 if self.bin[side] else 1)
        if not here:
            return cost + 4
        return cost + len(str(here[0] + 1)) - len(str(here[0])) + len(str(here[1] + len(item))) - len(str(here[1]))

    def take(self, side: str | None, item: str | bytes) -> None:
        if side is None:
            self.timing += str(item)
            return
        is_text = isinstance(item, str)
        run = self.run[side]
        if run is None or (run[1] < 0) != is_text:
            self.close(side)
            run = self.run[side] = [0, -1 if is_text else 0]
        run[0] += 1
        if isinstance(item, str):
            self.txt[side] += item
        else:
            run[1] += len(item)
            self.txt[side] += "\ufffd"
            self.bin[side] += list(item)

    def close(self, side: str) -> None:
        run, self.run[side] = self.run[side], None
        if run is not None:
            text, cut = ("<", "[") if side == "i" else (">", "]")
            self.timing += f"{text}{run[0]}" if run[1] < 0 else f"{cut}{run[0]}/{run[1]}"

    def emit(self) -> None:
        self.close("i")
        self.close("o")
        self.done.append((self.pos, self.timing, self.txt["i"], self.bin["i"], self.txt["o"], self.bin["o"]))
        self.fresh()


def seen(message: bytes) -> tuple[int, str, str, list[int], str, list[int]]:
    """A real message in the oracle's shape."""
    fields = json.loads(message)
    names = ("pos", "timing", "in_txt", "in_bin", "out_txt", "out_bin")
    pos, timing, in_txt, in_bin, out_txt, out_bin = (fields[name] for name in names)
    return pos, timing, in_txt, in_bin, out_txt, out_bin

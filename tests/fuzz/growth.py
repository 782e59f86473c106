# SPDX-License-Identifier: Apache-2.0
"""Looks for inputs whose cost grows faster than their size: what takes quadratic time is a hang to come.

An input is a seed in which one piece is repeated; it is made four times as long until it costs a measurable time. CPU
time is compared, so that a busy machine changes little; what looks steep is measured again before it counts.
"""

import time
from random import Random
from typing import NamedTuple

from tests.fuzz.mutate import mutate
from tests.fuzz.targets import Target, seeds

_FIRST, _LAST = 4 << 10, 1 << 20
_MEASURABLE = 0.3
"""Seconds of CPU."""
_STEEP = 9.0
"""Times the cost for four times the size: 4 is linear, 16 quadratic."""
_AGAIN = 2
_PIECES = (1, 2, 3, 5, 8, 20, 60)


class Steep(NamedTuple):
    """An input that costs more than it should: `head`, then `piece` again and again, then `tail`."""

    head: bytes
    piece: bytes
    tail: bytes
    size: int
    seconds: float
    ratio: float

    def text(self) -> str:
        """In one line."""
        return (
            f"{self.size >> 10} KiB take {self.seconds:.1f} s, {self.ratio:.0f} times as long as a quarter of it: "
            f"{self.head!r} + {self.piece!r} * n + {self.tail!r}"
        )


def search(target: Target, seconds: float, random: Random) -> tuple[int, Steep | None]:
    """Try inputs for so long; how many were tried, and the first that is steep."""
    known = seeds(target)
    end = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < end:
        data = random.choice(known)
        if random.random() < 0.5:
            data = mutate(data, random)
        first = random.randrange(len(data) + 1)
        last = first + random.choice(_PIECES)
        tried += 1
        found = measure(target, data[:first], data[first:last], data[last:], end)
        if found is not None:
            return tried, found
    return tried, None


def measure(target: Target, head: bytes, piece: bytes, tail: bytes, end: float = float("inf")) -> Steep | None:
    """Make it longer until its cost can be compared; None where it grows as it should."""
    if not piece:
        return None
    size, before = _FIRST, 0.0
    while size <= _LAST and time.monotonic() < end:
        now = cost(target, head + piece * (size // len(piece)) + tail)
        if now > _MEASURABLE:
            if not before or now / before < _STEEP:
                return None
            for _ in range(_AGAIN):
                now = min(now, cost(target, head + piece * (size // len(piece)) + tail))
                before = max(before, cost(target, head + piece * (size // 4 // len(piece)) + tail))
            ratio = now / before
            return Steep(head, piece, tail, size, now, ratio) if ratio >= _STEEP else None
        size, before = size * 4, now
    return None


def cost(target: Target, data: bytes) -> float:
    """Seconds of CPU that one input takes."""
    start = time.process_time()
    target.check(data)
    return time.process_time() - start

# SPDX-License-Identifier: Apache-2.0
"""What was done, in one line; pure."""

from collections import Counter

_WORDS = {
    "stored": "stored",
    "duplicate": "already there",
    "broken": "broken recordings' messages among them",
    "invalid": "not as their schema says, but stored",
    "empty": "empty",
}
DEAD = ("unparsable", "too-long", "rejected", "failed", "damaged")
"""What the dead letter holds."""


def dead(*counters: Counter[str]) -> int:
    """How many entries went to the dead letter."""
    return sum(counter[name] for counter in counters for name in DEAD)


def text(*counters: Counter[str]) -> str:
    """Such as `20 lines: 15 stored, 4 empty, 1 unparsable`."""
    joined: Counter[str] = sum(counters, Counter())
    parts = [f"{joined[name]} {words}" for name, words in _WORDS.items() if joined[name]]
    parts += [f"{joined[name]} {name}" for name in DEAD if joined[name]]
    lines = "1 line" if joined["lines"] == 1 else f"{joined['lines']} lines"
    return f"{lines}: {', '.join(parts) or 'nothing to store'}"

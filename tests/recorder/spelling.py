# SPDX-License-Identifier: Apache-2.0
"""A message's line checked by the rules alone (docs/formats/tlog.md): order and spelling of its fields, its payload.

Shares no code with the product: the line is taken apart by a regular expression and the standard library.
"""

import json
import re
from itertools import pairwise

LINE = re.compile(
    rb'\{"ver":"2\.3","host":"(?P<host>[^"]*)","rec":"(?P<rec>[0-9a-f-]+)","user":"(?P<user>[^"]*)","term":"(?P<term>[^"]*)"'
    rb',"session":(?P<session>\d+),"id":(?P<id>[1-9]\d*),"pos":(?P<pos>0|[1-9]\d*),"time":(?P<time>\d+\.\d{3})'
    rb',"timing":"(?P<timing>[^"]*)","in_txt":"(?P<in_txt>(?:[^"\\]|\\.)*)","in_bin":\[(?P<in_bin>[0-9,]*)\]'
    rb',"out_txt":"(?P<out_txt>(?:[^"\\]|\\.)*)","out_bin":\[(?P<out_bin>[0-9,]*)\]'
    rb'(?:,"ttyscribe":(?P<own>\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}))?\}',
    re.DOTALL,
)
TIMING = re.compile(r"(?:\+[1-9]\d*|[<>][1-9]\d*|[\[\]][1-9]\d*/[1-9]\d*|=\d+x\d+)*")
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def escaped(character: str) -> str:
    """One character inside a JSON string, as tlog spells it."""
    if character in SHORT:
        return SHORT[character]
    return f"\\u00{ord(character):02x}" if ord(character) < 0x20 or character == "\x7f" else character


class Line:
    """One message, its fields as they stand in the line."""

    def __init__(self, line: bytes) -> None:
        found = LINE.fullmatch(line)
        assert found is not None, line[:400]
        self.raw = found.groupdict()
        self.timing = self.raw["timing"].decode()
        assert TIMING.fullmatch(self.timing) is not None, self.timing
        self.pos = int(self.raw["pos"])
        for name in ("host", "user", "term", "in_txt", "out_txt"):
            text = json.loads(b'"' + self.raw[name] + b'"')
            assert "".join(map(escaped, text)).encode() == self.raw[name], name
        for name in ("in_bin", "out_bin"):
            assert all(
                text == str(int(text)) and int(text) < 256 for text in self.raw[name].decode().split(",") if text
            )

    @property
    def payload(self) -> int:
        """What is charged: every run, delay and window is as long in `timing` as what it costs."""
        return sum(len(self.raw[name]) for name in ("timing", "in_txt", "in_bin", "out_txt", "out_bin"))

    def first_items(self, count: int) -> int:
        """The most that its first items (characters, invalid sequences, a window) may have cost another message."""
        cost = 0
        texts = {side: json.loads(b'"' + self.raw[f"{side}_txt"] + b'"') for side in ("in", "out")}
        numbers = {side: self.raw[f"{side}_bin"].decode().split(",") for side in ("in", "out")}
        for marker, first, second in re.findall(
            r"([=<>\[\]])(\d+)(?:[x/](\d+))?", re.sub(r"^=\d+x\d+(?=.)", "", self.timing)
        ):
            if not count:
                break
            count -= 1
            side = "in" if marker in "<[" else "out"
            if marker == "=":
                cost += len(f"={first}x{second}")
            elif marker in "<>":
                cost += 2 + len(escaped(texts[side][0]).encode())
            else:
                cost += 4 + 3 + sum(len(number) + 1 for number in numbers[side][: 3 if int(second) > 2 else 2])
        return cost


def check(lines: list[bytes], payload: int, *, slack: int = 1) -> list[Line]:
    """Spelling and order of every line, ids without a gap, no payload above the limit, no message ended too early.

    `slack` is for how many items a message may have been without room.
    """
    found = [Line(line) for line in lines]
    assert [int(line.raw["id"]) for line in found] == list(range(1, len(found) + 1))
    assert len({(line.raw["host"], line.raw["rec"], line.raw["user"], line.raw["session"]) for line in found}) <= 1
    for line in found:
        assert line.payload <= payload, line.raw
    for this, following in pairwise(found):
        delay = len(f"+{following.pos - this.pos}")
        assert this.payload + delay + following.first_items(slack) > payload, (this.raw, following.raw)
    return found

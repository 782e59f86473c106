# SPDX-License-Identifier: Apache-2.0
"""Finds when a text became visible on the screen, by playing the recording on a screen of its own.

A hit is an event after which the text stands on the screen more often than before; lines that one event brought in and
pushed out again at the top count too. Rows that are filled to the last column belong to the next one.
"""

from collections.abc import Iterator, Sequence

from ttyscribe_player.tape import Tape, feed
from ttyscribe_screen import Screen

_LOOK = 8


class Search:
    """One text to be found. Small letters find capital ones too; capital letters only themselves."""

    def __init__(self, tape: Tape, text: str) -> None:
        self._tape = tape
        self.text = text
        self._folds = text == text.casefold()
        self._needle = text.casefold() if self._folds else text

    def forward(self, index: int) -> Iterator[int | None]:
        """The hits among the events from this one on; None now and then, so that the caller can stop."""
        if not self._tape.has(index):
            return
        screen = self._tape.screen(index)
        yield from self._hits(screen, index, None)

    def backward(self, index: int) -> Iterator[int | None]:
        """The hits before this event, the last one first."""
        end = index
        while end > 0:
            frame = self._tape.frame(end - 1)
            found = []
            for hit in self._hits(Screen.restored(frame.snapshot), frame.number, end):
                if hit is None:
                    yield None
                else:
                    found.append(hit)
            yield from reversed(found)
            end = frame.number

    def _hits(self, screen: Screen, index: int, end: int | None) -> Iterator[int | None]:
        before = self.count(screen.lines())
        while index != end and self._tape.has(index):
            gone = feed(screen, self._tape.event(index))
            lines = screen.lines()
            now = self.count(lines)
            if (self.count(gone + lines) if gone else now) > before:
                yield index
            before = now
            index += 1
            if index % _LOOK == 0:
                yield None

    def count(self, lines: Sequence[str]) -> int:
        """How often the text stands in these rows."""
        text = "".join([line.rstrip() + "\n" if line.endswith(" ") else line for line in lines])
        return (text.casefold() if self._folds else text).count(self._needle)

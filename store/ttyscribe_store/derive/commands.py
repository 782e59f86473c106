# SPDX-License-Identifier: Apache-2.0
"""The commands that were given at prompts, read from the screen at the moment of Enter; pure.

A prompt is what stands before the cursor while nothing happens, and ends like one. What stands behind it when the line
is left is the command, however it came there: typed, edited, completed, or called back from the history. Where the
shell marks its prompts itself (OSC 133), the marks count instead.

What is not echoed is on no screen: a password is no command. What a program prints by itself is none either, unless the
prompt was seen waiting right before. Shells that say that they edit a line (bracketed paste) need not have waited: what
was typed ahead or pasted is found too, and what a script types without a pause.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

_SIGNS = "$#%>\u276f\u279c\u00bb\u03bb"
_PROMPT = re.compile(rf".*[{_SIGNS}] ?", re.DOTALL)
_LONGEST_PROMPT = 200
_FIRST = re.compile(rf".{{0,{_LONGEST_PROMPT}}}?[{_SIGNS}] ", re.DOTALL)
"""The shortest beginning of a line that may be a prompt, where the shell says that one is there."""
LONGEST = 100_000
MARK = re.compile(rb"\x1b(?:\]133;([ABCD])[^\x07\x1b]*(?:\x07|\x1b\\)|\[\?2004h)")
"""What shells write around their prompts; the last one, without a letter, where they begin to edit a line."""
EDITS = b"\x1b[?2004h"
"""What a shell writes beside its prompt when it begins to edit a line."""
_SEARCH = re.compile(r"^\((?:failed )?(?:reverse|forward|bck|fwd|i)-i-search\)`[^']*': ")


class Command(NamedTuple):
    """One command."""

    number: int
    """From 1, in order of time."""
    text: str
    time_ms: int
    """When its line was left, from the recording's start."""
    prompt: str
    source: str
    """`screen`, or `marks` of the shell."""


class Looks(Protocol):
    """What has to be known of a screen."""

    alternate: bool

    def cursor_line(self) -> tuple[str, int]:
        """The logical line with the cursor in it, and how many of its characters stand before the cursor."""


class Commands:
    """Follows one terminal. `armed` tells whether a line that is left now would be a command."""

    def __init__(self, emit: Callable[[Command], None]) -> None:
        self._emit, self._count = emit, 0
        self.armed = False
        self._prompt = self._behind = ""
        self._marked = False

    def idle(self, screen: Looks) -> None:
        """Nothing has happened for a moment: see whether a prompt waits."""
        if self._marked:
            return
        if screen.alternate:
            self.armed = False
            return
        line, column = screen.cursor_line()
        before = line[:column].ljust(column)
        self._guess(line)
        if len(before) <= _LONGEST_PROMPT and _PROMPT.fullmatch(before):
            if not (self.armed and before.startswith(self._prompt) and before != self._prompt):
                self._prompt, self._behind = before, line[column:].strip()
            self.armed = True
        else:
            self.armed = self.armed and bool(self._stands_in(line) or _SEARCH.match(line + " "))

    def enter(self, screen: Looks, time_ms: int) -> None:
        """The line is left: a line feed comes."""
        line, _ = screen.cursor_line()
        self._guess(line)
        self.armed = False
        prompt = self._prompt
        if not self._stands_in(line):
            found = _SEARCH.match(line)
            if not found:
                return
            prompt = found[0]
        text = line[len(prompt) :]
        if self._behind and text.rstrip().endswith(self._behind):
            text = text.rstrip()[: -len(self._behind)]
        self._take(text, time_ms, prompt)

    def _guess(self, line: str) -> None:
        """Take for the first prompt what looks like one, where something may have been typed behind it at once."""
        if self.armed and not self._prompt and (first := _FIRST.match(line)):
            self._prompt = first[0]

    def _stands_in(self, line: str) -> bool:
        return bool(self._prompt or self._marked) and line.startswith(self._prompt.rstrip())

    def mark(self, letter: str, screen: Looks) -> None:
        """The shell says where it is: A a prompt begins, B it ends, C the command runs, D it has ended.

        Without a letter: it edits a line behind a prompt, the one that is known if one is.
        """
        if not letter:
            self.armed = self.armed or not (self._marked or screen.alternate)
            return
        self._marked, self._behind = True, ""
        self.armed = letter == "B" and not screen.alternate
        if self.armed:
            line, column = screen.cursor_line()
            self._prompt = line[:column].ljust(column)

    def _take(self, text: str, time_ms: int, prompt: str) -> None:
        text, source = text.strip()[:LONGEST], "marks" if self._marked else "screen"
        if text:
            self._count += 1
            self._emit(Command(self._count, text, time_ms, prompt.strip(), source))

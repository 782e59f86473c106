# SPDX-License-Identifier: Apache-2.0
"""What is derived of one recording while its messages come: all of it, or what changed since it was given last; pure.

Messages are played one after the other, each up to its end, so that it makes no difference when somebody looked in
between: the same messages give the same documents.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Output, Window
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import from_fields
from ttyscribe_store.base import Derived, Executed, Execution, StoredMessage
from ttyscribe_store.conflict import Chooser, by_id
from ttyscribe_store.derive import documents
from ttyscribe_store.derive.commands import Command, Commands
from ttyscribe_store.derive.row import RowMaker
from ttyscribe_store.derive.transcript import Line, Transcript

_MS = 1_000_000


class Derivation:
    """One recording. `rows_only`: without the lines and commands, which need a terminal emulator."""

    def __init__(self, recording: str, *, rows_only: bool = False) -> None:
        self.recording = recording
        self.rows_only = rows_only
        self.written: Derived | None = None
        """Of what the documents are that were written last."""
        self.row = RowMaker(recording)
        self._chooser = Chooser()
        self._final: list[Line] = []
        self._commands: list[tuple[Command, str]] = []
        self._executions: list[Execution] = []
        self._executed = Executed(0, 0)
        self._transcript = None if rows_only else Transcript(self._final.append, Commands(self._take))
        self._last_ms = 0
        self._command_count = 0
        self._partition = ""
        self._places: list[tuple[int, str]] = []
        self._given: dict[int, Line] = {}
        self._header: documents.Header | None = None

    def _take(self, command: Command) -> None:
        self._command_count += 1
        self._commands.append((command, self._partition))

    # ---- facts

    def feed(self, messages: Iterable[StoredMessage]) -> None:
        """Take messages, all with higher ids than those before, ordered as `Store.messages` gives them."""
        for group in by_id(messages):
            self.row.feed(group)
            choice = self._chooser.choose(group)
            if choice.message is not None and self._transcript is not None:
                self._play(self._transcript, choice.message)

    def _play(self, transcript: Transcript, message: StoredMessage) -> None:
        try:
            packets = message_packets(from_fields(message.tlog))
        except MessageError:  # stored by an older version; it has words of its own
            return
        if message.partition != self._partition:
            self._partition = message.partition
            self._places.append((transcript.count + 1, message.partition))
        for packet in packets:
            time_ms = packet.time_ns // _MS
            self._last_ms = max(self._last_ms, time_ms)
            if isinstance(packet, Output):
                transcript.output(time_ms, packet.data)
            elif isinstance(packet, Window):
                transcript.resize(time_ms, packet.columns, packet.rows)
        transcript.pause()

    def feed_programs(self, there: Executed, new: Iterable[Execution]) -> None:
        """Take programs that started, and how many there are now."""
        self._executed = there
        self._executions += new

    def _place(self, number: int) -> str:
        """The partition of the message that first showed a line: what is derived goes where its facts are."""
        at = bisect_right(self._places, number, key=lambda place: place[0])
        return self._places[max(at - 1, 0)][1]

    # ---- documents

    def all(self) -> list[Document]:
        """Everything, the row last; none where there are no messages. To be asked once, before any `changes`."""
        if not self.row.messages:
            return []
        self._header = documents.header(self.row)
        return list(self._made(self._header))

    def changes(self) -> list[Document] | None:
        """What is another than it was given last, the row last; none = everything is, and has to be derived anew."""
        header = documents.header(self.row)
        return list(self._made(header)) if header == self._header else None

    def _made(self, header: documents.Header) -> Iterator[Document]:
        for line in sorted(self._changed()):
            yield documents.of_line(header, line, self._place(line.number))
        for command, partition in self._commands:
            yield documents.of_command(header, command, partition)
        self._commands.clear()
        for one in self._executions:
            yield documents.of_execution(header, one)
        self._executions.clear()
        lines = self._transcript.count if self._transcript is not None else 0
        counts = documents.Counts(lines, self._command_count, self._executed)
        yield documents.of_row(header, self.row, counts, rows_only=self.rows_only)

    def _changed(self) -> list[Line]:
        """Lines that are new, or another than they were given last. Final ones are not remembered: they stay."""
        if self._transcript is None:
            return []
        still = {line.number: line for line in self._transcript.open(self._last_ms)}
        found = [line for line in (*self._final, *still.values()) if self._given.get(line.number) != line]
        self._given = still
        self._final.clear()
        return found


def derived(recording: str, messages: Sequence[StoredMessage] | Iterator[StoredMessage]) -> list[Document]:
    """All that is derived of one recording, its row last; none where it has no messages."""
    made = Derivation(recording)
    made.feed(messages)
    return made.all()

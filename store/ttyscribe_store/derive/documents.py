# SPDX-License-Identifier: Apache-2.0
"""The documents that are derived of one recording: its lines, its commands, its row; pure.

The same messages give the same documents, whenever they are derived.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from ttyscribe_formats import timestamp, words
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Output, Window
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import from_fields
from ttyscribe_store.base import Recording, StoredMessage
from ttyscribe_store.conflict import Chooser, by_id
from ttyscribe_store.derive.commands import Command, Commands
from ttyscribe_store.derive.row import MOST_NS, RowMaker
from ttyscribe_store.derive.transcript import Line, Transcript

VERSION = 2
"""Goes up when the same messages give other documents than before: then all are derived again."""
PIECE, OVERLAP = 8000, 200
"""Characters of a piece of a long text, and how many it shares with the next."""
_MS = 1_000_000
_MOST = 2**63 - 1
_MESSAGE_KEPT = 4000
"""Characters of a line that stand in `message`; the whole is in its own field."""


class _Place(NamedTuple):
    """Since when something of the recording is in a partition."""

    ms: int
    partition: str


def derived(recording: str, messages: Iterable[StoredMessage]) -> list[Document]:
    """All of one recording's, its row last; none where it has no messages.

    `messages` are ordered as `Store.messages` gives them.
    """
    maker, chooser = RowMaker(recording), Chooser()
    lines: list[Line] = []
    commands: list[Command] = []
    transcript = Transcript(lines.append, Commands(commands.append))
    places: list[_Place] = []
    last_ms = 0
    for group in by_id(messages):
        maker.feed(group)
        choice = chooser.choose(group)
        if choice.message is None:  # two claim to be it, and it can't be told which is
            continue
        last_ms = max(last_ms, _play(transcript, choice.message, places))
    if not maker.messages:
        return []
    transcript.end(last_ms)
    lines.sort()
    row = maker.made()
    made = [_line(row, line, _partition(places, line.first_ms)) for line in lines]
    made += [_command(row, command, _partition(places, command.time_ms)) for command in commands]
    return [*made, _row(row, maker, len(lines), len(commands), _partition(places, 0))]


def _play(transcript: Transcript, message: StoredMessage, places: list[_Place]) -> int:
    """Show one message; when its last event was."""
    try:
        packets = message_packets(from_fields(message.tlog))
    except MessageError:  # stored by an older version; it has words of its own
        return 0
    time_ms = int(message.tlog.get("pos", 0))
    if not places or places[-1].partition != message.partition:
        places.append(_Place(time_ms, message.partition))
    for packet in packets:
        time_ms = packet.time_ns // _MS
        if isinstance(packet, Output):
            transcript.output(time_ms, packet.data)
        elif isinstance(packet, Window):
            transcript.resize(time_ms, packet.columns, packet.rows)
    return time_ms


def _partition(places: list[_Place], time_ms: int) -> str:
    """Where the messages of that time are stored: a derived document goes to no other month than its facts."""
    found = [place.partition for place in places if place.ms <= time_ms] or [place.partition for place in places[:1]]
    return found[-1] if found else "implausible-time"


def _line(row: Recording, line: Line, partition: str) -> Document:
    fields = {"number": line.number, "text": _pieces(line.text), "first_ms": line.first_ms, "last_ms": line.last_ms}
    own = _own(row, "line", partition, line.text) | {"last_ms": line.last_ms}
    document = _document(row, f"line:{row.recording}:{line.number}", line.first_ms, line.text, own)
    return cast("Document", document | {"line": fields | {"user": row.user}})


def _command(row: Recording, command: Command, partition: str) -> Document:
    fields = {
        "number": command.number,
        "text": _pieces(command.text),
        "ms": command.time_ms,
        "prompt": command.prompt,
        "source": command.source,
        "user": row.user,
    }
    own = _own(row, "command", partition, command.text) | {"last_ms": command.time_ms}
    document = _document(row, f"cmd:{row.recording}:{command.number}", command.time_ms, command.text, own)
    return cast("Document", document | {"command": fields})


def _row(row: Recording, maker: RowMaker, lines: int, commands: int, partition: str) -> Document:
    fields: dict[str, Any] = {
        "user": row.user,
        "users": list(maker.users.listed(row.user)),
        "user_count": row.users,
        "hosts": list(maker.hosts.listed(row.host)),
        "host_count": row.hosts,
        "more_names": _yes(maker.users.more or maker.hosts.more),
        "term": row.term,
        "session": row.session,
        "first": timestamp.to_text(row.first_ns),
        "last": timestamp.to_text(row.last_ns),
        "duration_ms": row.duration_ms,
        "messages": row.messages,
        "ids": row.distinct_ids,
        "first_id": row.first_id,
        "last_id": row.last_id,
        "missing": min(row.missing, _MOST),
        "gaps": [_gap(*gap) for gap in zip(row.gaps, row.gap_causes, strict=True)],
        "conflicts": row.conflicts,
        "below_first": row.below_first,
        "out_bytes": row.out_bytes,
        "in_bytes": row.in_bytes,
        "resizes": row.resizes,
        "ended": _yes(row.ended),
        "complete": _yes(row.complete),
        "lines": lines,
        "commands": commands,
        "version": VERSION,
    }
    fields |= {"boot_id": row.boot_id} if row.boot_id else {}
    fields |= {"status": row.status} if row.status is not None else {}
    own = _own(row, "recording", partition, "") | {"last_ms": row.duration_ms}
    text = f"recording of {row.user} on {row.host}, {row.messages} messages"
    return cast("Document", _document(row, row.recording, 0, text, own) | {"recording": fields})


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _gap(ids: tuple[int, int], cause: str) -> str:
    return f"{ids[0]}-{ids[1]}" + (f": {cause}" if cause else "")


def _pieces(text: str) -> list[str]:
    """A text as fields hold it: one that is too long in pieces that overlap."""
    if len(text) <= PIECE:
        return [text]
    return [text[at : at + PIECE] for at in range(0, len(text) - OVERLAP, PIECE - OVERLAP)]


def _own(row: Recording, kind: str, partition: str, text: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "partition": partition,
        "trust": row.trust,
        "words": words.joined(text),
        "recording": row.recording,
    }


def _document(row: Recording, document_id: str, time_ms: int, text: str, own: dict[str, Any]) -> dict[str, Any]:
    at = timestamp.to_text(min(max(row.start_ns + time_ms * _MS, 0), MOST_NS))
    return {
        "@timestamp": at,
        "hostname": row.host,
        "level": "unknown",
        "message": text[:_MESSAGE_KEPT],
        "viaq_msg_id": document_id,
        "ttyscribe": own | {"received": at},
    }


def stale(rows: Iterable[Recording], known: dict[str, tuple[int, int]]) -> Iterator[Recording]:
    """The recordings that have to be derived: by how many messages and which rules each was."""
    return (row for row in rows if known.get(row.recording) != (row.messages, VERSION))

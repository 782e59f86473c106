# SPDX-License-Identifier: Apache-2.0
"""The documents that are derived of one recording: its lines, its commands, its row; pure."""

from hashlib import blake2b
from typing import Any, NamedTuple, cast

from ttyscribe_formats import timestamp, words
from ttyscribe_formats.document import Document
from ttyscribe_store.base import Executed, Execution
from ttyscribe_store.conflict import rank
from ttyscribe_store.derive.commands import Command
from ttyscribe_store.derive.row import MOST_NS, RowMaker
from ttyscribe_store.derive.rules import ROW_ONLY, VERSION
from ttyscribe_store.derive.transcript import Line

PIECE, OVERLAP = 8000, 200
"""Characters of a piece of a long text, and how many it shares with the next."""
_MS = 1_000_000
_MOST = 2**63 - 1
_MESSAGE_KEPT = 4000
"""Characters of a line that stand in `message`; the whole is in its own field."""


class Header(NamedTuple):
    """What every document of a recording says of it. Where it is another, all of them are."""

    recording: str
    user: str
    host: str
    start_ns: int
    trust: str
    partition: str
    """Of the row."""


def header(maker: RowMaker) -> Header:
    """The header of a recording of which there are messages."""
    row = maker.made()
    return Header(row.recording, row.user, row.host, row.start_ns, row.trust, maker.chief.partition)


def of_line(row: Header, line: Line, partition: str) -> Document:
    """One line's."""
    fields = {"number": line.number, "text": _pieces(line.text), "first_ms": line.first_ms, "last_ms": line.last_ms}
    own = _own(row, "line", partition, line.text) | {"last_ms": line.last_ms}
    document = _document(row, f"line:{row.recording}:{line.number}", line.first_ms, line.text, own)
    return cast("Document", document | {"line": fields | {"user": row.user}})


def of_command(row: Header, command: Command, partition: str) -> Document:
    """One command's."""
    fields: dict[str, Any] = {
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


def of_execution(row: Header, one: Execution) -> Document:
    """The command that a program which audit saw start stands for. Its trust is the lower one of the two."""
    time_ms = max(one.time_ns - row.start_ns, 0) // _MS
    fields = {"text": _pieces(one.text), "ms": time_ms, "source": "audit", "user": row.user, "event": one.document_id}
    lower = row._replace(trust=min(row.trust, one.trust, key=rank))
    own = _own(lower, "command", one.partition, one.text) | {"last_ms": time_ms}
    mark = blake2b(one.document_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    document = _document(row, f"cmd:{row.recording}:audit:{mark}", time_ms, one.text, own)
    document["@timestamp"] = document["ttyscribe"]["received"] = timestamp.to_text(one.time_ns)
    return cast("Document", document | {"command": fields})


class Counts(NamedTuple):
    """What a row tells of the other documents."""

    lines: int
    commands: int
    executed: Executed


def of_row(header: Header, maker: RowMaker, counts: Counts, *, rows_only: bool) -> Document:
    """The recording's row."""
    row = maker.made()
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
        "lines": counts.lines,
        "commands": counts.commands,
        "executions": counts.executed.within,
        "session_events": counts.executed.days,
        "version": ROW_ONLY if rows_only else VERSION,
    }
    fields |= {"boot_id": row.boot_id} if row.boot_id else {}
    fields |= {"status": row.status} if row.status is not None else {}
    own = _own(header, "recording", header.partition, "") | {"last_ms": row.duration_ms}
    text = f"recording of {row.user} on {row.host}, {row.messages} messages"
    return cast("Document", _document(header, row.recording, 0, text, own) | {"recording": fields})


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _gap(ids: tuple[int, int], cause: str) -> str:
    return f"{ids[0]}-{ids[1]}" + (f": {cause}" if cause else "")


def _pieces(text: str) -> list[str]:
    """A text as fields hold it: one that is too long in pieces that overlap."""
    if len(text) <= PIECE:
        return [text]
    return [text[at : at + PIECE] for at in range(0, len(text) - OVERLAP, PIECE - OVERLAP)]


def _own(row: Header, kind: str, partition: str, text: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "partition": partition,
        "trust": row.trust,
        "words": words.joined(text),
        "recording": row.recording,
    }


def _document(row: Header, document_id: str, time_ms: int, text: str, own: dict[str, Any]) -> dict[str, Any]:
    at = timestamp.to_text(min(max(row.start_ns + time_ms * _MS, 0), MOST_NS))
    return {
        "@timestamp": at,
        "hostname": row.host,
        "level": "unknown",
        "message": text[:_MESSAGE_KEPT],
        "viaq_msg_id": document_id,
        "ttyscribe": own | {"received": at},
    }

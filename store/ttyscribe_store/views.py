# SPDX-License-Identifier: Apache-2.0
"""What the reads make of a stored document; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.tlog import UNSET_SESSION
from ttyscribe_store.base import DERIVED, Hit, Recording, StoredMessage


def time_ns(document: Mapping[str, Any]) -> int:
    """A document's own time; 0 where it has none that can be read."""
    try:
        return timestamp.parse(document["@timestamp"])
    except (MessageError, KeyError, AttributeError, TypeError):
        return 0


def stored_message(document: Mapping[str, Any]) -> StoredMessage:
    """One message of a recording."""
    own = document["ttyscribe"]
    return StoredMessage(
        document_id=document["viaq_msg_id"],
        tlog=document["tlog"],
        trust=own["trust"],
        sender_pid=own.get("sender_pid", -1),
        partition=own.get("partition", ""),
        time_ns=time_ns(document),
        out_bytes=own.get("out_bytes", 0),
        in_bytes=own.get("in_bytes", 0),
        resizes=own.get("resizes", 0),
        last_ms=own.get("last_ms", 0),
        boot_id=own.get("boot_id", ""),
    )


def to_recording(document: Mapping[str, Any]) -> Recording:
    """A recording by its row."""
    row, gaps = document["recording"], [gap.partition(": ") for gap in document["recording"].get("gaps", ())]
    return Recording(
        recording=document["ttyscribe"]["recording"],
        user=row["user"],
        host=document["hostname"],
        term=row["term"],
        session=row["session"],
        start_ns=time_ns(document),
        duration_ms=row["duration_ms"],
        messages=row["messages"],
        first_id=row.get("first_id", 0),
        last_id=row.get("last_id", 0),
        distinct_ids=row.get("ids", row["messages"]),
        out_bytes=row["out_bytes"],
        in_bytes=row["in_bytes"],
        resizes=row["resizes"],
        trust=document["ttyscribe"]["trust"],
        users=row.get("user_count", 1),
        hosts=row.get("host_count", 1),
        below_first=row.get("below_first", 0),
        ended=row["ended"] == "yes",
        gaps=tuple(_run(ids) for ids, _, _ in gaps),
        gap_causes=tuple(why for _, _, why in gaps),
        status=row.get("status"),
        boot_id=row.get("boot_id", ""),
        first_ns=_ns(row, "first"),
        last_ns=_ns(row, "last"),
    )


def _run(ids: str) -> tuple[int, int]:
    first, _, last = ids.partition("-")
    return int(first), int(last)


def _ns(row: Mapping[str, Any], name: str) -> int:
    return timestamp.parse(row[name]) if name in row else 0


def hit(document: Mapping[str, Any]) -> Hit:
    """What a search says of a document that it found."""
    own, tlog = document["ttyscribe"], document.get("tlog") or {}
    derived = document.get(own["kind"], {}) if own["kind"] in DERIVED else {}
    first_ms = tlog.get("pos", derived.get("first_ms", derived.get("ms", 0)))
    return Hit(
        document_id=document["viaq_msg_id"],
        kind=own["kind"],
        time_ns=time_ns(document),
        host=document["hostname"],
        user=_user(document, tlog or derived),
        recording=own.get("recording", ""),
        first_ms=first_ms,
        last_ms=own.get("last_ms", first_ms),
        message=document["message"],
        typed=own.get("typed", ""),
        trust=own["trust"],
        session=session_of(own.get("audit_session", tlog.get("session", derived.get("session")))),
        boot_id=str(own.get("boot_id", derived.get("boot_id", ""))),
        source=str(derived.get("source", "")),
    )


def session_of(value: Any) -> int:
    """An audit session; -1 where it is none, or unset."""
    return value if type(value) is int and 0 <= value < UNSET_SESSION else -1


def _user(document: Mapping[str, Any], recorded: Mapping[str, Any]) -> str:
    """Who was recorded; else who logged in and did it, else with whose rights it was done."""
    if recorded:
        return str(recorded.get("user", ""))
    user = document.get("user") or {}
    return str((user.get("audit") or {}).get("name") or user.get("name") or "")


def phrase(words: Sequence[str]) -> str:
    """One term of a query as it stands in the words of a document; empty where it has none: that finds nothing."""
    return " ".join(" ".join(words).split())

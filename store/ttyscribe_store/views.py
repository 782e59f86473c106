# SPDX-License-Identifier: Apache-2.0
"""What the reads make of a stored document; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_store.base import DERIVED, Derived, Hit, StoredMessage


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
        document["viaq_msg_id"], document["tlog"], own["trust"], own.get("sender_pid", -1), own.get("partition", "")
    )


def to_derived(document: Mapping[str, Any]) -> Derived:
    """How far a recording was derived, by its row."""
    row = document["recording"]
    return Derived(document["ttyscribe"]["recording"], row["messages"], row["version"])


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
    )


def _user(document: Mapping[str, Any], recorded: Mapping[str, Any]) -> str:
    """Who was recorded; else who logged in and did it, else with whose rights it was done."""
    if recorded:
        return str(recorded.get("user", ""))
    user = document.get("user") or {}
    return str((user.get("audit") or {}).get("name") or user.get("name") or "")


def phrase(words: Sequence[str]) -> str:
    """One term of a query as it stands in the words of a document; empty where it has none: that finds nothing."""
    return " ".join(" ".join(words).split())

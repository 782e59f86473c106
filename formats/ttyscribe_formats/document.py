# SPDX-License-Identifier: Apache-2.0
"""The stored document of the lossless profile, as type checkers see it.

At speed a document is a plain dict; these names are for the edges. `fields/` declares every field once more for
the engines, and a test holds both against what the kinds emit.
"""

from typing import Any, NotRequired, TypedDict

Kind = str
"""Name of a message kind: `tlog`, `syslog`, ..."""

Trust = str
"""`system` (attested sender is a trusted uid), `user` (it is the recorded user), or `none`."""


class Own(TypedDict):
    """What ViaQ has no place for, under `ttyscribe`."""

    kind: Kind
    partition: str
    """`YYYY.MM` of the document's own time, or `implausible-time`: the store's index or file."""
    received: str
    lag_ms: NotRequired[int]
    """From the document's own time to `received`; absent where the message says no time of its own."""
    trust: Trust
    words: str
    """The words of the word rule, joined by blanks; indexed, and left out of what is stored."""
    recording: NotRequired[str]
    typed: NotRequired[str]
    sender_uid: NotRequired[int]
    sender_pid: NotRequired[int]
    out_bytes: NotRequired[int]
    in_bytes: NotRequired[int]
    last_ms: NotRequired[int]
    """Milliseconds from the recording's start to the last event of this message."""
    resizes: NotRequired[int]
    error: NotRequired[str]
    doubt: NotRequired[str]
    bytes: NotRequired[dict[str, Any]]
    original: NotRequired[str]
    text_key: NotRequired[str]
    partial: NotRequired[str]
    boot_id: NotRequired[str]
    audit_session: NotRequired[int]
    repaired: NotRequired[list[str]]
    """What had to be repaired: `bytes`, `characters`, `values`."""
    raw: NotRequired[str]
    """base64 of the message as received, where the text had to be repaired."""


Document = TypedDict(
    "Document",
    {
        "@timestamp": str,
        "hostname": str,
        "level": str,
        "message": str,
        "viaq_msg_id": str,
        "systemd": NotRequired[dict[str, Any]],
        "journal": NotRequired[dict[str, Any]],
        "rsyslog": NotRequired[dict[str, Any]],
        "structured": NotRequired[dict[str, Any]],
        "pipeline_metadata": NotRequired[dict[str, Any]],
        "tlog": NotRequired[dict[str, Any]],
        "aushape": NotRequired[dict[str, Any]],
        "audit": NotRequired[dict[str, Any]],
        "sudo": NotRequired[dict[str, Any]],
        "process": NotRequired[dict[str, Any]],
        "user": NotRequired[dict[str, Any]],
        "file": NotRequired[dict[str, Any]],
        "source": NotRequired[dict[str, Any]],
        "destination": NotRequired[dict[str, Any]],
        "event": NotRequired[dict[str, Any]],
        "recording": NotRequired[dict[str, Any]],
        "line": NotRequired[dict[str, Any]],
        "command": NotRequired[dict[str, Any]],
        "ttyscribe": Own,
    },
)

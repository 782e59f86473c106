# SPDX-License-Identifier: Apache-2.0
"""Documents for the tests of the engine store, as the kinds tlog and syslog make them."""

from typing import Any, cast

from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document

START_NS = timestamp.parse("2026-11-24T12:00:00.123456Z")


def _base(document_id: str, time_ns: int, message: str, own: dict[str, Any]) -> dict[str, Any]:
    received = timestamp.to_text(time_ns + 1_000_000)
    return {
        "@timestamp": timestamp.to_text(time_ns),
        "hostname": "web7.example.com",
        "level": "info",
        "message": message,
        "systemd": {"t": {"UID": "0", "PID": "4113"}, "u": {"SYSLOG_IDENTIFIER": "ttyscribe"}},
        "pipeline_metadata": {
            "collector": {"name": "rsyslog", "inputname": "imuxsock", "received_at": received, "ipaddr4": "192.0.2.7"},
            "normalizer": {"name": "ttyscribe", "version": "0.1.0"},
        },
        "viaq_msg_id": document_id,
        "ttyscribe": {
            "partition": "2026.11",
            "received": received,
            "trust": "system",
            "words": message,
            "sender_uid": 0,
            "sender_pid": 4113,
            **own,
        },
    }


def tlog(number: int = 1, *, recording: str = "r1", text: str = "hello", mark: str = "0", **own: Any) -> Document:
    """One recording's message; `own` goes under `ttyscribe`."""
    position = (number - 1) * 1000 if number < 1_000_000 else 0
    document = _base(
        f"tlog:{recording}:{number}:{mark}",
        START_NS + position * 1_000_000,
        text,
        {
            "kind": "tlog",
            "recording": recording,
            "out_bytes": len(text.encode()),
            "in_bytes": 1,
            "last_ms": position + 5,
            "resizes": 1,
            **own,
        },
    )
    document["tlog"] = {
        "ver": "2.3",
        "host": "web7.example.com",
        "rec": recording,
        "user": "ada",
        "term": "xterm",
        "session": 4294967295,
        "id": number,
        "pos": position,
        "time": (START_NS // 1_000_000 + position) / 1000,
        "timing": f"=80x24<1>{len(text)}",
        "in_txt": "l",
        "in_bin": [],
        "out_txt": text,
        "out_bin": [],
    }
    return cast("Document", document)


def syslog(number: int = 1, *, text: str = "a line", **own: Any) -> Document:
    """One other log message."""
    return cast("Document", _base(f"log:{number}", START_NS + number, text, {"kind": "syslog", **own}))
